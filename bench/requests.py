"""HTTP/1.1 requests on kept connections, for a load: a request costs the generator some 20 µs."""

import asyncio
import re
from collections.abc import Mapping
from typing import Final, cast

__all__ = ["Connection", "request"]

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST of JSON, as bytes."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    line = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return line.encode() + body


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = b""
        self._answer: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed"))

    async def ask(self, packed: bytes) -> int:
        """The status of the answer. Raises ConnectionError."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(packed)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and length and len(body) >= int(length[1]) and self._answer is not None:
            self._received = b""
            self._answer.set_result(int(head[9:12]))

    def close(self) -> None:
        self._transport.close()
