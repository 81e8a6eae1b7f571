"""How wrong estimates were: by size, and by how often. Pure."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean
from typing import Any

from msgspec import Struct

from hub.core.orders.estimate import Remaining

__all__ = ["Told", "band", "pinball", "scores"]


class Told(Struct, frozen=True):
    """What was told of an order when it was placed, and what came."""

    seconds: float
    etas: Mapping[int, Remaining]
    """By minutes elapsed, 0 among them: what would be left, were it not over by then."""


def scores(told: Sequence[Told]) -> dict[str, Any]:
    """Seconds and shares; `remaining` is the mean error in minutes by minutes elapsed.

    All are None where nothing was told.
    """
    pairs = [(each.seconds, each.etas[0]) for each in told]
    errors = [seconds - eta.p50 for seconds, eta in pairs]
    squares = _mean(error * error for error in errors)
    return {
        "n": len(told),
        "mae": _mean(map(abs, errors)),
        "rmse": None if squares is None else sqrt(squares),
        "mape": _mean(abs(seconds - eta.p50) / seconds for seconds, eta in pairs),
        "bias": _mean(-error for error in errors),
        "pinball_p50": _mean(pinball(seconds, eta.p50, 0.5) for seconds, eta in pairs),
        "pinball_p90": _mean(pinball(seconds, eta.p90, 0.9) for seconds, eta in pairs),
        "coverage80": _mean(eta.p10 <= seconds <= eta.p90 for seconds, eta in pairs),
        "width80": _mean(eta.p90 - eta.p10 for _, eta in pairs),
        "late_p50": _mean(seconds > eta.p50 for seconds, eta in pairs),
        "late_p90": _mean(seconds > eta.p90 for seconds, eta in pairs),
        "remaining": _remaining(told),
    }


def pinball(actual: float, told: float, level: float) -> float:
    """The loss whose least mean the quantile of that level has (Koenker & Bassett, 1978)."""
    over = actual - told
    return max(level * over, (level - 1.0) * over)


def band(eta: Remaining, seconds: float) -> str:
    """Between which of the three what came lies, as the metric's label."""
    if seconds < eta.p10:
        return "below_p10"
    if seconds <= eta.p50:
        return "below_p50"
    return "below_p90" if seconds <= eta.p90 else "above_p90"


def _remaining(told: Sequence[Told]) -> dict[str, float | None]:
    """Of the orders that were not over yet."""
    errors: dict[int, list[float]] = {}
    for each in told:
        for minutes, eta in each.etas.items():
            off = abs(each.seconds / 60.0 - minutes - eta.p50 / 60.0)
            errors.setdefault(minutes, []).append(off)
    return {str(minutes): _mean(found) for minutes, found in sorted(errors.items())}


def _mean(values: Any) -> float | None:
    found = [float(value) for value in values]
    return fmean(found) if found else None
