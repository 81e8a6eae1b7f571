"""How long an order takes: two models, one upon the other, and what corrects them. Pure.

The linear model and the history beside it learn from each order that ends, and need nothing else.
LightGBM's forests, where there are any, say what those two have missed. Conformal prediction sees
to it that 10, 50 and 90 % of the orders come within p10, p50 and p90, whichever models said so.
"""

from math import log
from typing import Final

from msgspec import Struct, field

from hub.eta.conformal import Conformal
from hub.eta.features import DESIGN, FACTS, Features, design, facts
from hub.eta.forecast import LONGEST, Forecast, scaled_error
from hub.eta.forest import Forests
from hub.eta.history import CONTEXT, History
from hub.eta.ridge import Ridge
from hub.eta.road import Road

__all__ = ["INPUTS", "SHORTEST", "Estimator", "Reading"]

INPUTS: Final = (*FACTS, "linear", "ridge", *CONTEXT)
"""What the forests are given, in its order."""

SHORTEST: Final = 60.0
"""Seconds; what is over sooner was no delivery, and nobody learns from it."""

_USUAL: Final = log(2_700.0)
_BOUNDS: Final = (log(300.0), log(LONGEST))
_SPREAD: Final = 0.35
"""Of the linear model alone; the conformal errors are in units of it."""

_SHIFT: Final = 0.6
"""How much of the last two hours' mean error is thought to go on."""

_MOST: Final = 1.0
"""An order tells no more than that its time was e times as long: beyond, something was wrong."""


class Reading(Struct, frozen=True):
    """An order as the models see it when it is placed."""

    features: Features
    design: list[float]
    inputs: list[float]
    linear: float
    """What the linear model and the history say: the logarithm of seconds."""


class Estimator(Struct):
    """Whole, and plain enough to be written as JSON. `read` and `forecast` change nothing."""

    ridge: Ridge = field(default_factory=lambda: Ridge.new(DESIGN, _USUAL))
    history: History = field(default_factory=History)
    forests: Forests = field(default_factory=Forests)
    conformal: Conformal = field(default_factory=Conformal)
    road: Road = field(default_factory=Road)

    def read(self, features: Features) -> Reading:
        found = facts(features)
        vector = design(found)
        context = self.history.context(features)
        ridge = self.ridge.predict(vector)
        linear = ridge + self.history.effect(features)
        shift = _SHIFT * self.history.two_hours.mean(features.created_at, 5.0)
        linear = min(max(linear + shift, _BOUNDS[0]), _BOUNDS[1])
        return Reading(features, vector, [*found, linear, ridge, *context], linear)

    def forecast(self, features: Features) -> Forecast:
        """Once an order, when it is placed."""
        return self.forecast_of(self.read(features))

    def forecast_of(self, reading: Reading) -> Forecast:
        return self.forests.forecast(reading.linear, reading.inputs, _SPREAD)

    def learn(self, reading: Reading, forecast: Forecast, seconds: float, now: float) -> None:
        """An order is delivered, `now`, after so many seconds: within SHORTEST and LONGEST."""
        self.conformal.learn(scaled_error(forecast, seconds))
        features = reading.features
        told = self.ridge.predict(reading.design) + self.history.effect(features)
        error = min(max(log(seconds) - told, -_MOST), _MOST)
        self.ridge.learn(reading.design, error)
        self.history.learn(features, now, error)

    def fits(self) -> bool:
        """Whether its parts are of the sizes that this version works with."""
        return (
            self.ridge.fits(DESIGN)
            and self.conformal.fits()
            and self.road.fits()
            and self.forests.fit(len(INPUTS))
        )
