"""When to come back: full jitter, so that clients who fell together do not return together."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

__all__ = ["CEILING", "DEFAULT", "Window", "backoff"]

CEILING: Final = 30.0
"""Seconds: no first guess of the client is longer. A window of the hub may be."""

_FLOOR: Final = 1.0  # an upper bound of zero would double to zero for ever


@dataclass(frozen=True, slots=True)
class Window:
    """The hub's `reconnect {min, max}`, in seconds."""

    min: float
    max: float

    @classmethod
    def read(cls, data: Any) -> Self | None:
        """None for what is no window: the client then keeps the one it has."""
        try:
            low, high = float(data["min"]), float(data["max"])
        except (KeyError, TypeError, ValueError):
            return None
        if not (math.isfinite(high) and 0 <= low <= high):
            return None
        return cls(low, high)


DEFAULT: Final = Window(0.0, 1.0)


def backoff(
    chance: Callable[[], float], window: Window = DEFAULT, ceiling: float = CEILING
) -> Iterator[float]:
    """Seconds to wait before each attempt, without end.

    The first is anywhere in `window`; the upper bound then doubles up to `ceiling` (or stays at
    the window's own, if that is higher). `chance` answers a number in [0, 1).
    """
    reach, ceiling = window.max, max(ceiling, window.max)
    while True:
        yield window.min + chance() * (reach - window.min)
        reach = min(max(2 * reach, window.min + _FLOOR), ceiling)
