"""What the hub knows of an order when it is placed, as numbers for the models. Pure."""

from math import cos, isfinite, log1p, pi, sin
from typing import Final

from msgspec import Struct

__all__ = ["DESIGN", "FACTS", "Features", "design", "facts"]

_DAY: Final = 86_400.0
_PACE: Final = 0.2
"""Seconds a metre as the crow flies, where nobody gave a driving time."""

_USUAL_LOAD: Final = 0.8
"""`log1p` of orders open per rider on duty, where neither is known."""

UNKNOWN: Final = -1.0


class Features(Struct, frozen=True, kw_only=True):
    """An order, and what was going on, as of `created_at` (Unix seconds). What is not known is
    None; names are taken as they come, and one never seen before is no fault.
    """

    created_at: float
    store: str
    market: str | None = None
    category: str | None = None
    protocol: str | None = None
    items: float | None = None
    distinct_items: float | None = None
    subtotal: float | None = None
    """In minor units, as are the prices."""
    least_price: float | None = None
    highest_price: float | None = None
    on_duty: float | None = None
    """Riders, in the order's market."""
    busy: float | None = None
    open_orders: float | None = None
    place_seconds: float | None = None
    """What placing the order at the store is thought to take."""
    drive_seconds: float | None = None
    """What driving from the store to the door is thought to take."""
    metres: float | None = None
    """From the store to the door, as the crow flies."""


FACTS: Final = (
    "on_duty", "busy", "open_orders", "load", "busy_share", "gap", "place", "drive", "minute",
    "items", "subtotal", "distinct_items", "least_price", "highest_price",
)  # fmt: skip
"""What `facts` gives, in its order."""


def facts(features: Features) -> list[float]:
    """The plain numbers, for trees: what is not known is below all that is.

    No weekday: in the two or three weeks that a model sees, each comes two or three times.
    """
    on_duty, busy = _known(features.on_duty), _known(features.busy)
    orders = _known(features.open_orders)
    riders = max(on_duty, 1.0)
    counted = on_duty >= 0.0 and orders >= 0.0
    return [
        on_duty,
        busy,
        orders,
        orders / riders if counted else UNKNOWN,
        busy / riders if on_duty >= 0.0 and busy >= 0.0 else UNKNOWN,
        orders - on_duty if counted else -1e4,
        _known(features.place_seconds, 7_200.0),
        _drive(features),
        features.created_at % _DAY / 60.0,
        _known(features.items, 1_000.0),
        _known(features.subtotal),
        _known(features.distinct_items, 1_000.0),
        _known(features.least_price),
        _known(features.highest_price),
    ]


DESIGN: Final = 25
"""Length of what `design` gives."""


def design(found: list[float]) -> list[float]:
    """The same for a linear model of the logarithm of a time: each some -3 to 3, the first 1.

    A column says of each group whether it is missing, so that its others may be 0 then. The hour
    goes round by three harmonics, which do not care for the zone.
    """
    on_duty, _, orders, load, busy_share, _, place, drive, minute = found[:9]
    items, subtotal, distinct, _, highest = found[9:]
    counted, known = load >= 0.0, max(load, 0.0)
    turn = minute / 1440.0 * 2 * pi
    return [
        1.0,
        0.0 if counted else 1.0,
        log1p(known) if counted else _USUAL_LOAD,
        log1p(max(on_duty, 0.0)),
        log1p(max(orders, 0.0)),
        log1p(max(busy_share, 0.0)),
        min(max(0.0, known - 1.0), 3.0),
        min(max(0.0, known - 1.6), 3.0),
        max(drive, 0.0) / 600.0,
        1.0 if drive < 0.0 else 0.0,
        max(place, 0.0) / 300.0,
        1.0 if place < 0.0 else 0.0,
        log1p(max(subtotal, 0.0) / 100.0),
        1.0 if subtotal < 0.0 else 0.0,
        min(max(0.0, subtotal - 4_000.0) / 4_000.0, 3.0),
        log1p(max(items, 0.0)),
        log1p(max(distinct, 0.0)),
        log1p(max(highest, 0.0) / 100.0),
        1.0 if highest < 0.0 else 0.0,
        *(each(turn * times) for times in (1, 2, 3) for each in (sin, cos)),
    ]


def _known(value: float | None, most: float = 1e6) -> float:
    """Counts and amounts below 0 are slips of the counting; what is no number is not known."""
    if value is None or not isfinite(value):
        return UNKNOWN
    return min(max(value, 0.0), most)


def _drive(features: Features) -> float:
    given = _known(features.drive_seconds, 7_200.0)
    metres = _known(features.metres, 36_000.0)
    return given if given >= 0.0 or metres < 0.0 else metres * _PACE
