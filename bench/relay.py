"""A steady load: riders send fixes at a rate, customers note when each comes."""

import asyncio
import os
from collections import Counter
from itertools import count, cycle
from time import perf_counter
from typing import Any, Final

from bench.generator import Line, age, open_all, quiet_collector, stamp
from bench.meters import Lateness, cpu_seconds, percentiles, spent
from bench.ours import Ordercast
from bench.stops import Buckets, summary
from bench.target import Target

__all__ = ["Relay"]

_TICK: Final = 0.001
_QUIET: Final = 1.0
"""Seconds without a delivery after which the rest counts as lost."""

_BUSY: Final = 0.9
"""The share of its core from which on the generator is the limit."""


class Relay:
    """Orders with a rider's socket and `watchers` customers' sockets each."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.riders: list[Line] = []
        self.customers: list[Line] = []
        self._ages: list[float] = []
        self._numbers = count(1)
        self._watchers = 1

    async def open(self, orders: int, watchers: int = 1) -> None:
        """Raises UnreachableError."""
        target, self._watchers = self.target, watchers
        await target.prepare(orders)
        customers = [target.customer(order) for order in range(orders) for _ in range(watchers)]
        self.customers = await open_all([(d, self._heard) for d in customers], target.answers)
        riders = [(target.rider(order), _ignored) for order in range(orders)]
        self.riders = await open_all(riders, target.answers)

    def close(self) -> None:
        for line in (*self.riders, *self.customers):
            line.close()

    @property
    def lost(self) -> int:
        """Sockets that are gone."""
        return sum(line.lost for line in (*self.riders, *self.customers))

    def _heard(self, payload: bytes) -> None:
        seconds = age(payload)
        if seconds is not None:
            self._ages.append(seconds)

    async def load(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send at `rate` messages a second, then wait until all have come.

        CPU counts from the first message to the last delivery.
        """
        parts = {**self.target.processes, "generator": [os.getpid()]}
        stops = await self._loop_stops()
        self._ages = []
        lateness = Lateness()
        watch = asyncio.create_task(lateness.watch())
        async with quiet_collector():
            before, start = cpu_seconds(parts), perf_counter()
            sent = await self._send(rate, seconds)
            await self._drained(sent * self._watchers)
            wall, after = perf_counter() - start, cpu_seconds(parts)
        watch.cancel()
        report = self._report(rate, sent, wall, before, after, lateness)
        return report | {"loopStops": summary(stops, await self._loop_stops())}

    async def _loop_stops(self) -> Buckets:
        ours = isinstance(self.target, Ordercast)
        return await self.target.loop_stops() if ours else Counter()

    async def _send(self, rate: float, seconds: float) -> int:
        turns, sent, start = cycle(enumerate(self.riders)), 0, perf_counter()
        fix, numbers = self.target.fix, self._numbers
        while (passed := perf_counter() - start) < seconds:
            for _ in range(int(passed * rate) - sent):
                order, line = next(turns)
                line.send(fix(order, next(numbers), stamp()))
                sent += 1
            await asyncio.sleep(_TICK)
        return sent

    async def _drained(self, expected: int) -> None:
        """Nothing is on the way any more."""
        seen, quiet_since = -1, perf_counter()
        while len(self._ages) < expected and perf_counter() - quiet_since < _QUIET:
            if len(self._ages) != seen:
                seen, quiet_since = len(self._ages), perf_counter()
            await asyncio.sleep(0.005)

    def _report(
        self,
        rate: float,
        sent: int,
        wall: float,
        before: dict[str, float],
        after: dict[str, float],
        lateness: Lateness,
    ) -> dict[str, Any]:
        expected, delivered = sent * self._watchers, len(self._ages)
        busy = {name: round((after[name] - before[name]) / wall, 3) for name in before}
        generator = busy.pop("generator")
        servers = {name: before[name] for name in before if name != "generator"}
        return {
            "rate": round(rate),
            "sent": sent,
            "delivered": delivered,
            "deliveriesPerSecond": round(delivered / wall),
            "lost": expected - delivered,
            "socketsLost": self.lost,
            "ms": percentiles(self._ages),
            "cpuMicrosecondsPerDelivery": spent(servers, after, delivered),
            "busy": {**busy, "all": round(sum(busy.values()), 3)},
            "generator": {
                "busy": generator,
                "lateMs": percentiles(lateness.seconds),
                "isTheLimit": generator > _BUSY,
            },
        }


def _ignored(payload: bytes) -> None:
    """What riders are told (acknowledgements, cadence) is not measured."""
