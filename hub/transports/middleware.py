"""Around every HTTP request: an id, a log line, a metric, and no traceback for the caller."""

import re
import secrets
import time
from functools import lru_cache
from typing import Final

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.metrics import REQUESTS
from schemas.wire import dumps

__all__ = ["Requests"]

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_INTERNAL: Final = {
    "type": "urn:ordercast:problem:internal",
    "title": "Internal Error",
    "status": 500,
    "detail": "this is our fault; the request id finds it in the log",
}

log = structlog.get_logger("hub.http")


class Requests:
    """Pure ASGI. A caller's X-Request-Id is taken over where it is sane."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
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
            self._note(scope, status, request_id, time.perf_counter() - began)

    @staticmethod
    def _note(scope: Scope, status: int, request_id: bytes, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        _timer(route, status).observe(seconds)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            request=request_id.decode(),
        )


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
