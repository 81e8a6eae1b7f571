"""What the last orders taught: about stores and markets, and about this hour. Pure."""

from math import exp
from typing import Final, TypeVar

from msgspec import Struct, field

from hub.eta.features import Features

__all__ = ["CONTEXT", "LATE", "History", "Open"]

T = TypeVar("T")

_PATIENCE: Final = {"market": 30.0, "category": 30.0, "protocol": 30.0, "store": 5.0}
"""Orders that it takes to believe half of what they show."""

_MEMORY: Final = 300
"""Orders of a name that count. From then on each counts as much as the one before did, and what is
older fades: least squares with a forgetting factor, of a constant (Haykin, Adaptive Filter Theory,
ch. 10). So a town is followed whose kitchens get slower over months.
"""

_KEPT: Final = 50_000
"""Names of a kind; those not seen for longest are forgotten."""

_OFTEN: Final = 1800.0
"""Seconds: how long ago counts, of arrivals."""

LATE: Final = (0.0, 0.35)
"""Above the logarithm of the time that was estimated: late, and very late."""


class Fading(Struct):
    """A sum of values that fade away by `exp(-age / span)`, and their count likewise."""

    span: float
    total: float = 0.0
    count: float = 0.0
    at: float = 0.0

    def add(self, now: float, value: float) -> None:
        kept = self._kept(now)
        self.total, self.count = self.total * kept + value, self.count * kept + 1.0
        self.at = max(now, self.at)

    def mean(self, now: float, doubt: float) -> float:
        """Drawn to 0 as by `doubt` values of 0."""
        kept = self._kept(now)
        return self.total * kept / (self.count * kept + doubt)

    def number(self, now: float) -> float:
        return self.count * self._kept(now)

    def _kept(self, now: float) -> float:
        return exp(min(0.0, self.at - now) / self.span)


class Effect(Struct):
    """By how much a name's orders differ, in the logarithm of their time; of how many."""

    value: float = 0.0
    count: int = 0


class Open(Struct):
    """Orders under way, those of them that are late, and very late."""

    orders: int = 0
    late: int = 0
    very_late: int = 0


class Market(Struct):
    hour: Fading = field(default_factory=lambda: Fading(3600.0))
    evening: Fading = field(default_factory=lambda: Fading(4 * 3600.0))
    arrivals: Fading = field(default_factory=lambda: Fading(_OFTEN))
    open: Open = field(default_factory=Open)


CONTEXT: Final = (
    "half_hour", "two_hours", "day", "market_hour", "market_evening",
    "market", "category", "protocol", "store", "store_orders",
    "market_late", "market_very_late", "market_open", "late", "very_late",
    "market_arrivals", "store_arrivals",
)  # fmt: skip
"""What `context` gives, in its order."""


class History(Struct):
    """Errors here are those of the linear model, in the logarithm of the time."""

    half_hour: Fading = field(default_factory=lambda: Fading(1800.0))
    two_hours: Fading = field(default_factory=lambda: Fading(7200.0))
    day: Fading = field(default_factory=lambda: Fading(86_400.0))
    markets: dict[str, Market] = field(default_factory=dict)
    effects: dict[str, dict[str, Effect]] = field(
        default_factory=lambda: {kind: {} for kind in _PATIENCE}
    )
    store_arrivals: dict[str, Fading] = field(default_factory=dict)
    open: Open = field(default_factory=Open)

    def effect(self, features: Features) -> float:
        return sum(each.value for each in self._effects(features))

    def context(self, features: Features) -> list[float]:
        now = features.created_at
        market = self.markets.get(features.market or "", _NOWHERE)
        arrivals = self.store_arrivals.get(features.store)
        effects = self._effects(features)
        here, everywhere = market.open, self.open
        return [
            self.half_hour.mean(now, 3.0),
            self.two_hours.mean(now, 5.0),
            self.day.mean(now, 10.0),
            market.hour.mean(now, 3.0),
            market.evening.mean(now, 5.0),
            *(each.value for each in effects),
            float(effects[-1].count),
            here.late / (here.orders + 3.0),
            here.very_late / (here.orders + 3.0),
            float(here.orders),
            everywhere.late / (everywhere.orders + 5.0),
            everywhere.very_late / (everywhere.orders + 5.0),
            market.arrivals.number(now),
            arrivals.number(now) if arrivals else 0.0,
        ]

    def arrived(self, features: Features) -> None:
        now = features.created_at
        self.market(features).arrivals.add(now, 1.0)
        stores = self.store_arrivals
        _keep(stores, features.store, stores.get(features.store) or Fading(3600.0)).add(now, 1.0)

    def learn(self, features: Features, now: float, error: float) -> None:
        """What the linear model and the effects together have missed, and when that was known."""
        for each in (self.half_hour, self.two_hours, self.day):
            each.add(now, error)
        market = self.market(features)
        market.hour.add(now, error)
        market.evening.add(now, error)
        for (kind, patience), name in zip(_PATIENCE.items(), _names(features), strict=True):
            effects = self.effects[kind]
            effect = _keep(effects, name, effects.get(name) or Effect())
            effect.count += 1
            effect.value += error / (min(effect.count, _MEMORY) + patience)

    def market(self, features: Features) -> Market:
        name = features.market or ""
        return _keep(self.markets, name, self.markets.get(name) or Market())

    def _effects(self, features: Features) -> list[Effect]:
        return [
            self.effects[kind].get(name, _NO_EFFECT)
            for kind, name in zip(_PATIENCE, _names(features), strict=True)
        ]


def _names(features: Features) -> tuple[str, str, str, str]:
    """In the order of `_PATIENCE`; what is not known is a name of its own."""
    market, category = features.market or "", features.category or ""
    return market, category, features.protocol or "", features.store


def _keep(named: dict[str, T], name: str, value: T) -> T:
    """Put it last. A dict keeps its order, so the first is the one not seen for longest."""
    named.pop(name, None)
    if len(named) >= _KEPT:
        del named[next(iter(named))]
    named[name] = value
    return value


_NOWHERE: Final = Market()
_NO_EFFECT: Final = Effect()
