"""Webhook receivers that mean no good, by name, each with what a sender should make of it.

`python -m bench.hostile [--port 8900]` serves every behaviour that plain HTTP can show on the
loopback, at `/NAME`, and prints the list. Whoever writes a webhook sender can point it there:
it should end within its own total timeout, in the verdict that the list gives, with its memory
bounded, and the next request to `/healthy-200` should go well. Behaviours that need an address,
a name or a certificate of their own are in the table too, for tests in the same process:
`Behaviour.place` sets them up. `tests/bridge/test_hostile.py` sends to all of them.

A verdict follows the rule that the status line alone decides: what comes after a whole header
with a 2xx changes nothing any more, and what comes before one is no answer.
"""

import argparse
import asyncio
import errno
import gzip
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from functools import cache, partial
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any, Final, Self

import trustme

from hub.core.outcome import Delivered, Fault, Retry, SwitchedOff, Verdict

__all__ = [
    "BEHAVIOURS",
    "HEALTHY",
    "MARGIN",
    "Behaviour",
    "Ends",
    "Exchange",
    "Expected",
    "HostileServer",
    "Place",
    "main",
]

LOOPBACK: Final = "127.0.0.1"
HEALTHY: Final = "healthy-200"
PARTNER: Final = "partner.test"
"""The name in the URL of places that have names of their own."""
MARGIN: Final = 4.0
"""Seconds beyond a sender's timeout that a busy machine is granted."""

_SOON: Final = 0.02
_LET_GO: Final = 60.0
_HEAD_MAX: Final = 64 * 1024
_BIG: Final = 1_000_000


class Ends(StrEnum):
    """What the sender has to wait for, at most."""

    AT_ONCE = "at once"
    CONNECT = "by its connect timeout"
    TOTAL = "by its total timeout"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one request should come to.

    `not_before`: seconds that a Retry-After makes the next attempt wait at least, and the only
    ones that are not the sender's own. `fault`: why there was no status, None if there was one.
    """

    verdict: type[Verdict]
    fault: Fault | None = None
    not_before: float = 0.0

    def holds(self, verdict: Verdict) -> bool:
        """`verdict` must be of the kind, and a retry no earlier than the hint allows."""
        early = isinstance(verdict, Retry) and verdict.after < self.not_before
        return isinstance(verdict, self.verdict) and not early

    def __str__(self) -> str:
        words = {Delivered: "delivered", Retry: "retry", SwitchedOff: "switched off"}
        return words[self.verdict] + (
            f" after {self.not_before:g} s or later" if self.not_before else ""
        )


DELIVERED: Final = Expected(Delivered)
RETRY: Final = Expected(Retry)
SWITCHED_OFF: Final = Expected(SwitchedOff)


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

    async def drip(self, part: bytes, every: float = _SOON) -> None:
        """Say `part` again and again, with that many seconds between, until the sender leaves."""
        while not self._writer.is_closing():
            await self.say(part)
            await asyncio.sleep(every)

    async def begin_chunks(self) -> None:
        """A 200, and a moment for it to arrive alone: what is wrong is the body."""
        await self.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(_SOON)

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


Serve = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a behaviour can be met.

    `names`: for each host name, the addresses that its first, second … look-up gives; the last
    go for all that follow. `servers`: DNS servers to ask for others, as `address:port`.
    `authorities`: PEM of the certificate authority to trust. `server`: what shows it, if that is
    a `HostileServer`.
    """

    url: str
    names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    servers: Sequence[str] = ()
    authorities: str = ""
    server: "HostileServer | None" = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`expected`: for each request that one sender makes, in turn.

    `serve` is None if the behaviour is not one of plain HTTP. `unread`: the server does not read
    the body; `body` is how many bytes it should have for the behaviour to show.
    """

    name: str
    what: str
    expected: tuple[Expected, ...]
    ends: Ends
    place: Callable[[], AbstractAsyncContextManager[Place]]
    serve: Serve | None = None
    unread: bool = False
    body: int = 2

    def longest(self, connect: float, total: float) -> float:
        """Seconds that one request may take a sender with these timeouts, margin included."""
        return (min(connect, total) if self.ends is Ends.CONNECT else total) + MARGIN


BEHAVIOURS: Final[dict[str, Behaviour]] = {}


def _plain(
    *expected: Expected, ends: Ends = Ends.AT_ONCE, unread: bool = False, body: int = 2
) -> Callable[[Serve], Serve]:
    """Enters a function that answers one request; the connection lives on unless it ends it."""

    def enter(serve: Serve) -> Serve:
        name, what = _told(serve)
        place = partial(_served, name)
        BEHAVIOURS[name] = Behaviour(name, what, expected, ends, place, serve, unread, body)
        return serve

    return enter


def _elsewhere(
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
            self._accept, sock=_listener(self._wanted), ssl=self._context, limit=_HEAD_MAX
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


@asynccontextmanager
async def _served(name: str) -> AsyncIterator[Place]:
    async with HostileServer() as server:
        yield Place(server.url(name), server=server)


def _answer(status: str, *fields: str, body: bytes = b"", length: int | None = None) -> bytes:
    """A whole answer; its content-length is right unless `length` is given."""
    lines = (
        f"HTTP/1.1 {status}",
        *fields,
        f"Content-Length: {len(body) if length is None else length}",
    )
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def _unknown(peer: Exchange) -> None:
    await peer.say(_answer("404 Not Found", body=_listing().encode()))


# What time can do.


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def header_drip(peer: Exchange) -> None:
    """One header byte every 20 ms, so that each single read succeeds."""
    await peer.say(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    await peer.drip(b"x")


@_plain(DELIVERED, ends=Ends.TOTAL)
async def body_drip(peer: Exchange) -> None:
    """A 200 at once, then a body that comes a byte at a time."""
    await peer.say(_answer("200 OK", length=1_000_000))
    await peer.drip(b"x")


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def continue_flood(peer: Exchange) -> None:
    """`100 Continue` without end, as fast as it is taken, and never an answer."""
    await peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, every=0.0)


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def early_hints_flood(peer: Exchange) -> None:
    """`103 Early Hints` without end, as fast as they are taken, and never an answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    await peer.drip(hints * 1000, every=0.0)


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def silence(peer: Exchange) -> None:
    """Takes the request and never answers."""


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def half_a_status_line(peer: Exchange) -> None:
    """`HTTP/1.1 20`, then silence."""
    await peer.say(b"HTTP/1.1 20")


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def half_a_header(peer: Exchange) -> None:
    """A 200 whose header never ends: no answer yet."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")


@_plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL, unread=True, body=_BIG)
async def zero_window(peer: Exchange) -> None:
    """Never reads the body, so that a long one cannot be sent."""
    peer.stop_reading()


@_plain(DELIVERED, DELIVERED, unread=True, body=_BIG)
async def early_answer(peer: Exchange) -> None:
    """Answers 200 before it has read the body, and then never reads it."""
    peer.stop_reading()
    await peer.say(_answer("200 OK"))


@_plain(DELIVERED)
async def slow_but_in_time(peer: Exchange) -> None:
    """Thinks for 0.2 s, then answers 200."""
    await asyncio.sleep(0.2)
    await peer.say(_answer("200 OK"))


# What size can do.


@_plain(DELIVERED)
async def endless_body(peer: Exchange) -> None:
    """A 200 with a body that never ends, as fast as it is taken."""
    await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
    await peer.drip(bytes(65_536), every=0.0)


@_plain(DELIVERED)
async def endless_chunks(peer: Exchange) -> None:
    """The same in chunks of one byte."""
    await peer.begin_chunks()
    await peer.drip(b"1\r\nx\r\n" * 4096, every=0.0)


@_plain(DELIVERED)
async def endless_trailers(peer: Exchange) -> None:
    """A chunked 200 whose trailers never end."""
    await peer.begin_chunks()
    await peer.say(b"0\r\n")
    await peer.drip(b"X-Trailer: y\r\n" * 4096, every=0.0)


@_plain(DELIVERED, ends=Ends.TOTAL)
async def endless_chunk_extension(peer: Exchange) -> None:
    """A chunked 200 whose first chunk has an extension that never ends."""
    await peer.begin_chunks()
    await peer.say(b"1;")
    await peer.drip(b"x" * 65_536, every=0.0)


@_plain(Expected(Retry, Fault.PROTOCOL))
async def endless_headers(peer: Exchange) -> None:
    """Header lines without end, as fast as they are taken."""
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    await peer.drip(b"X-More: and more\r\n" * 1024, every=0.0)


@_plain(DELIVERED)
async def gzip_bomb(peer: Exchange) -> None:
    """64 MiB of zeros as 64 KiB of gzip, although identity was asked for."""
    await peer.say(_answer("200 OK", "Content-Encoding: gzip", body=_bomb()))


@_plain(DELIVERED)
async def gzip_garbage(peer: Exchange) -> None:
    """A body that is said to be gzip, and is not."""
    await peer.say(_answer("200 OK", "Content-Encoding: gzip", body=b"none of it"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def huge_header(peer: Exchange) -> None:
    """One header of 2 MB."""
    await peer.say(b"HTTP/1.1 200 OK\r\nX-Huge: ", b"x" * 2_000_000, b"\r\n\r\n")


@_plain(Expected(Retry, Fault.PROTOCOL))
async def many_headers(peer: Exchange) -> None:
    """20,000 headers."""
    await peer.say(b"HTTP/1.1 200 OK\r\n", b"X-One: y\r\n" * 20_000, b"\r\n")


@_plain(Expected(Retry, Fault.PROTOCOL))
async def huge_reason(peer: Exchange) -> None:
    """A status line of 2 MB."""
    await peer.say(b"HTTP/1.1 200 ", b"O" * 2_000_000, b"\r\n\r\n")


# How a connection can end, and what else can be on it.


@_plain(Expected(Retry, Fault.RESET))
async def reset_before_the_answer(peer: Exchange) -> None:
    """Takes the request and resets the connection."""
    peer.reset()


@_plain(Expected(Retry, Fault.RESET))
async def close_before_the_answer(peer: Exchange) -> None:
    """Takes the request and closes the connection in good order."""
    peer.hang_up()


@_plain(Expected(Retry, Fault.RESET))
async def reset_in_the_header(peer: Exchange) -> None:
    """Resets the connection after a status line and half a header."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")
    peer.reset()


@_plain(Expected(Retry, Fault.RESET))
async def close_in_the_header(peer: Exchange) -> None:
    """Closes the connection after a status line and half a header."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")
    peer.hang_up()


@_plain(DELIVERED)
async def reset_in_the_body(peer: Exchange) -> None:
    """A 200, part of its body, and a reset."""
    await peer.say(_answer("200 OK", body=b"half", length=8))
    peer.reset()


@_plain(DELIVERED, Expected(Retry, Fault.RESET))
async def close_when_used_again(peer: Exchange) -> None:
    """Answers a connection's first request, and closes it at the second without an answer."""
    if peer.number == 1:
        await peer.say(_answer("200 OK"))
    else:
        peer.hang_up()


@_plain(DELIVERED, RETRY)
async def surplus_after_204(peer: Exchange) -> None:
    """A 204 with a body, which it cannot have: the bytes must not answer the next request."""
    if peer.turn % 2:
        await peer.say(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    else:
        await peer.say(_answer("503 Service Unavailable"))


@_plain(DELIVERED, RETRY)
async def surplus_answer(peer: Exchange) -> None:
    """Two answers to one request: the second must not answer the next, which gets a 503."""
    if peer.turn % 2:
        await peer.say(_answer("200 OK") * 2)
    else:
        await peer.say(_answer("503 Service Unavailable"))


@_plain(DELIVERED, RETRY)
async def surplus_answer_later(peer: Exchange) -> None:
    """The same, but the second answer comes while the connection is idle."""
    if peer.turn % 2:
        await peer.say(_answer("200 OK"))
        await asyncio.sleep(_SOON)
        await peer.say(_answer("200 OK"))
    else:
        await peer.say(_answer("503 Service Unavailable"))


@_plain(DELIVERED, RETRY)
async def length_too_short(peer: Exchange) -> None:
    """A content-length below the body's true one, which leaves bytes on the connection."""
    if peer.turn % 2:
        await peer.say(_answer("200 OK", body=b"okHTTP/1.1 200 OK\r\n\r\n", length=2))
    else:
        await peer.say(_answer("503 Service Unavailable"))


@_plain(DELIVERED, ends=Ends.TOTAL)
async def length_too_long(peer: Exchange) -> None:
    """A content-length above the body's true one, and the connection left open."""
    await peer.say(_answer("200 OK", body=b"ok", length=200))


@_plain(DELIVERED)
async def length_cut_off(peer: Exchange) -> None:
    """A content-length above the body's true one, and the connection closed."""
    await peer.say(_answer("200 OK", body=b"ok", length=200))
    peer.hang_up()


@_plain(Expected(Retry, Fault.PROTOCOL))
async def length_negative(peer: Exchange) -> None:
    """`Content-Length: -1`."""
    await peer.say(_answer("200 OK", length=-1))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def two_lengths(peer: Exchange) -> None:
    """Two content-lengths that differ."""
    await peer.say(_answer("200 OK", "Content-Length: 5", body=b"ok"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def length_and_chunked(peer: Exchange) -> None:
    """Content-Length and Transfer-Encoding together, the stuff of smuggling."""
    await peer.say(_answer("200 OK", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"))


@_plain(DELIVERED, ends=Ends.TOTAL)
async def bad_chunk(peer: Exchange) -> None:
    """A chunked 200; a moment later, a chunk whose size is no number."""
    await peer.begin_chunks()
    await peer.say(b"ZZ\r\nok\r\n")


@_plain(DELIVERED, ends=Ends.TOTAL)
async def oversize_chunk(peer: Exchange) -> None:
    """A chunked 200; a moment later, a chunk that is larger than 64 bits can count."""
    await peer.begin_chunks()
    await peer.say(b"f" * 20 + b"\r\n")


# What is not HTTP, or not quite.


@_plain(Expected(Retry, Fault.PROTOCOL))
async def ssh_banner(peer: Exchange) -> None:
    """An SSH server's greeting."""
    await peer.say(b"SSH-2.0-OpenSSH_9.2\r\n")


@_plain(Expected(Retry, Fault.PROTOCOL))
async def tls_alert(peer: Exchange) -> None:
    """A TLS server's alert, in answer to plain HTTP."""
    await peer.say(b"\x15\x03\x01\x00\x02\x02\x28")


@_plain(Expected(Retry, Fault.PROTOCOL))
async def http_0_9(peer: Exchange) -> None:
    """A page without a status line or headers, as in 1991."""
    await peer.say(b"<html><title>Welcome</title></html>\r\n")
    peer.hang_up()


@_plain(Expected(Retry, Fault.PROTOCOL))
async def http_2(peer: Exchange) -> None:
    """The first frame of an HTTP/2 server: empty SETTINGS."""
    await peer.say(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")


@_plain(Expected(Retry, Fault.PROTOCOL))
async def http_2_preface(peer: Exchange) -> None:
    """A client's HTTP/2 preface, sent by the server."""
    await peer.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@_plain(RETRY)
async def upgrade(peer: Exchange) -> None:
    """`101 Switching Protocols`, which nobody asked for."""
    await peer.say(b"HTTP/1.1 101 Switching Protocols\r\n")
    await peer.say(b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi")


@_plain(RETRY)
async def status_999(peer: Exchange) -> None:
    """A status that no class has."""
    await peer.say(_answer("999 Request Denied"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def status_99(peer: Exchange) -> None:
    """A status of two digits."""
    await peer.say(_answer("99 Whatever"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def status_2000(peer: Exchange) -> None:
    """A status of four digits, which begins like a success."""
    await peer.say(_answer("2000 OK"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def unparsable_header(peer: Exchange) -> None:
    """A 200 with a header line that has no colon."""
    await peer.say(_answer("200 OK", "this is no header"))


@_plain(Expected(Retry, Fault.PROTOCOL))
async def nul_in_a_header(peer: Exchange) -> None:
    """A NUL in a header's value."""
    await peer.say(_answer("200 OK", "X-Name: a\0b"))


@_plain(DELIVERED)
async def header_of_no_charset(peer: Exchange) -> None:
    """Header bytes that are not UTF-8."""
    await peer.say(_answer("200 OK", "X-Name: \xff\xfe\xe9"))


@_plain(DELIVERED, DELIVERED)
async def set_cookie(peer: Exchange) -> None:
    """Sets a cookie, and answers 400 to whoever brings it back."""
    status = "400 Bad Request" if b"\r\ncookie:" in peer.head.lower() else "200 OK"
    await peer.say(_answer(status, "Set-Cookie: a=b; Path=/"))


# Where an answer can point. None of it is followed.


@_plain(RETRY)
async def choices_300(peer: Exchange) -> None:
    """A 300 with a choice that would be well."""
    await peer.say(_answer("300 Multiple Choices", f"Location: {peer.origin}/{HEALTHY}"))


@_plain(RETRY)
async def redirect_301_to_metadata(peer: Exchange) -> None:
    """A 301 to the address at which clouds keep their machines' credentials."""
    await peer.say(_answer("301 Moved Permanently", "Location: http://169.254.169.254/"))


@_plain(RETRY)
async def redirect_302_to_another_host(peer: Exchange) -> None:
    """A 302 to a host that nobody registered."""
    await peer.say(_answer("302 Found", "Location: https://elsewhere.invalid/hook"))


@_plain(RETRY)
async def redirect_303_to_a_page(peer: Exchange) -> None:
    """A 303 to where a GET is answered 200, which would be a silent loss."""
    await peer.say(_answer("303 See Other", f"Location: {peer.origin}/{HEALTHY}"))


@_plain(RETRY)
async def not_modified_304(peer: Exchange) -> None:
    """A 304, below 400 and no success."""
    await peer.say(b"HTTP/1.1 304 Not Modified\r\n\r\n")


@_plain(RETRY)
async def redirect_307_to_another_host(peer: Exchange) -> None:
    """A 307, which would have body and signature posted to another host."""
    await peer.say(_answer("307 Temporary Redirect", "Location: https://elsewhere.invalid/hook"))


@_plain(RETRY)
async def redirect_308_to_metadata(peer: Exchange) -> None:
    """A 308 to the address at which clouds keep their machines' credentials."""
    await peer.say(_answer("308 Permanent Redirect", "Location: http://169.254.169.254/"))


@_plain(RETRY)
async def redirect_chain(peer: Exchange) -> None:
    """A 307 to a 301 to the metadata."""
    to = f"Location: {peer.origin}/redirect-301-to-metadata"
    await peer.say(_answer("307 Temporary Redirect", to))


@_plain(RETRY)
async def redirect_loop(peer: Exchange) -> None:
    """A 308 to itself."""
    await peer.say(_answer("308 Permanent Redirect", "Location: /redirect-loop"))


@_plain(RETRY)
async def redirect_nowhere(peer: Exchange) -> None:
    """A 302 without a Location."""
    await peer.say(_answer("302 Found"))


# What an answer can ask for.


@_plain(Expected(Retry, not_before=7.0))
async def retry_after_seconds(peer: Exchange) -> None:
    """A 429 that asks for 7 s."""
    await peer.say(_answer("429 Too Many Requests", "Retry-After: 7"))


@_plain(Expected(Retry, not_before=60.0))
async def retry_after_date(peer: Exchange) -> None:
    """A 503 that asks for a moment 90 s ahead."""
    moment = datetime.now(UTC) + timedelta(seconds=90)
    header = f"Retry-After: {format_datetime(moment, usegmt=True)}"
    await peer.say(_answer("503 Service Unavailable", header))


@_plain(Expected(Retry, not_before=3600.0))
async def retry_after_for_ages(peer: Exchange) -> None:
    """A 503 that asks for 10^9 s: an hour is granted."""
    await peer.say(_answer("503 Service Unavailable", "Retry-After: 1000000000"))


@_plain(RETRY)
async def retry_after_negative(peer: Exchange) -> None:
    """A 429 that asks for -1 s."""
    await peer.say(_answer("429 Too Many Requests", "Retry-After: -1"))


@_plain(RETRY)
async def retry_after_float(peer: Exchange) -> None:
    """A 429 that asks for 1.5 s, which is not in the grammar."""
    await peer.say(_answer("429 Too Many Requests", "Retry-After: 1.5"))


@_plain(RETRY)
async def retry_after_1994(peer: Exchange) -> None:
    """A 503 that asks for a moment long gone."""
    when = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"
    await peer.say(_answer("503 Service Unavailable", when))


@_plain(RETRY)
async def retry_after_garbage(peer: Exchange) -> None:
    """A 503 that asks for bytes of no charset."""
    await peer.say(_answer("503 Service Unavailable", "Retry-After: \xff\xfe, in a while"))


@_plain(DELIVERED)
async def retry_after_on_200(peer: Exchange) -> None:
    """A 200 that asks to wait: it has what it needs."""
    await peer.say(_answer("200 OK", "Retry-After: 60"))


@_plain(RETRY)
async def retry_after_on_500(peer: Exchange) -> None:
    """A 500 that asks to wait: only 429 and 503 may."""
    await peer.say(_answer("500 Internal Server Error", "Retry-After: 60"))


@_plain(RETRY)
async def unauthorized_401(peer: Exchange) -> None:
    """A 401, as after the change of a key."""
    await peer.say(_answer("401 Unauthorized", "WWW-Authenticate: Basic"))


@_plain(RETRY)
async def not_found_404(peer: Exchange) -> None:
    """A 404, as during a deployment."""
    await peer.say(_answer("404 Not Found", body=b"<h1>Not found</h1>"))


@_plain(SWITCHED_OFF)
async def gone_410(peer: Exchange) -> None:
    """A 410: nothing more is wanted there."""
    await peer.say(_answer("410 Gone"))


@_plain(RETRY)
async def too_many_429(peer: Exchange) -> None:
    """A 429 without a hint."""
    await peer.say(_answer("429 Too Many Requests"))


@_plain(RETRY)
async def broken_500(peer: Exchange) -> None:
    """A 500."""
    await peer.say(_answer("500 Internal Server Error"))


@_plain(RETRY)
async def unavailable_503(peer: Exchange) -> None:
    """A 503 without a hint."""
    await peer.say(_answer("503 Service Unavailable"))


@_plain(DELIVERED, RETRY, DELIVERED)
async def flapping(peer: Exchange) -> None:
    """200 and 500 in turn."""
    await peer.say(_answer("200 OK" if peer.turn % 2 else "500 Internal Server Error"))


@_plain(DELIVERED)
async def error_in_the_body(peer: Exchange) -> None:
    """A 200 with an error in its body: the status line decides."""
    await peer.say(_answer("200 OK", body=b'{"code": 500, "msg": "failed"}'))


@_plain(DELIVERED, DELIVERED)
async def healthy_200(peer: Exchange) -> None:
    """A 200 with a short body."""
    await peer.say(_answer("200 OK", body=b"ok"))


@_plain(DELIVERED)
async def healthy_202(peer: Exchange) -> None:
    """A 202 with none."""
    await peer.say(_answer("202 Accepted"))


@_plain(DELIVERED)
async def healthy_204(peer: Exchange) -> None:
    """A 204."""
    await peer.say(b"HTTP/1.1 204 No Content\r\n\r\n")


# Addresses and names. The loopback stands for all that is good: no stranger is ever dialled.


@_elsewhere(Expected(Retry, Fault.CONNECT))
async def dead_address() -> AsyncIterator[Place]:
    """Nothing listens at the port."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield Place(f"http://{LOOPBACK}:{held.getsockname()[1]}/hook")


@_elsewhere(Expected(Retry, Fault.CONNECT), ends=Ends.CONNECT)
async def black_hole() -> AsyncIterator[Place]:
    """The first packet of a connection gets no answer: the listener's queue is full."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as another:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        for filling in (one, another):
            filling.setblocking(False)
            if filling.connect_ex(listener.getsockname()) not in (0, errno.EINPROGRESS):
                raise OSError("the queue could not be filled")
        yield Place(f"http://{LOOPBACK}:{listener.getsockname()[1]}/hook")


@_elsewhere(Expected(Retry, Fault.DNS))
async def name_unknown() -> AsyncIterator[Place]:
    """A name that does not exist."""
    yield Place("https://nobody.test/hook")


@_elsewhere(Expected(Retry, Fault.DNS), ends=Ends.CONNECT)
async def name_tarpit() -> AsyncIterator[Place]:
    """A name whose servers never answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        server = f"{LOOPBACK}:{silent.getsockname()[1]}"
        yield Place(f"https://{PARTNER}/hook", servers=(server,))


@_elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def name_rebinds() -> AsyncIterator[Place]:
    """A name with a good address when it is registered, and a cloud's metadata when dialled."""
    yield Place(f"https://{PARTNER}/hook", {PARTNER: ((LOOPBACK,), ("169.254.169.254",))})


@_elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def name_mixed() -> AsyncIterator[Place]:
    """A name with a good and a private address: refused whole."""
    yield Place(f"https://{PARTNER}/hook", {PARTNER: ((LOOPBACK, "10.0.0.1"),)})


@_elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def private_address() -> AsyncIterator[Place]:
    """A URL that names the metadata's address outright."""
    yield Place("http://169.254.169.254/latest/meta-data/")


# Faults of TLS.


@_elsewhere(DELIVERED)
async def tls_healthy() -> AsyncIterator[Place]:
    """A certificate as it should be, by the authority that the faulty ones have too."""
    async with _tls() as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_expired() -> AsyncIterator[Place]:
    """A certificate that ran out long ago."""
    async with _tls(valid=(datetime(2019, 1, 1, tzinfo=UTC), timedelta(days=365))) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_not_yet_valid() -> AsyncIterator[Place]:
    """A certificate of the future."""
    async with _tls(valid=(datetime.now(UTC) + timedelta(days=30), timedelta(days=30))) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_unknown_authority() -> AsyncIterator[Place]:
    """A certificate by an authority that nobody knows, such as one's own."""
    async with _tls() as place:
        yield replace(place, authorities="")


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_self_signed() -> AsyncIterator[Place]:
    """A certificate that is its own issuer."""
    authority = trustme.CA()
    async with _tls(chain=[authority.private_key_pem, authority.cert_pem]) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_no_intermediate() -> AsyncIterator[Place]:
    """A certificate whose issuer is a known authority's child, without the child's own."""
    authority = trustme.CA()
    leaf = authority.create_child_ca().issue_cert(PARTNER)
    chain = [leaf.private_key_pem, leaf.cert_chain_pems[0]]
    async with _tls(authority, chain=chain) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_wrong_host() -> AsyncIterator[Place]:
    """A certificate for another host."""
    async with _tls(host="another.test") as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_too_old() -> AsyncIterator[Place]:
    """What a server of TLS 1.1 says to a sender that asks for 1.2: a `protocol_version` alert."""
    async with _first_words(b"\x15\x03\x02\x00\x02\x02\x46") as port:
        yield _named(port)


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_client_certificate() -> AsyncIterator[Place]:
    """A server that wants a certificate of the sender, and says so after its handshake."""
    async with _asking_for_certificate(ssl.TLSVersion.TLSv1_3) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_1_2_client_certificate() -> AsyncIterator[Place]:
    """The same by TLS 1.2, which says so in the handshake."""
    async with _asking_for_certificate(ssl.TLSVersion.TLSv1_2) as place:
        yield place


@_elsewhere(Expected(Retry, Fault.TLS), ends=Ends.CONNECT)
async def tls_stall() -> AsyncIterator[Place]:
    """A TLS port that takes the connection, and never shakes hands."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield _named(listener.getsockname()[1])


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_spoken_to_plain() -> AsyncIterator[Place]:
    """A port for TLS that answers in plain text."""
    async with _first_words(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        yield _named(port)


@_elsewhere(Expected(Retry, Fault.TLS))
async def tls_close() -> AsyncIterator[Place]:
    """A TLS port that closes the connection in the handshake."""
    async with _first_words(b"") as port:
        yield _named(port)


def _named(port: int, authority: trustme.CA | None = None) -> Place:
    pem = authority.cert_pem.bytes().decode() if authority else ""
    names = {PARTNER: ((LOOPBACK,),)}
    return Place(f"https://{PARTNER}:{port}/{HEALTHY}", names, authorities=pem)


@asynccontextmanager
async def _tls(
    authority: trustme.CA | None = None,
    *,
    host: str = PARTNER,
    valid: tuple[datetime, timedelta] | None = None,
    chain: Sequence[trustme.Blob] = (),
) -> AsyncIterator[Place]:
    """A healthy server but for its certificate, which is for `host` unless it is `chain`.

    `valid`: since when, and for how long.
    """
    authority = authority or trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if chain:
        with NamedTemporaryFile() as file:
            file.write(b"".join(each.bytes() for each in chain))
            file.flush()
            context.load_cert_chain(file.name)
    else:
        since, length = valid or (None, timedelta())
        until = since and since + length
        authority.issue_cert(host, not_before=since, not_after=until).configure_cert(context)
    async with HostileServer(context=context) as server:
        yield _named(server.port, authority)


@asynccontextmanager
async def _asking_for_certificate(version: ssl.TLSVersion) -> AsyncIterator[Place]:
    """By hand: asyncio's servers close the connection before their alert is out."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(PARTNER).configure_cert(context)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED

    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(heard, said, server_side=True)
        with suppress(OSError):
            while data := await reader.read(_HEAD_MAX):
                heard.write(data)
                with suppress(ssl.SSLError):
                    tls.do_handshake()
                writer.write(said.read())
        writer.close()

    async with await asyncio.start_server(shake, LOOPBACK, 0) as server:
        yield _named(server.sockets[0].getsockname()[1], authority)


@asynccontextmanager
async def _first_words(words: bytes) -> AsyncIterator[int]:
    """A port where, whatever the sender begins with, it hears `words` and no more."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(_HEAD_MAX)
        writer.write(words)
        writer.close()

    async with await asyncio.start_server(speak, LOOPBACK, 0) as server:
        yield int(server.sockets[0].getsockname()[1])


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(64 * 1024 * 1024))


def _listing() -> str:
    """What is served at `/NAME`: a line each."""
    rows = [
        (f"/{each.name}", ", then ".join(map(str, each.expected)), each.ends, each.what)
        for each in BEHAVIOURS.values()
        if each.serve
    ]
    return "".join(f"{path:32}{what}\n{'':32}{then}, {ends}\n" for path, then, ends, what in rows)


async def _run(port: int) -> None:
    async with HostileServer(port) as server:
        print(_listing(), f"serving at {server.origin}/NAME", sep="\n", flush=True)
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="bench.hostile", description=__doc__)
    parser.add_argument("--port", type=int, default=8900, help="on the loopback (8900)")
    given = parser.parse_args(arguments)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(given.port))


if __name__ == "__main__":
    main()
