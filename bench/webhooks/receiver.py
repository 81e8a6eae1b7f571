"""A partner's server, as cheap as can be: it reads requests, counts them, and answers 202.

What comes to a path below `/hang` is read and never answered.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from bench.webhooks.tally import Call, Tally

__all__ = ["END", "HANG", "LOOPBACK", "Receiver", "dead_origin"]

END: Final = "bench-end"
"""A header: its sender is to be ended now that the request was read; the value tells whom."""

HANG: Final = "/hang"
LOOPBACK: Final = ("127.0.0.0/8",)
"""What a bridge must be allowed to call."""

_ACCEPTED: Final = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WEBHOOK_ID: Final = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_END: Final = re.compile(rb"\r\nbench-end: *([^\r]+)", re.IGNORECASE)
_ORDER_ID: Final = re.compile(rb'"orderId": ?"([^"]+)"')
_SEQ: Final = re.compile(rb'"seq": ?(\d+)')


class Receiver:
    """`told` hears of each call that was answered, `end` of each that asks for the end of whom it
    names; `pause` says how many seconds an answer takes.
    """

    def __init__(self, first: Mapping[str, int] | None = None) -> None:
        self.tally = Tally(first)
        self.hanging = 0
        """Requests that were read and will never be answered."""
        self.told: Callable[[Call], None] = lambda call: None
        self.end: Callable[[str, Call], None] = lambda whom, call: None
        self.pause: Callable[[], float] | None = None
        self.origin = ""
        self._lines: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._wanted = 0
        self._reached = asyncio.Event()

    async def __aenter__(self) -> "Receiver":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Line(self, self._lines), "127.0.0.1", 0, backlog=1024
        )
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in tuple(self._lines):
            line.abort()

    def take(self, line: asyncio.Transport, head: bytes, body: bytes) -> None:
        """One request that was read as a whole."""
        path = head[5 : head.index(b" ", 5)].decode()
        if path.startswith(HANG):
            self.hanging += 1
            return
        call = _call(path, head, body)
        self.tally.hear(call)
        if ends := _END.search(head):
            self.end(ends[1].decode(), call)
        elif self.pause is None:
            self._answer(line, call)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self.pause(), self._answer, line, call)

    def _answer(self, line: asyncio.Transport, call: Call) -> None:
        if line.is_closing():
            return
        self.tally.accept(call)
        line.write(_ACCEPTED)
        self.told(call)
        if self._wanted and self.tally.accepted >= self._wanted:
            self._reached.set()

    async def accepted(self, number: int, silence: float = 15.0) -> bool:
        """Wait until so many were accepted; False once none was for `silence` seconds."""
        self._wanted = number
        self._reached.clear()
        while (before := self.tally.accepted) < number:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reached.wait(), silence)
            if self.tally.accepted == before:
                return False
        return True


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, receiver: Receiver, lines: set[asyncio.Transport]) -> None:
        self._receiver = receiver
        self._lines = lines
        self._transport: asyncio.Transport
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._lines.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lines.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + int(length[1] if length else 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._receiver.take(self._transport, head, body)


def _call(path: str, head: bytes, body: bytes) -> Call:
    order_id, seq = _found(_ORDER_ID, body), int(_found(_SEQ, body))
    return Call(path, order_id, seq, _found(_WEBHOOK_ID, head), body)


def _found(pattern: re.Pattern[bytes], text: bytes) -> str:
    match = pattern.search(text)
    assert match is not None, "that was no webhook of ours"
    return match[1].decode()


@contextlib.contextmanager
def dead_origin() -> Iterator[str]:
    """Where nothing listens, nor will while this lasts: connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
