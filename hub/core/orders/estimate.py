"""What is left of an order's time, given that it is not over yet. Pure.

A forecast is a distribution, as its quantiles at `LEVELS`, in seconds from a moment that the order
knows. That it has not ended after so many seconds is news: what would be over by now is taken out,
and the rest is the whole. So an order that is late has as long to go as those usually had that were
as late, and does not stand at one minute.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, log
from typing import Any, Final, NamedTuple

from schemas.times import format_time

__all__ = ["LEAST", "LEVELS", "Outlook", "Remaining", "Timing", "remaining", "shown"]

LEVELS: Final = (0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99)
"""Shares of all orders that are over by the quantile of the same place."""

LEAST: Final = 30.0
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
    p10, p50, p90 = (max(LEAST, _between(_HAZARDS, times, hazard + more) - gone) for more in _ASKED)
    return Remaining(p10, p50, p90)


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The `y` of `x`, by the line between its neighbours; behind the last by the last line."""
    after = min(bisect_right(xs, x), len(xs) - 1)
    left, right = xs[after - 1], xs[after]
    if right <= left:  # all of the last ones came at once
        return ys[after]
    return ys[after - 1] + (x - left) / (right - left) * (ys[after] - ys[after - 1])


class Outlook(NamedTuple):
    """What is forecast of an order as it is placed: quantiles at LEVELS, in whole seconds."""

    forecast: tuple[int, ...]
    """Of the whole order's time."""
    road: tuple[int, ...] | None
    """Of the way from the pick-up to the door, where the pick-up is known."""


class Timing(NamedTuple):
    """What an order's estimate is made of. Moments in Unix seconds."""

    created_at: float
    forecast: Sequence[float] | None
    """Of the whole order's time, since it was placed."""
    road: Sequence[float] | None
    """Of the way from the pick-up to the door."""
    under_way_since: float | None
    told: float | None
    """The hand-over as a person told it."""

    def left(self, now: float, way: Remaining | None = None) -> Remaining | None:
        """What is left until hand-over. None where nothing is known.

        Under way it is what the rider's own way says (`way`), before all else. Then what a person
        told, until it has passed, with the doubt of the forecast. Then the forecast: of the road
        under way, before of the whole order, and no less than the road takes.
        """
        if self.under_way_since is not None and way is not None:
            return way
        found = self._forecast(now)
        if self.told is None or (found is not None and self.told < now):
            return found
        told = max(LEAST, self.told - now)
        if found is None:
            return Remaining(told, told, told)
        return Remaining(*(max(LEAST, each * told / found.p50) for each in found))

    def _forecast(self, now: float) -> Remaining | None:
        if self.under_way_since is not None:
            return remaining(self.road, now - self.under_way_since) if self.road else None
        if self.forecast is None:
            return None
        whole = remaining(self.forecast, now - self.created_at)
        if self.road is None:
            return whole
        road = remaining(self.road, 0.0)
        return Remaining(*map(max, whole, road))


def shown(left: Remaining | None, now: float) -> dict[str, Any]:
    """`estimatedTime` and, where the doubt is known, `eta`; as events and snapshots have them."""
    if left is None:
        return {}
    view: dict[str, Any] = {"estimatedTime": max(1, ceil(left.p50 / 60))}
    if left.p10 < left.p90:
        view["eta"] = {name: format_time(now + value) for name, value in left._asdict().items()}
    return view
