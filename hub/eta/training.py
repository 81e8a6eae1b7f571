"""Growing the forests, by LightGBM: the extra `eta`."""

from collections.abc import Collection
from importlib.util import find_spec
from typing import Any, Final

from msgspec import Struct

from hub.eta.conformal import LEVELS
from hub.eta.forest import Forest, Forests, from_dump

__all__ = ["ENOUGH", "LATEST", "Example", "available", "grow"]

ENOUGH: Final = 500
"""Examples, below which the linear model is left alone."""

LATEST: Final = 200_000
"""The orders, or examples, that are learned from: the last ones."""

_TREES: Final = (30, 40, 50)
_PARAMETERS: Final[dict[str, Any]] = {
    "objective": "quantile",
    "learning_rate": 0.1,
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "use_missing": False,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    "verbosity": -1,
    # More threads wait for each other wherever something else runs: ten times as long on two
    # busy cores, for three seconds of work.
    "num_threads": 1,
}


class Example(Struct, frozen=True):
    """What a forest is given, and what it should say: by how much the linear model missed."""

    inputs: list[float]
    missed: float


def available() -> bool:
    return find_spec("lightgbm") is not None


def grow(examples: Collection[Example]) -> Forests:
    import lightgbm
    import numpy as np

    inputs = np.array([each.inputs for each in examples])
    missed = np.array([each.missed for each in examples])

    def forest(level: float, trees: int) -> Forest:
        parameters = {**_PARAMETERS, "alpha": level}
        booster = lightgbm.train(parameters, lightgbm.Dataset(inputs, missed), trees)
        return from_dump(booster.dump_model())

    low, middle, high = (forest(*each) for each in zip(LEVELS, _TREES, strict=True))
    return Forests(low, middle, high)
