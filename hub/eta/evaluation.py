"""`ordercast eta evaluate`: the orders from a moment on, estimated without knowing how they end."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any, Final

from hub.eta import training
from hub.eta.estimator import Estimator
from hub.eta.past import Past, PastOrder
from hub.eta.replay import Replay, first_growth
from hub.eta.scores import Told, scores

__all__ = ["evaluate", "rounded"]

_DIGITS: Final = 4


def evaluate(past: Past, split: float, *, forests: bool | None = None) -> dict[str, Any]:
    """Learn from what was delivered before `split` (Unix seconds), score what was placed after.

    Forests are grown `split` and whole days before and after it, as the worker would, on what is
    known by then; the linear model and the correction learn from each delivery as it comes. So
    the first correction has seen honest errors. `forests`: where LightGBM is there, by default.
    """
    grown = training.available() if forests is None else forests
    orders = past.orders
    replay = Replay(Estimator(), first_growth(orders, split), grow=grown)
    told = [
        replay.told(order, placed.forecast)
        for order, placed in replay.run(orders)
        if order.features.created_at >= split
    ]
    return {
        **rounded(scores(told)),
        "median_mae": rounded(_median_error(orders, split, told)),
        "trained_on": sum(order.delivered_at < split for order in orders),
        "model": "lightgbm" if replay.estimator.forests else "linear",
        "dropped": past.dropped,
    }


def _median_error(orders: Sequence[PastOrder], split: float, told: Sequence[Told]) -> float | None:
    """The mean error of telling everybody the same: the median of what was known."""
    known = [order.seconds for order in orders if order.delivered_at < split]
    if not known or not told:
        return None
    middle = median(known)
    return fmean(abs(each.seconds - middle) for each in told)


def rounded(value: Any) -> Any:
    """Each number in it to four digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
