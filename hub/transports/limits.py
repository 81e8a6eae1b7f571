"""Limits on a request before it is one: how large its head may be, and how long it may take.

uvicorn has neither; without them one connection can fill the memory with a header that never
ends, and silent connections stay for good.
"""

import asyncio
from typing import Any, Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.transports.exchange import problem

__all__ = ["LimitedHttp"]

MAX_HEAD: Final = 32 * 1024
HEAD_TIMEOUT: Final = 10.0


def _whole(response: Response) -> bytes:
    """An answer to what never became a request."""
    head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
    start = STATUS_LINE[response.status_code] + head
    return start + b"connection: close\r\n\r\n" + bytes(response.body)


_UNREADABLE: Final = _whole(problem(400, "Bad Request", "this is no HTTP/1.1 request"))
_TOO_LARGE: Final = _whole(
    problem(431, "Request Header Fields Too Large", f"a head is at most {MAX_HEAD} bytes")
)


class LimitedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a bound on each request's head, in bytes and in seconds."""

    _head = 0
    _in_head = True
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD and not self._ends_head(data):
                self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_UNREADABLE)
        self.transport.close()

    def _ends_head(self, data: bytes) -> bool:
        """A head within the limit may come with much of its body."""
        end = data.find(b"\r\n\r\n")
        return end >= 0 and self._head - len(data) + end <= MAX_HEAD

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head, self._in_head = 0, True
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT, self._head_overdue)

    def _have_head(self) -> None:
        self._in_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_overdue(self) -> None:
        self._timer = None
        if self._in_head and not self.transport.is_closing():
            self.transport.close()
