"""How a connection can end, and what else can be on it."""

import asyncio

from bench.hostile.behaviour import DELIVERED, RETRY, Ends, Expected
from bench.hostile.exchange import SOON, Exchange, answer
from bench.hostile.server import plain
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@plain(Expected(Retry, Fault.RESET))
async def reset_before_the_answer(peer: Exchange) -> None:
    """Takes the request and resets the connection."""
    peer.reset()


@plain(Expected(Retry, Fault.RESET))
async def close_before_the_answer(peer: Exchange) -> None:
    """Takes the request and closes the connection in good order."""
    peer.hang_up()


@plain(Expected(Retry, Fault.RESET))
async def reset_in_the_header(peer: Exchange) -> None:
    """Resets the connection after a status line and half a header."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")
    peer.reset()


@plain(Expected(Retry, Fault.RESET))
async def close_in_the_header(peer: Exchange) -> None:
    """Closes the connection after a status line and half a header."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")
    peer.hang_up()


@plain(DELIVERED)
async def reset_in_the_body(peer: Exchange) -> None:
    """A 200, part of its body, and a reset."""
    await peer.say(answer("200 OK", body=b"half", length=8))
    peer.reset()


@plain(DELIVERED, Expected(Retry, Fault.RESET))
async def close_when_used_again(peer: Exchange) -> None:
    """Answers a connection's first request, and closes it at the second without an answer."""
    if peer.number == 1:
        await peer.say(answer("200 OK"))
    else:
        peer.hang_up()


@plain(DELIVERED, RETRY)
async def surplus_after_204(peer: Exchange) -> None:
    """A 204 with a body, which it cannot have: the bytes must not answer the next request."""
    if peer.turn % 2:
        await peer.say(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    else:
        await peer.say(answer("503 Service Unavailable"))


@plain(DELIVERED, RETRY)
async def surplus_answer(peer: Exchange) -> None:
    """Two answers to one request: the second must not answer the next, which gets a 503."""
    if peer.turn % 2:
        await peer.say(answer("200 OK") * 2)
    else:
        await peer.say(answer("503 Service Unavailable"))


@plain(DELIVERED, RETRY)
async def surplus_answer_later(peer: Exchange) -> None:
    """The same, but the second answer comes while the connection is idle."""
    if peer.turn % 2:
        await peer.say(answer("200 OK"))
        await asyncio.sleep(SOON)
        await peer.say(answer("200 OK"))
    else:
        await peer.say(answer("503 Service Unavailable"))


@plain(DELIVERED, RETRY)
async def length_too_short(peer: Exchange) -> None:
    """A content-length below the body's true one, which leaves bytes on the connection."""
    if peer.turn % 2:
        await peer.say(answer("200 OK", body=b"okHTTP/1.1 200 OK\r\n\r\n", length=2))
    else:
        await peer.say(answer("503 Service Unavailable"))


@plain(DELIVERED, ends=Ends.TOTAL)
async def length_too_long(peer: Exchange) -> None:
    """A content-length above the body's true one, and the connection left open."""
    await peer.say(answer("200 OK", body=b"ok", length=200))


@plain(DELIVERED)
async def length_cut_off(peer: Exchange) -> None:
    """A content-length above the body's true one, and the connection closed."""
    await peer.say(answer("200 OK", body=b"ok", length=200))
    peer.hang_up()


@plain(Expected(Retry, Fault.PROTOCOL))
async def length_negative(peer: Exchange) -> None:
    """`Content-Length: -1`."""
    await peer.say(answer("200 OK", length=-1))


@plain(Expected(Retry, Fault.PROTOCOL))
async def two_lengths(peer: Exchange) -> None:
    """Two content-lengths that differ."""
    await peer.say(answer("200 OK", "Content-Length: 5", body=b"ok"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def length_and_chunked(peer: Exchange) -> None:
    """Content-Length and Transfer-Encoding together, the stuff of smuggling."""
    await peer.say(answer("200 OK", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"))


@plain(DELIVERED, ends=Ends.TOTAL)
async def bad_chunk(peer: Exchange) -> None:
    """A chunked 200; a moment later, a chunk whose size is no number."""
    await peer.begin_chunks()
    await peer.say(b"ZZ\r\nok\r\n")


@plain(DELIVERED, ends=Ends.TOTAL)
async def oversize_chunk(peer: Exchange) -> None:
    """A chunked 200; a moment later, a chunk that is larger than 64 bits can count."""
    await peer.begin_chunks()
    await peer.say(b"f" * 20 + b"\r\n")
