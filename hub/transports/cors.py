"""Pages of other origins, by HTTP: CORS, as the Fetch standard has it.

A caller is known by the token that it sends itself, and never by a cookie: so there are no
credentials in CORS' sense, and a page without a token gains nothing.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.core.callers.origins import ANY, is_allowed

__all__ = ["Cors"]

_API: Final = "/v1/"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id"
    ),
    "Access-Control-Max-Age": "7200",  # as much as Chromium takes
}
_EXPOSED: Final = "ETag, Location, Retry-After, Idempotent-Replayed, X-Request-Id"


class Cors:
    """Pure ASGI, for the API alone; answers that are open to everybody stay so.

    Starlette's own would bind those to the origin that asks, which a shared cache must not keep,
    and forget `Vary` where a request names no origin.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        origin = asked.get("origin")
        granted = origin is not None and is_allowed(origin, self._allowed)

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._open(MutableHeaders(scope=message), origin if granted else None)
            await send(message)

        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in asked
        app = Response(status_code=204, headers=_PREFLIGHT) if granted and preflight else self._app
        await app(scope, receive, send_open)

    def _open(self, headers: MutableHeaders, origin: str | None) -> None:
        if "access-control-allow-origin" in headers:
            return
        if ANY not in self._allowed:
            headers.add_vary_header("Origin")
        if origin is not None:
            headers["Access-Control-Allow-Origin"] = ANY if ANY in self._allowed else origin
            headers["Access-Control-Expose-Headers"] = _EXPOSED
