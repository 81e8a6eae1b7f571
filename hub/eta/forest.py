"""Boosted trees as LightGBM grew them, walked in plain Python. Pure.

So the hub needs neither LightGBM nor numpy, and one order costs some four hundred comparisons: 120
trees of eight leaves.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from hub.eta.forecast import Forecast

__all__ = ["Forest", "Forests", "Node", "from_dump"]

_LEAF: Final = -1
_TRUST: Final = 0.7
"""How far a width that the trees tell is believed, against the usual one."""

Node = tuple[int, float, int, int]
"""Feature, threshold, and the nodes to go to where the feature is at most that, or above it.
Of a leaf: -1, its value, 0, 0. The first is the root, and children stand after their parents.
"""


class Forest(Struct, frozen=True):
    trees: tuple[tuple[Node, ...], ...] = ()

    def predict(self, vector: list[float]) -> float:
        """The sum of all trees; `vector` holds no NaN."""
        total = 0.0
        for tree in self.trees:
            feature, value, below, above = tree[0]
            while feature >= 0:
                feature, value, below, above = tree[below if vector[feature] <= value else above]
            total += value
        return total

    def fits(self, features: int) -> bool:
        """Whether every walk ends, and asks for nothing beyond so many features."""
        return all(_sound(tree, features) for tree in self.trees)


class Forests(Struct, frozen=True):
    """What a linear model has missed, in the same logarithm: for the tenth percent of all that
    may happen, the middle, the ninetieth.
    """

    low: Forest = Forest()
    middle: Forest = Forest()
    high: Forest = Forest()

    def __bool__(self) -> bool:
        return bool(self.middle.trees)

    def forecast(self, linear: float, inputs: list[float], spread: float) -> Forecast:
        """Upon `linear`; without trees it is that, with the usual `spread` on either side."""
        if not self.middle.trees:
            return Forecast(linear, spread, spread)
        low, middle, high = (each.predict(inputs) for each in (self.low, self.middle, self.high))
        down, up = (
            max(width, 0.0) ** _TRUST * spread ** (1.0 - _TRUST)
            for width in (middle - low, high - middle)
        )
        return Forecast(linear + middle, down, up)

    def fit(self, features: int) -> bool:
        return all(each.fits(features) for each in (self.low, self.middle, self.high))


def _sound(tree: tuple[Node, ...], features: int) -> bool:
    if not tree:
        return False
    return all(
        feature == _LEAF
        or (0 <= feature < features and at < below < len(tree) and at < above < len(tree))
        for at, (feature, _, below, above) in enumerate(tree)
    )


def from_dump(dump: dict[str, Any]) -> Forest:
    """From LightGBM's `Booster.dump_model()`, of numerical features without missing values."""
    return Forest(tuple(tuple(_nodes(each["tree_structure"])) for each in dump["tree_info"]))


def _nodes(root: dict[str, Any]) -> Iterator[Node]:
    """By breadth: a child's place is known when its parent is told."""
    queue = [root]
    for node in queue:
        if "split_feature" not in node:
            yield (_LEAF, float(node["leaf_value"]), 0, 0)
            continue
        at = len(queue)
        queue += (node["left_child"], node["right_child"])
        yield (int(node["split_feature"]), float(node["threshold"]), at, at + 1)
