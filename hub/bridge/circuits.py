"""Circuit breakers: an origin that cannot be reached is left alone, and asked by one probe.

Only what never reached the origin counts: no address, no connection, no TLS. An answer, however
bad, or one that does not come, is a matter of one URL, and must not hold up the origin's others;
there fewer attempts at a time (hub/bridge/turns.py) and each lane's own pauses do.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from hub.bridge import metrics
from hub.store.bridges import PROBE, Bridges

__all__ = ["Circuits"]

TRIPS_AT: Final = 10
"""Attempts in a row, of one bridge, that did not reach the origin."""

FIRST: Final = 2.0
LONGEST: Final = 60.0
"""Seconds that a circuit stays open the first time, and at most; doubled each time in a row."""


class Circuits:
    """What this bridge knows of the circuits that all bridges share.

    `lease`: seconds that a probe may take. `scale` multiplies the times, for tests.
    """

    def __init__(self, bridges: Bridges, lease: float, scale: float = 1.0) -> None:
        self._bridges = bridges
        self._lease = lease
        self._scale = scale
        self._missed: Counter[str] = Counter()
        self._open: dict[str, float] = {}  # origin -> when it may be probed, on the loop's clock
        self._heard: dict[str, float] = {}  # origin -> when we heard of it from the store ourselves
        self._queues: defaultdict[str, set[str]] = defaultdict(set)  # that lead to open ones

    def learn(self, circuits: Mapping[str, float], asked: float) -> None:
        """What the store knows: seconds until each open circuit may be probed. `asked`: when, on
        the loop's clock; what we have heard of an origin ourselves since is newer.
        """
        now = time.monotonic()
        self._heard = {origin: at for origin, at in self._heard.items() if at >= asked}
        ours = {origin: at for origin, at in self._open.items() if origin in self._heard}
        told = {
            origin: now + wait for origin, wait in circuits.items() if origin not in self._heard
        }
        self._open = told | ours
        for origin in self._queues.keys() - self._open.keys():
            del self._queues[origin]
        metrics.CIRCUITS_OPEN.set(len(self._open))

    def shut(self) -> dict[str, float]:
        """Origins, and queues that lead to them, to which nothing goes now, and for how many
        seconds.
        """
        now = time.monotonic()
        waits = {origin: at - now for origin, at in self._open.items() if at > now}
        for origin in waits.keys() & self._queues.keys():
            waits |= dict.fromkeys(self._queues[origin], waits[origin])
        return waits

    def is_open(self, origin: str) -> bool:
        return origin in self._open

    async def enter(self, origin: str, queue: str) -> float:
        """0.0: the attempt may be made; else seconds to wait. Raises UnavailableError."""
        at = self._open.get(origin)
        if at is None:
            return 0.0
        if "|" not in queue:  # else it names its origin itself
            self._queues[origin].add(queue)
        if (wait := at - time.monotonic()) > 0.0:
            return wait
        wait = await self._bridges.enter(origin, self._lease)
        if wait == 0.0:
            self._hear(origin, None)
            return 0.0
        self._hear(origin, self._lease if wait == PROBE else wait)
        return 0.0 if wait == PROBE else wait

    async def tell(self, origin: str, reached: bool) -> None:
        """How an attempt ended. Raises UnavailableError."""
        if reached:
            self._missed.pop(origin, None)
            if origin in self._open:
                await self._bridges.close(origin)
                self._hear(origin, None)
            return
        self._missed[origin] += 1
        if self._missed[origin] >= TRIPS_AT or origin in self._open:
            first, longest = FIRST * self._scale, LONGEST * self._scale
            wait = await self._bridges.trip(origin, first, longest)
            self._hear(origin, wait)

    def _hear(self, origin: str, wait: float | None) -> None:
        """The store has said how the circuit stands: seconds until a probe may go, None: closed."""
        self._heard[origin] = now = time.monotonic()
        self._missed.pop(origin, None)
        if wait is None:
            self._open.pop(origin, None)
            self._queues.pop(origin, None)
        else:
            self._open[origin] = now + wait
