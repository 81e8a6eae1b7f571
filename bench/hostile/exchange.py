"""One request to a hostile server, and what can be done to the connection that it came on."""

import asyncio
import socket
import struct
from typing import Any, Final

__all__ = ["BIG", "HEAD_MAX", "LOOPBACK", "SOON", "Exchange", "answer"]

LOOPBACK: Final = "127.0.0.1"
SOON: Final = 0.02
HEAD_MAX: Final = 64 * 1024
BIG: Final = 1_000_000

_LET_GO: Final = 60.0


class Exchange:
    """One request, and the connection to answer it on.

    `number` counts the requests of this connection, `turn` those that this behaviour has had
    from anyone; both from 1. `origin` is the server's own, as in a URL.
    """

    def __init__(
        self, writer: asyncio.StreamWriter, head: bytes, number: int, turn: int, origin: str
    ) -> None:
        self.head = head
        self.number = number
        self.turn = turn
        self.origin = origin
        self._writer = writer

    async def say(self, *parts: bytes) -> None:
        """Raises OSError once the sender has left."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()

    async def drip(self, part: bytes, every: float = SOON) -> None:
        """Say `part` again and again, with that many seconds between, until the sender leaves."""
        while not self._writer.is_closing():
            await self.say(part)
            await asyncio.sleep(every)

    async def begin_chunks(self) -> None:
        """A 200, and a moment for it to arrive alone: what is wrong is the body."""
        await self.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(SOON)

    def hang_up(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """End the connection with a RST: what the sender finds is an error, not an end."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def stop_reading(self) -> None:
        """Let the window fill. After a minute the connection is let go."""
        transport: Any = self._writer.transport
        transport.pause_reading()
        asyncio.get_running_loop().call_later(_LET_GO, transport.abort)


def answer(status: str, *fields: str, body: bytes = b"", length: int | None = None) -> bytes:
    """A whole answer; its content-length is right unless `length` is given."""
    lines = (
        f"HTTP/1.1 {status}",
        *fields,
        f"Content-Length: {len(body) if length is None else length}",
    )
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
