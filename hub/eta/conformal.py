"""How wrong the estimates have been lately, and what follows for the next. Pure.

Split conformal prediction on a rolling window, with scaled errors (Romano et al., "Conformalized
Quantile Regression", 2019) and levels that move with what is missed (Gibbs & Candès, "Adaptive
Conformal Inference Under Distribution Shift", 2021).
"""

from bisect import bisect_left, insort
from math import log
from statistics import NormalDist
from typing import Final

from msgspec import Struct, field

__all__ = ["LEVELS", "Conformal"]

LEVELS: Final = (0.1, 0.5, 0.9)

_WINDOW: Final = 8_000
"""Errors that count. Fewer follow a change of the times sooner and are less sure of the tails."""

_BEFORE: Final = 50
"""Errors of a model that is right, to begin with."""

_STEP: Final = 0.004
_ROOM: Final = 0.04
"""By which share of each surprise a level moves, and how far it may."""

_TAIL: Final = 0.04
"""The share of the greatest errors beyond which an exponential stands for them."""


def _at_first() -> list[float]:
    """Normal errors, of which a tenth lies below -1 and a tenth above 1."""
    normal = NormalDist(0.0, 1.0 / NormalDist().inv_cdf(0.9))
    return [normal.inv_cdf((i + 0.5) / _BEFORE) for i in range(_BEFORE)]


class Conformal(Struct):
    """Errors in units of the spread that was told with the estimate, the oldest first."""

    errors: list[float] = field(default_factory=_at_first)
    levels: list[float] = field(default_factory=lambda: list(LEVELS))
    step: float = _STEP
    """0 where errors come in rows that are alike, as those of one trip: levels would chase them."""
    ordered: list[float] = field(default_factory=list)
    """`errors`, sorted; made anew when it is left out."""

    def __post_init__(self) -> None:
        self.ordered = sorted(self.errors)

    def fits(self) -> bool:
        sized = len(self.levels) == len(LEVELS) and _BEFORE <= len(self.errors) <= _WINDOW
        return sized and 0.0 <= self.step <= _ROOM

    def learn(self, error: float) -> None:
        """One more is known. What is oldest goes."""
        for i, level in enumerate(LEVELS):
            moved = self.levels[i] + self.step * (
                (error > self.quantile(self.levels[i])) - 1 + level
            )
            self.levels[i] = min(max(moved, level - _ROOM), level + _ROOM)
        self.errors.append(error)
        insort(self.ordered, error)
        if len(self.errors) > _WINDOW:
            gone = self.errors.pop(0)
            del self.ordered[bisect_left(self.ordered, gone)]

    def quantile(self, level: float) -> float:
        """The error that such a share does not exceed; above all that were seen, if need be."""
        count = len(self.ordered)
        first = int(count * (1.0 - _TAIL))
        beyond = (count - first) / count
        if level > 1.0 - beyond:
            over = log(beyond / max(1.0 - level, 1e-12))
            return self.ordered[first] + self._excess(first) * over
        at = max(level, 0.0) * count
        i = min(int(at), count - 1)
        low, high = self.ordered[i], self.ordered[min(i + 1, count - 1)]
        return low + (at - i) * (high - low)

    def _excess(self, first: int) -> float:
        """Mean of what the greatest errors have beyond the first of them."""
        tail = self.ordered[first:]
        return max(sum(tail) / len(tail) - tail[0], 0.05)
