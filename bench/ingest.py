"""What a fix costs the hub that takes it, with every check on; beside the plain relay of fixes.

Riders drive recorded trips, and what is told is told on change, or always. The relay is that of
the workload `orders`: each fix is told, and reaches a customer on the other hub.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final

from bench.generator import open_all, quiet_collector
from bench.meters import cpu_seconds, spent
from bench.ours import Ordercast
from bench.relay import Relay
from bench.replay.trace import Point
from schemas.times import format_time

__all__ = ["fix", "ingest", "relayed"]

_TAKEN_WITHIN: Final = 60.0
_RATE: Final = 20_000
_SECONDS: Final = 4.0


def fix(number: int, at: float, lat: float, lng: float) -> bytes:
    return (
        f'{{"type":"fix","seq":{number},"at":"{format_time(at)}","lat":{lat:.7f},"lng":{lng:.7f}}}'
    ).encode()


async def relayed(target: Ordercast, orders: int) -> dict[str, Any]:
    """The plain relay, at a rate that is within its limit."""
    relay = Relay(target)
    await relay.open(orders)
    await relay.load(_RATE, 1.0)
    found = await relay.load(_RATE, _SECONDS)
    relay.close()
    each = found["cpuMicrosecondsPerDelivery"]
    return {
        "aSecond": found["deliveriesPerSecond"],
        "cpuMicrosecondsPerFix": each,
        "fixesASecondOfTheHubsCpu": round(1e6 / each["hubA"]),
    }


async def ingest(
    rides: Sequence[Sequence[Point]], target: Ordercast, riders: int, watched: bool
) -> dict[str, Any]:
    """CPU of the riders' hub for one fix of a trip that is driven to and fro, by riders who have
    not driven before: an older fix is not taken.
    """
    first = len(target.ids)
    await target.prepare(first + riders)
    orders = range(first, first + riders)
    packed = [_packed(rides[number % len(rides)]) for number in range(riders)]
    done, all_done = set[int](), asyncio.Event()

    def hears(number: int) -> Callable[[bytes], None]:
        last = b'"seq":%d' % (len(packed[number]) - 1)

        def heard(payload: bytes) -> None:
            if b'"ack"' in payload and last in payload:
                done.add(number)
                if len(done) == riders:
                    all_done.set()

        return heard

    dials: list[Any] = [(target.rider(order), hears(order - first)) for order in orders]
    if watched:
        dials += [(target.customer(order), lambda payload: None) for order in orders]
    lines = await open_all(dials, target.answers)
    before, start, sent = cpu_seconds(target.processes), perf_counter(), 0
    async with quiet_collector(), asyncio.timeout(_TAKEN_WITHIN):
        for step in range(max(map(len, packed))):
            for line, fixes in zip(lines, packed, strict=False):
                if step < len(fixes):
                    line.send(fixes[step])
                    sent += 1
            await asyncio.sleep(0)
        await all_done.wait()
    each = spent(before, cpu_seconds(target.processes), sent)
    for line in lines:
        line.close()
    return {
        "watched": watched,
        "fixes": sent,
        "seconds": round(perf_counter() - start, 2),
        "cpuMicrosecondsPerFix": each,
        "fixesASecondOfTheHubsCpu": round(1e6 / each["hubA"]),
    }


def _packed(trip: Sequence[Point]) -> list[bytes]:
    length, turn = trip[-1][0] + 6.0, list(trip)
    way = [*turn, *((2 * length - at, lat, lng) for at, lat, lng in reversed(turn))]
    start = time.time() - way[-1][0]
    return [fix(number, start + at, lat, lng) for number, (at, lat, lng) in enumerate(way)]
