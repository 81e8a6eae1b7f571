"""Circuit breakers: an origin that cannot be reached is left alone, and asked by one probe.

Only what never reached the origin counts: no address, no connection, no TLS. An answer, however
bad, or one that does not come, is a matter of one URL, and must not hold up the origin's others;
there fewer attempts at a time (hub/bridge/turns.py) and each lane's own pauses do.
"""

import time
from collections import Counter
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

_PROBING: Final = 1.0
"""Seconds after which the others ask again while a probe is out."""

_MISSED_MAX: Final = 10_000


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
        self._heard: dict[str, float] = {}  # origin -> when we have opened or closed its circuit

    def learn(self, circuits: Mapping[str, float], asked: float) -> None:
        """What the store knows: seconds until each open circuit may be probed. `asked`: when, on
        the loop's clock; what we have done ourselves since is newer.
        """
        now = time.monotonic()
        self._heard = {origin: at for origin, at in self._heard.items() if at >= asked}
        ours = {origin: at for origin, at in self._open.items() if origin in self._heard}
        told = {
            origin: now + wait for origin, wait in circuits.items() if origin not in self._heard
        }
        self._open = told | ours
        metrics.CIRCUITS_OPEN.set(len(self._open))

    def is_open(self, origin: str) -> bool:
        return origin in self._open

    async def enter(self, origin: str) -> float:
        """0.0: the attempt may be made; else seconds to wait. Raises UnavailableError."""
        at = self._open.get(origin)
        if at is None:
            return 0.0
        if (wait := at - time.monotonic()) > 0.0:
            return wait
        pause = _PROBING * self._scale
        wait = await self._bridges.enter(origin, self._lease, pause)
        if wait == 0.0:
            self._changed(origin, None)
            return 0.0
        self._open[origin] = time.monotonic() + (pause if wait == PROBE else wait)
        return 0.0 if wait == PROBE else wait

    async def tell(self, origin: str, reached: bool, began: float) -> None:
        """How an attempt ended that began then (the loop's clock). Raises UnavailableError."""
        if reached:
            self._missed.pop(origin, None)
            if origin in self._open:
                await self._bridges.close(origin)
                self._changed(origin, None)
            return
        if began < self._heard.get(origin, 0.0):
            return  # an older story than the one that the store has told us
        self._missed[origin] += 1
        if len(self._missed) > _MISSED_MAX:
            self._missed.clear()
        if self._missed[origin] >= TRIPS_AT or origin in self._open:
            first, longest = FIRST * self._scale, LONGEST * self._scale
            wait = await self._bridges.trip(origin, first, longest)
            self._changed(origin, wait)

    def _changed(self, origin: str, wait: float | None) -> None:
        """The circuit was opened, for so many seconds, or closed (None)."""
        self._heard[origin] = now = time.monotonic()
        self._missed.pop(origin, None)
        if wait is None:
            self._open.pop(origin, None)
        else:
            self._open[origin] = now + wait
