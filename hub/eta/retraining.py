"""A new model from the past, and whether it is to take the old one's place."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from hub.eta import training
from hub.eta.estimator import Estimator
from hub.eta.evaluation import rounded
from hub.eta.forest import Forests
from hub.eta.model import Model
from hub.eta.past import PastOrder
from hub.eta.replay import Replay, first_growth
from hub.eta.scores import scores

__all__ = ["Trained", "train"]

_HELD_OUT: Final = 86_400.0
"""Seconds at the end of the past on which the models are scored."""

_LOSSES: Final = ("pinball_p50", "pinball_p90")


class Trained(Struct, frozen=True):
    model: Model
    better: bool
    former: dict[str, Any] | None
    """What the old one made of the same orders, if there is one."""


class Lived(Struct, frozen=True):
    estimator: Estimator
    score: dict[str, Any]


def train(
    orders: Sequence[PastOrder], old: Model | None, *, forests: bool | None = None
) -> Trained:
    """From orders in the order of their placing, of which there is one at least.

    The last day is kept from the new forests: they are scored on it, and the old ones too. The
    model that is kept is the one that was scored; its forests are not grown again on that day.
    """
    grown = training.available() if forests is None else forests
    last = orders[-1].features.created_at
    split = last - _HELD_OUT
    new = _lived(orders, split, None, grow=grown)
    if old is not None:
        new.estimator.road = old.estimator.road
    model = Model(new.estimator, last, len(orders), new.score)
    if old is None:
        return Trained(model, True, None)
    former = _lived(orders, split, old.estimator.forests, grow=grown)
    return Trained(model, _loss(new.score) < _loss(former.score), former.score)


def _lived(
    orders: Sequence[PastOrder], split: float, forests: Forests | None, *, grow: bool
) -> Lived:
    """The whole past, and the score of what was placed from `split` on: by these forests, or by
    new ones. Until then the corrections learn from the same ones, for both.
    """
    estimator = Estimator()
    first = first_growth(orders, split)
    replay = Replay(estimator, first, grow=grow, until=split, then=forests)
    told = [
        replay.told(order, placed.forecast)
        for order, placed in replay.run(orders)
        if order.features.created_at >= split
    ]
    replay.finish()
    return Lived(estimator, rounded(scores(told)))


def _loss(score: Mapping[str, Any]) -> float:
    return sum(float(score[name]) for name in _LOSSES)
