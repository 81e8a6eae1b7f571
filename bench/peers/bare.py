"""The least that a fan-out can cost: a loop around the `send` system call.

One process that shakes hands and reads no more than it must. What the first socket, the rider's,
sends is sent to all the others, with nothing between. `python -m bench.peers.bare PORT` serves.
"""

import base64
import contextlib
import hashlib
import re
import selectors
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.peers.clients import fix
from bench.processes import free_port, listening
from bench.target import Dial, Target

__all__ = ["launch"]

_KEY: Final = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)


class _Bare:
    name = "bare-send"
    answers: Mapping[bytes, bytes] = {}

    def __init__(self, port: int, pid: int) -> None:
        self.processes: Mapping[str, Sequence[int]] = {"hubB": [pid]}
        self._port = port

    async def prepare(self, orders: int) -> None:
        """There is but one."""

    def rider(self, order: int) -> Dial:
        return Dial(self._port, "/rider")

    def customer(self, order: int) -> Dial:
        return Dial(self._port, "/customer")

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        return fix(order, number, stamp).encode()


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    port = free_port()
    command = (sys.executable, "-m", "bench.peers.bare", str(port))
    async with listening(directory / "bare.log", port, *command) as pid:
        yield _Bare(port, pid)


def _serve(port: int) -> None:
    customers: list[socket.socket] = []
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            link = key.fileobj
            assert isinstance(link, socket.socket)
            if link is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = link.recv(65_536)
            if data.startswith(b"GET"):
                _open(link, data, customers)
            elif data.startswith(b"\x81"):
                frame = _frame(data)
                for customer in customers:
                    customer.send(frame)
            elif not data:
                selector.unregister(link)


def _open(link: socket.socket, request: bytes, customers: list[socket.socket]) -> None:
    key = _KEY.search(request)
    assert key is not None
    digest = hashlib.sha1(key[1] + _GUID, usedforsecurity=False).digest()
    link.send(_ACCEPTED % base64.b64encode(digest))
    if request.startswith(b"GET /customer"):
        customers.append(link)


def _frame(data: bytes) -> bytes:
    """The first masked text frame in `data`, of 126 to 65,535 bytes, as a server sends it."""
    size, mask, payload = int.from_bytes(data[2:4], "big"), data[4:8], data[8:]
    masks = (mask * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload[:size], "big") ^ int.from_bytes(masks, "big")
    return b"\x81\x7e" + data[2:4] + plain.to_bytes(size, "big")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(int(sys.argv[1]))
