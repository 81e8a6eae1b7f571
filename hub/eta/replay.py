"""The past once more: each order is estimated with what was known when it was placed."""

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from math import inf, log
from typing import Final

from hub.core.orders.estimate import remaining
from hub.eta import training
from hub.eta.estimator import Estimator
from hub.eta.forecast import Forecast, quantiles
from hub.eta.forest import Forests
from hub.eta.learner import Learner, Placed
from hub.eta.past import PastOrder
from hub.eta.scores import Told
from hub.eta.training import Example

__all__ = ["Replay", "first_growth"]

_DAY: Final = 86_400.0
_ELAPSED: Final = (0, 20, 40, 60)
"""Minutes after which what is left is scored."""

_SETTLED: Final = 300
"""Orders in which the linear model finds its feet; nobody should learn from what it said."""


def first_growth(orders: Sequence[PastOrder], split: float) -> float:
    """The first of the days that end at `split`, of those that the orders cover."""
    first = orders[0].features.created_at if orders else split
    return split - max(split - first, 0.0) // _DAY * _DAY


class Replay:
    def __init__(
        self,
        estimator: Estimator,
        grow_at: float,
        *,
        grow: bool,
        until: float = inf,
        then: Forests | None = None,
    ) -> None:
        """`grow`: forests, at `grow_at` and each day after it, the last at `until`, each time on
        what is known by then; `then`: these at `until`, in their place.
        """
        self.estimator = estimator
        self.examples: deque[Example] = deque(maxlen=training.LATEST)
        self._learner = Learner(estimator)
        self._ends: list[tuple[float, int]] = []
        self._grow_at = grow_at
        self._grow = grow
        self._until = until
        self._then = then

    def run(self, orders: Sequence[PastOrder]) -> Iterator[tuple[PastOrder, Placed]]:
        """In the order of their placing, each with what was told of it then. The estimator is
        what it was at that moment until the next one is asked for.
        """
        for number, order in enumerate(orders):
            self._advance(order.features.created_at)
            placed = self._learner.placed(str(number), order.features)
            heappush(self._ends, (order.delivered_at, number))
            yield order, placed

    def finish(self) -> None:
        """The orders that are open still come to their ends."""
        self._close(inf)

    def told(self, order: PastOrder, forecast: Forecast) -> Told:
        """As hubs tell it: by the quantiles that the order keeps."""
        kept = quantiles(forecast, self.estimator.conformal)
        after = [minutes for minutes in _ELAPSED if order.seconds > minutes * 60.0]
        return Told(order.seconds, {each: remaining(kept, each * 60.0) for each in after})

    def _advance(self, now: float) -> None:
        """What has happened by `now`, in its order."""
        while self._grow_at <= min(now, self._until):
            self._close(self._grow_at)
            self._renew()
            self._grow_at += _DAY
        self._close(now)

    def _renew(self) -> None:
        if self._then is not None and self._grow_at >= self._until:
            self.estimator.forests = self._then
        elif self._grow and len(self.examples) >= training.ENOUGH:
            self.estimator.forests = training.grow(self.examples)

    def _close(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            at, number = heappop(self._ends)
            placed = self._learner.delivered(str(number), at)
            if placed is not None and number >= _SETTLED:
                self._note(placed, at)

    def _note(self, placed: Placed, at: float) -> None:
        reading = placed.reading
        missed = log(at - reading.features.created_at) - reading.linear
        self.examples.append(Example(reading.inputs, missed))
