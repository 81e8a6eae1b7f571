"""Follows orders from their placing to their end, and has the estimator learn from each. Pure.

One learner sees all orders, in the order of time; any number of readers may use what it learned.
"""

from heapq import heappop, heappush
from math import exp
from typing import Final

from msgspec import Struct

from hub.eta.estimator import SHORTEST, Estimator, Reading
from hub.eta.features import Features
from hub.eta.forecast import LONGEST, Forecast
from hub.eta.history import LATE, Open

__all__ = ["Learner", "Placed"]

_MOST: Final = 100_000
"""Open orders; one that nobody closes must not stay for ever."""


class Placed(Struct, frozen=True):
    """An order, as it was read when it was placed, and what was told then."""

    reading: Reading
    forecast: Forecast


class Learner:
    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self._open: dict[str, Placed] = {}
        self._lateness: dict[str, int] = {}
        self._due: list[tuple[float, int, str]] = []
        history = estimator.history
        history.open = Open()
        for market in history.markets.values():
            market.open = Open()

    def placed(self, order_id: str, features: Features) -> Placed:
        now = features.created_at
        self.passed(now)
        reading = self.estimator.read(features)
        placed = Placed(reading, self.estimator.forecast_of(reading))
        self.estimator.history.arrived(features)
        if order_id not in self._open:
            self._enter(order_id, placed)
        return placed

    def _enter(self, order_id: str, placed: Placed) -> None:
        if len(self._open) >= _MOST:
            self.gone(next(iter(self._open)))
        self._open[order_id] = placed
        self._lateness[order_id] = 0
        for each in self._counts(placed):
            each.orders += 1
        features, linear = placed.reading.features, placed.reading.linear
        for step, beyond in enumerate(LATE, start=1):
            heappush(self._due, (features.created_at + exp(linear + beyond), step, order_id))

    def passed(self, now: float) -> None:
        """Time goes on: some orders that are not over become late."""
        while self._due and self._due[0][0] <= now:
            _, step, order_id = heappop(self._due)
            placed = self._open.get(order_id)
            if placed is not None and self._lateness[order_id] < step:
                self._lateness[order_id] = step
                for each in self._counts(placed):
                    each.late += step == 1
                    each.very_late += step == 2

    def delivered(self, order_id: str, now: float) -> Placed | None:
        """What was told of it, if it was seen to be placed."""
        placed = self.gone(order_id)
        if placed is None:
            return None
        seconds = now - placed.reading.features.created_at
        if SHORTEST <= seconds <= LONGEST:
            self.estimator.learn(placed.reading, placed.forecast, seconds, now)
        return placed

    def gone(self, order_id: str) -> Placed | None:
        """Cancelled, or forgotten: it is not open any more, and nothing is learned from it."""
        placed = self._open.pop(order_id, None)
        if placed is None:
            return None
        lateness = self._lateness.pop(order_id)
        for each in self._counts(placed):
            each.orders -= 1
            each.late -= lateness >= 1
            each.very_late -= lateness >= 2
        return placed

    def _counts(self, placed: Placed) -> tuple[Open, Open]:
        history = self.estimator.history
        return history.market(placed.reading.features).open, history.open
