"""Around every HTTP request: an id, a log line, a metric, and no traceback for the caller."""

import re
import secrets
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.metrics import REQUESTS
from hub.services.logbook import Logbook, Note
from schemas.wire import dumps

__all__ = ["Requests"]

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_POSITIONS: Final = "/v1/riders/"
_ORDERS: Final = b"/v1/orders/"
_INTERNAL: Final = {
    "type": "urn:ordercast:problem:internal",
    "title": "Internal Error",
    "status": 500,
    "detail": "this is our fault; the request id finds it in the log",
}

log = structlog.get_logger("hub.http")


class Requests:
    """Pure ASGI. A caller's X-Request-Id is taken over where it is sane. `logbook` is told of what
    was answered to somebody with a token, but for riders' positions, which are no operations.
    """

    def __init__(self, app: ASGIApp, logbook: Logbook | None = None) -> None:
        self._app = app
        self._logbook = logbook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        began = time.perf_counter()
        status, placed = 0, None

        async def send_with_id(message: Message) -> None:
            nonlocal status, placed
            if message["type"] == "http.response.start":
                status = message["status"]
                placed = _placed(message["headers"]) if status == 201 else None
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed", request=request_id.decode(), path=scope["path"])
            if status:
                raise  # half an answer is out already: only the connection's end tells
            await _internal_error(send_with_id)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "other")
            self._note(scope, route, status, request_id, seconds)
            if self._logbook is not None and "claims" in scope and not route.startswith(_POSITIONS):
                order_id = scope["path_params"].get("order_id", placed)
                self._logbook.note(
                    Note(
                        time.time(),
                        scope["method"],
                        route,
                        status,
                        scope["claims"],
                        order_id,
                        seconds,
                    )
                )

    @staticmethod
    def _note(scope: Scope, route: str, status: int, request_id: bytes, seconds: float) -> None:
        _timer(route, status).observe(seconds)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            request=request_id.decode(),
        )


def _placed(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The order that was made, by its Location."""
    for name, value in headers:
        if name == b"location" and value.startswith(_ORDERS):
            return value.removeprefix(_ORDERS).decode()
    return None


@lru_cache(maxsize=1024)
def _timer(route: str, status: int) -> Histogram:
    return REQUESTS.labels(route, str(status))


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return secrets.token_hex(8).encode()


async def _internal_error(send: Send) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": dumps(_INTERNAL)})
