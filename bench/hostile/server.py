"""The server that behaves as the request's path says, and how behaviours are entered for it."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

from bench.hostile.behaviour import BEHAVIOURS, Behaviour, Ends, Expected, Place, Serve
from bench.hostile.exchange import HEAD_MAX, LOOPBACK, Exchange, answer

__all__ = ["HostileServer", "elsewhere", "listing", "plain"]


class HostileServer:
    """An async context: a server on the loopback that behaves as the request's path says.

    With a `context` it speaks TLS. `seen` counts the requests by behaviour, `connections` all
    that were taken. Another path is answered with 404 and the list.
    """

    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self.seen: Counter[str] = Counter()
        self.connections = 0
        self._wanted = port
        self._context = context
        self._talks: set[asyncio.Task[None]] = set()
        self._at_work = 0
        self._quiet = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, sock=_listener(self._wanted), ssl=self._context, limit=HEAD_MAX
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._quiet.set()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    @property
    def origin(self) -> str:
        return f"{'https' if self._context else 'http'}://{LOOPBACK}:{self.port}"

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}"

    async def quiet(self) -> None:
        """Until no behaviour has anything more to say of its own accord."""
        await self._quiet.wait()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            while not writer.is_closing():
                number += 1
                await self._answer(reader, writer, number)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            writer.close()  # the sender left, or spoke something else
        except asyncio.CancelledError:
            writer.transport.abort()
            raise

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.partition(b" ")[2].partition(b" ")[0]
        name = target.decode("latin-1").partition("?")[0].strip("/")
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None or not behaviour.unread:
            await _read_body(reader, head)
        self.seen[name] += 1
        serve = behaviour.serve if behaviour else None
        exchange = Exchange(writer, head, number, self.seen[name], self.origin)
        self._at_work += 1
        self._quiet.clear()
        try:
            await (serve or _unknown)(exchange)
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._quiet.set()


def _listener(port: int) -> socket.socket:
    """Small in buffers and segments, so that a body of a megabyte does not fit between."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1024)
    listener.bind((LOOPBACK, port))
    return listener


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
    """Raises EOFError if the sender leaves in the middle of it."""
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"transfer-encoding" in fields:
        await reader.readuntil(b"0\r\n\r\n")
    else:
        await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _unknown(peer: Exchange) -> None:
    await peer.say(answer("404 Not Found", body=listing().encode()))


def listing() -> str:
    """What is served at `/NAME`: a line each."""
    rows = [
        (f"/{each.name}", ", then ".join(map(str, each.expected)), each.ends, each.what)
        for each in BEHAVIOURS.values()
        if each.serve
    ]
    return "".join(f"{path:32}{what}\n{'':32}{then}, {ends}\n" for path, then, ends, what in rows)


def plain(
    *expected: Expected, ends: Ends = Ends.AT_ONCE, unread: bool = False, body: int = 2
) -> Callable[[Serve], Serve]:
    """Enters a function that answers one request; the connection lives on unless it ends it."""

    def enter(serve: Serve) -> Serve:
        name, what = _told(serve)
        place = partial(_served, name)
        BEHAVIOURS[name] = Behaviour(name, what, expected, ends, place, serve, unread, body)
        return serve

    return enter


def elsewhere(
    *expected: Expected, ends: Ends = Ends.AT_ONCE
) -> Callable[[Callable[[], AsyncIterator[Place]]], Callable[[], AsyncIterator[Place]]]:
    """Enters a generator of one place that has an address, a name or a certificate of its own."""

    def enter(place: Callable[[], AsyncIterator[Place]]) -> Callable[[], AsyncIterator[Place]]:
        name, what = _told(place)
        BEHAVIOURS[name] = Behaviour(name, what, expected, ends, asynccontextmanager(place))
        return place

    return enter


def _told(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__name__.replace("_", "-"), " ".join((function.__doc__ or "").split())


@asynccontextmanager
async def _served(name: str) -> AsyncIterator[Place]:
    async with HostileServer() as server:
        yield Place(server.url(name), server=server)
