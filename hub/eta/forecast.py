"""A time that something takes, as a distribution: by a middle, two widths, and the errors that were
seen. What is left of it after a while says `hub.core.orders.estimate`. Pure.
"""

from math import exp, log
from typing import Final

from msgspec import Struct

from hub.core.orders.estimate import LEAST, Remaining
from hub.core.orders.estimate import LEVELS as SHARES
from hub.eta.conformal import LEVELS, Conformal

__all__ = ["LONGEST", "Forecast", "quantiles", "scaled_error", "told"]

LONGEST: Final = 3 * 3600.0
"""Seconds; an order that takes longer was forgotten, and nobody learns from it."""

_NARROWEST: Final = 0.03
_ENDS: Final = (0.0, *LEVELS, 1.0)


class Forecast(Struct, frozen=True):
    """Logarithms: of the middle (seconds), and of how far down and up 80 % of all lie."""

    middle: float
    down: float
    up: float


def scaled_error(forecast: Forecast, seconds: float) -> float:
    """How wrong it was, where its own tenth and ninetieth percent lie at -1 and 1."""
    off = log(seconds) - forecast.middle
    return off / max(forecast.up if off > 0.0 else forecast.down, _NARROWEST)


def told(forecast: Forecast, conformal: Conformal) -> Remaining:
    """The whole time."""
    return Remaining(*(_seconds(forecast, conformal, level) for level in conformal.levels))


def quantiles(forecast: Forecast, conformal: Conformal) -> tuple[int, ...]:
    """The whole time at each of `hub.core.orders.estimate.LEVELS`: whole seconds, rising."""
    found = (_seconds(forecast, conformal, _level(conformal, share)) for share in SHARES)
    return tuple(map(round, found))


def _seconds(forecast: Forecast, conformal: Conformal, level: float) -> float:
    """The time that is wrong by what such a share of the errors does not exceed."""
    error = conformal.quantile(level)
    spread = forecast.up if error > 0.0 else forecast.down
    seconds = exp(min(forecast.middle + error * max(spread, _NARROWEST), 12.0))
    return min(max(seconds, LEAST), LONGEST)


def _level(conformal: Conformal, share: float) -> float:
    """The level that such a share stands at, by those that were moved."""
    moved = (0.0, *conformal.levels, 1.0)
    above = next(place for place, end in enumerate(_ENDS) if share < end)
    low, high = _ENDS[above - 1], _ENDS[above]
    part = (share - low) / (high - low)
    return moved[above - 1] + part * (moved[above] - moved[above - 1])
