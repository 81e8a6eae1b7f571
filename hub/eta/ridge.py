"""A linear model that learns from one example at a time. Pure.

Recursive least squares: after each example the weights are those of a ridge regression on all
examples so far (Haykin, Adaptive Filter Theory, ch. 10). It needs no rate to be chosen.
"""

from math import fsum
from operator import mul
from typing import Final, Self

from msgspec import Struct

__all__ = ["Ridge"]

_LOOSE: Final = 10.0
"""Variance of the weights before the first example."""


class Ridge(Struct):
    """`weights`, and their covariance but for the noise's variance, a row each."""

    weights: list[float]
    covariance: list[list[float]]

    @classmethod
    def new(cls, length: int, level: float) -> Self:
        """For vectors of this length whose first value is 1; it begins by saying `level`."""
        rows = [[_LOOSE if i == j else 0.0 for j in range(length)] for i in range(length)]
        return cls([level, *[0.0] * (length - 1)], rows)

    def fits(self, length: int) -> bool:
        rows = self.covariance
        return len(self.weights) == len(rows) == length and all(len(row) == length for row in rows)

    def predict(self, vector: list[float]) -> float:
        return fsum(map(mul, self.weights, vector))

    def learn(self, vector: list[float], error: float) -> None:
        """`error`: what is, less what was predicted; the caller bounds it."""
        spread = [fsum(map(mul, row, vector)) for row in self.covariance]
        scale = 1.0 / (1.0 + fsum(map(mul, spread, vector)))
        self.weights = [w + s * scale * error for w, s in zip(self.weights, spread, strict=True)]
        for row, each in zip(self.covariance, spread, strict=True):
            down = each * scale
            row[:] = [value - down * other for value, other in zip(row, spread, strict=True)]
