"""What time can do."""

import asyncio

from bench.hostile.behaviour import DELIVERED, Ends, Expected
from bench.hostile.exchange import BIG, Exchange, answer
from bench.hostile.server import plain
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def header_drip(peer: Exchange) -> None:
    """One header byte every 20 ms, so that each single read succeeds."""
    await peer.say(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    await peer.drip(b"x")


@plain(DELIVERED, ends=Ends.TOTAL)
async def body_drip(peer: Exchange) -> None:
    """A 200 at once, then a body that comes a byte at a time."""
    await peer.say(answer("200 OK", length=1_000_000))
    await peer.drip(b"x")


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def continue_flood(peer: Exchange) -> None:
    """`100 Continue` without end, as fast as it is taken, and never an answer."""
    await peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, every=0.0)


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def early_hints_flood(peer: Exchange) -> None:
    """`103 Early Hints` without end, as fast as they are taken, and never an answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    await peer.drip(hints * 1000, every=0.0)


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def silence(peer: Exchange) -> None:
    """Takes the request and never answers."""


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def half_a_status_line(peer: Exchange) -> None:
    """`HTTP/1.1 20`, then silence."""
    await peer.say(b"HTTP/1.1 20")


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL)
async def half_a_header(peer: Exchange) -> None:
    """A 200 whose header never ends: no answer yet."""
    await peer.say(b"HTTP/1.1 200 OK\r\nServer: ")


@plain(Expected(Retry, Fault.TIMEOUT), ends=Ends.TOTAL, unread=True, body=BIG)
async def zero_window(peer: Exchange) -> None:
    """Never reads the body, so that a long one cannot be sent."""
    peer.stop_reading()


@plain(DELIVERED, DELIVERED, unread=True, body=BIG)
async def early_answer(peer: Exchange) -> None:
    """Answers 200 before it has read the body, and then never reads it."""
    peer.stop_reading()
    await peer.say(answer("200 OK"))


@plain(DELIVERED)
async def slow_but_in_time(peer: Exchange) -> None:
    """Thinks for 0.2 s, then answers 200."""
    await asyncio.sleep(0.2)
    await peer.say(answer("200 OK"))
