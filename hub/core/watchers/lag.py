"""How late events came lately, by the counts of a histogram. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf
from typing import Any

__all__ = ["Counts", "Lag", "LagWindow", "quantile"]

Counts = Sequence[tuple[float, float]]
"""Bounds in seconds, ascending, the last one infinite, and how many came within each."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds; None where nothing came."""

    events: int
    p50: float | None
    p99: float | None

    def view(self) -> dict[str, Any]:
        """The wire form of `EventLag`."""
        view: dict[str, Any] = {"events": self.events}
        if self.p50 is not None and self.p99 is not None:
            view |= {"p50Ms": round(self.p50 * 1000, 2), "p99Ms": round(self.p99 * 1000, 2)}
        return view


class LagWindow:
    """The lag of what came between the counts that are told now and those of some times before."""

    def __init__(self, times: int) -> None:
        self._told: deque[Counts] = deque(maxlen=times)

    def after(self, counts: Counts) -> Lag:
        """`counts` from the beginning on."""
        then = self._told[0] if self._told else [(bound, 0.0) for bound, _ in counts]
        self._told.append(counts)
        new = [(bound, n - n0) for (bound, n), (_, n0) in zip(counts, then, strict=True)]
        return Lag(int(new[-1][1]), quantile(new, 0.5), quantile(new, 0.99))


def quantile(counts: Counts, share: float) -> float | None:
    """As Prometheus' histogram_quantile: within a bucket as if all were spread evenly; of the
    last one, its lower bound. None of nothing.
    """
    wanted = counts[-1][1] * share
    low, before = 0.0, 0.0
    for bound, number in counts:
        if number >= wanted and number > before:
            inside = (wanted - before) / (number - before)
            return low if isinf(bound) else low + (bound - low) * inside
        low, before = bound, number
    return None
