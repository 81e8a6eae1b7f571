"""What is left of an order's time, given that it is not over yet. Pure.

A forecast is a distribution, as its quantiles at `LEVELS`, in seconds from a moment that the order
knows. That it has not ended after so many seconds is news: what would be over by now is taken out,
and the rest is the whole. So an order that is late has as long to go as those usually had that were
as late, and does not stand at one minute.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import log
from typing import Final, NamedTuple

__all__ = ["LEVELS", "Remaining", "remaining"]

LEVELS: Final = (0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99)
"""Shares of all orders that are over by the quantile of the same place."""

_LEAST: Final = 30.0
"""Seconds that are left of what is not over, at least."""

_HAZARDS: Final = (0.0, *(-log(1.0 - level) for level in LEVELS))
"""Cumulative: the negative logarithm of the share that goes on. Between two quantiles, and behind
the last, it grows evenly, as of times that end by chance.
"""
_ASKED: Final = tuple(-log(1.0 - level) for level in (0.1, 0.5, 0.9))


class Remaining(NamedTuple):
    """Seconds: `30 <= p10 <= p50 <= p90`."""

    p10: float
    p50: float
    p90: float


def remaining(quantiles: Sequence[float], elapsed: float) -> Remaining:
    """What is left after `elapsed` seconds. `quantiles` rise, one for each of `LEVELS`."""
    times = (0.0, *quantiles)
    gone = max(elapsed, 0.0)
    hazard = _between(times, _HAZARDS, gone)
    p10, p50, p90 = (
        max(_LEAST, _between(_HAZARDS, times, hazard + more) - gone) for more in _ASKED
    )
    return Remaining(p10, p50, p90)


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The `y` of `x`, by the line between its neighbours; behind the last by the last line."""
    after = min(bisect_right(xs, x), len(xs) - 1)
    left, right = xs[after - 1], xs[after]
    if right <= left:  # all of the last ones came at once
        return ys[after]
    return ys[after - 1] + (x - left) / (right - left) * (ys[after] - ys[after - 1])
