"""What size can do."""

import gzip
from functools import cache

from bench.hostile.behaviour import DELIVERED, Ends, Expected
from bench.hostile.exchange import Exchange, answer
from bench.hostile.server import plain
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@plain(DELIVERED)
async def endless_body(peer: Exchange) -> None:
    """A 200 with a body that never ends, as fast as it is taken."""
    await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
    await peer.drip(bytes(65_536), every=0.0)


@plain(DELIVERED)
async def endless_chunks(peer: Exchange) -> None:
    """The same in chunks of one byte."""
    await peer.begin_chunks()
    await peer.drip(b"1\r\nx\r\n" * 4096, every=0.0)


@plain(DELIVERED)
async def endless_trailers(peer: Exchange) -> None:
    """A chunked 200 whose trailers never end."""
    await peer.begin_chunks()
    await peer.say(b"0\r\n")
    await peer.drip(b"X-Trailer: y\r\n" * 4096, every=0.0)


@plain(DELIVERED, ends=Ends.TOTAL)
async def endless_chunk_extension(peer: Exchange) -> None:
    """A chunked 200 whose first chunk has an extension that never ends."""
    await peer.begin_chunks()
    await peer.say(b"1;")
    await peer.drip(b"x" * 65_536, every=0.0)


@plain(Expected(Retry, Fault.PROTOCOL))
async def endless_headers(peer: Exchange) -> None:
    """Header lines without end, as fast as they are taken."""
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    await peer.drip(b"X-More: and more\r\n" * 1024, every=0.0)


@plain(DELIVERED)
async def gzip_bomb(peer: Exchange) -> None:
    """64 MiB of zeros as 64 KiB of gzip, although identity was asked for."""
    await peer.say(answer("200 OK", "Content-Encoding: gzip", body=_bomb()))


@plain(DELIVERED)
async def gzip_garbage(peer: Exchange) -> None:
    """A body that is said to be gzip, and is not."""
    await peer.say(answer("200 OK", "Content-Encoding: gzip", body=b"none of it"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def huge_header(peer: Exchange) -> None:
    """One header of 2 MB."""
    await peer.say(b"HTTP/1.1 200 OK\r\nX-Huge: ", b"x" * 2_000_000, b"\r\n\r\n")


@plain(Expected(Retry, Fault.PROTOCOL))
async def many_headers(peer: Exchange) -> None:
    """20,000 headers."""
    await peer.say(b"HTTP/1.1 200 OK\r\n", b"X-One: y\r\n" * 20_000, b"\r\n")


@plain(Expected(Retry, Fault.PROTOCOL))
async def huge_reason(peer: Exchange) -> None:
    """A status line of 2 MB."""
    await peer.say(b"HTTP/1.1 200 ", b"O" * 2_000_000, b"\r\n\r\n")


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(64 * 1024 * 1024))
