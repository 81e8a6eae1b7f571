"""A Friday evening, planned: who orders what, when, and what becomes of it. Pure and seeded.

A minute of the evening takes a second here, so that an order's whole life is over within 20 to
40 seconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import log, pi, sin
from random import Random
from typing import Final

from hub.demo.streets import Point, Streets
from schemas.lifecycle import PaymentMethod
from schemas.orders import Item

__all__ = ["Evening", "Fate", "OrderPlan", "arrivals", "plan"]

_CANCELLED_BY_CUSTOMER: Final = 0.03
_CANCELLED_BY_MERCHANT: Final = 0.03
_GOES_AWAY: Final = 0.15  # share of customers whose phone loses its connection once
_CUSTOMER_REASONS: Final = ("ordered twice", "changed my mind", "wrong address")
_MERCHANT_REASONS: Final = ("sold out", "kitchen closes early", "too busy")
_MENU: Final = (
    ("Noodle soup", 2800),
    ("Pork dumplings", 2200),
    ("Mapo tofu", 2600),
    ("Fried rice", 2400),
    ("Spring rolls", 1600),
    ("Lemon tea", 1200),
)
_METHODS: Final = (PaymentMethod.WECHAT, PaymentMethod.ALIPAY, PaymentMethod.CASH)


class Fate(StrEnum):
    DELIVERED = "delivered"
    CUSTOMER_CANCELS = "customer cancels"
    MERCHANT_CANCELS = "merchant cancels"


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """Seconds: `at` from the start of the evening, the others from the step before."""

    number: int
    at: float
    restaurant: int
    door: Point
    items: list[Item]
    method: PaymentMethod
    fate: Fate
    reason: str | None
    confirm: float
    prepare: float
    kitchen: float
    hand_over: float
    away: tuple[float, float] | None
    """When the customer's connection is lost, counted from the order, and for how long."""


@dataclass(frozen=True, slots=True)
class Evening:
    streets: Streets
    restaurants: list[Point]
    riders: list[Point]
    orders: list[OrderPlan]
    speed: float


def arrivals(count: int, seconds: float, chance: Random) -> list[float]:
    """When the orders come: a hump, thin at its ends, as of people who get hungry."""
    moments: list[float] = []
    while len(moments) < count:
        share = chance.random()
        if chance.random() * 1.5 < 0.5 + sin(pi * share):
            moments.append(share * seconds)
    return sorted(moments)


def plan(per_minute: float, minutes: float, speed: float, seed: int) -> Evening:
    """At least one order; riders enough for the rate. Waits are divided by `speed`."""
    chance = Random(seed)
    streets = Streets()
    count = max(1, round(per_minute * minutes))
    in_flight = min(count, round(per_minute * 0.35))
    restaurants = [streets.address(chance) for _ in range(max(2, min(24, count // 6)))]
    riders = [streets.address(chance) for _ in range(max(3, in_flight))]
    moments = arrivals(count, minutes * 60, chance)
    orders = [
        _order(number, at, chance.randrange(len(restaurants)), streets, speed, chance)
        for number, at in enumerate(moments)
    ]
    return Evening(streets, restaurants, riders, orders, speed)


def _order(
    number: int, at: float, restaurant: int, streets: Streets, speed: float, chance: Random
) -> OrderPlan:
    fate, reason = _fate(chance)
    away = _away(speed, chance) if chance.random() < _GOES_AWAY else None
    return OrderPlan(
        number=number,
        at=at,
        restaurant=restaurant,
        door=streets.address(chance),
        items=_items(chance),
        method=chance.choices(_METHODS, (50, 35, 15))[0],
        fate=fate,
        reason=reason,
        confirm=_around(1.5 / speed, chance),
        prepare=_around(1.0 / speed, chance),
        kitchen=_around(9.0 / speed, chance),
        hand_over=_around(1.0 / speed, chance),
        away=away,
    )


def _away(speed: float, chance: Random) -> tuple[float, float]:
    return chance.uniform(3, 15) / speed, chance.uniform(0.5, 4) / speed


def _fate(chance: Random) -> tuple[Fate, str | None]:
    drawn = chance.random()
    if drawn < _CANCELLED_BY_CUSTOMER:
        return Fate.CUSTOMER_CANCELS, chance.choice(_CUSTOMER_REASONS)
    if drawn < _CANCELLED_BY_CUSTOMER + _CANCELLED_BY_MERCHANT:
        return Fate.MERCHANT_CANCELS, chance.choice(_MERCHANT_REASONS)
    return Fate.DELIVERED, None


def _items(chance: Random) -> list[Item]:
    chosen = chance.sample(range(len(_MENU)), chance.randint(1, 3))
    return [
        Item(
            item_id=f"dish-{number}",
            name=_MENU[number][0],
            quantity=chance.randint(1, 3),
            unit_price_cents=_MENU[number][1],
        )
        for number in chosen
    ]


def _around(median: float, chance: Random) -> float:
    """Waits of kitchens are lognormal: most near the median, some long. At most three times it."""
    return min(3 * median, chance.lognormvariate(log(median), 0.35))
