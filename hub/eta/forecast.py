"""A time that something takes, as a distribution, and what is left of it. Pure."""

from math import exp, log
from typing import Final

from msgspec import Struct

from hub.eta.conformal import Conformal

__all__ = ["LEAST", "LONGEST", "Eta", "Forecast", "left", "scaled_error", "seconds_of"]

LEAST: Final = 30.0
"""Seconds that are left of what is not over, at least."""

LONGEST: Final = 3 * 3600.0
"""Seconds; an order that takes longer was forgotten, and nobody learns from it."""

_NARROWEST: Final = 0.03


class Eta(Struct, frozen=True):
    """Seconds from now until hand-over: `LEAST <= p10 <= p50 <= p90 <= LONGEST`."""

    p10: float
    p50: float
    p90: float


class Forecast(Struct, frozen=True):
    """Logarithms: of the middle (seconds), and of how far down and up 80 % of all lie."""

    middle: float
    down: float
    up: float


def scaled_error(forecast: Forecast, seconds: float) -> float:
    """How wrong it was, where its own tenth and ninetieth percent lie at -1 and 1."""
    off = log(seconds) - forecast.middle
    return off / max(forecast.up if off > 0.0 else forecast.down, _NARROWEST)


def left(forecast: Forecast, conformal: Conformal, elapsed: float) -> Eta:
    """What remains after so many seconds without an end, by the errors that were seen.

    That it is not over yet is news: of all that the forecast allowed, what would be over by now
    is taken out, and the rest is the whole. So an order that is late has as long to go as those
    usually had that were as late, and does not stand at one minute.
    """
    over = conformal.share(scaled_error(forecast, elapsed)) if elapsed >= 1.0 else 0.0
    p10, p50, p90 = (
        seconds_of(forecast, conformal.quantile(over + (1.0 - over) * level)) - elapsed
        for level in conformal.levels
    )
    p10 = min(max(p10, LEAST), LONGEST)
    p50 = min(max(p50, p10), LONGEST)
    return Eta(p10, p50, min(max(p90, p50), LONGEST))


def seconds_of(forecast: Forecast, error: float) -> float:
    """The time that is wrong by so much: `scaled_error` the other way round."""
    spread = forecast.up if error > 0.0 else forecast.down
    return exp(min(forecast.middle + error * max(spread, _NARROWEST), 12.0))
