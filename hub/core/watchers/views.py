"""What each audience sees of an order: the order itself, its snapshot, its positions.

One table, not scattered conditions: `VISIBLE` says what a role sees of a position, and when.
"""

from collections.abc import Mapping
from math import floor
from typing import Any, Final

from hub.core.orders.change import shown
from hub.core.orders.state import OrderState
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import Role, Status
from schemas.telemetry import Sighting, View
from schemas.times import format_time

__all__ = [
    "VISIBLE",
    "Fields",
    "in_gcj02",
    "knows_rider",
    "order_view",
    "position_view",
    "stream_event",
    "trail_view",
    "visible",
]

Fields = frozenset[str]
"""Of a position, by their names on the wire."""

NOTHING: Final = Fields()
PLACE: Final = Fields(
    ("orderId", "at", "lat", "lng", "heading", "speed", "freshness", "estimatedTime", "trail")
)
"""With 5 decimals (some 1 m), and no trace of the rider or the phone."""

WHOLE: Final = PLACE | {"accuracy", "battery", "riderId"}
"""With every decimal."""


def _row(customer: Fields, merchant: Fields, platform: Fields, rider: Fields) -> dict[Role, Fields]:
    return {
        Role.CUSTOMER: customer,
        Role.MERCHANT: merchant,
        Role.PLATFORM: platform,
        Role.RIDER: rider,
    }


# fmt: off
VISIBLE: Final[Mapping[Status, Mapping[Role, Fields]]] = {
    #                        customer merchant platform rider
    Status.PENDING:      _row(NOTHING, NOTHING, WHOLE,   WHOLE),
    Status.CONFIRMED:    _row(NOTHING, NOTHING, WHOLE,   WHOLE),
    Status.PREPARING:    _row(NOTHING, NOTHING, WHOLE,   WHOLE),
    Status.ON_DELIVERY:  _row(PLACE,   PLACE,   WHOLE,   WHOLE),
    Status.RETURNING:    _row(NOTHING, NOTHING, WHOLE,   WHOLE),
    Status.COMPLETED:    _row(NOTHING, NOTHING, NOTHING, NOTHING),
    Status.CANCELLED:    _row(NOTHING, NOTHING, NOTHING, NOTHING),
    Status.RETURNED:     _row(NOTHING, NOTHING, NOTHING, NOTHING),
}
# fmt: on
"""While a rider is assigned; without one there is nothing to see."""


def visible(role: Role, status: Status, assigned: bool) -> Fields:
    return VISIBLE[status][role] if assigned else NOTHING


_INTERNAL: Final = frozenset({"hash", "prevHash", "erased", "leg", "riderId", "told"})
_KNOWS_RIDER: Final = frozenset({Role.PLATFORM, Role.RIDER})


def knows_rider(role: Role) -> bool:
    """Whether the order itself says who rides."""
    return role in _KNOWS_RIDER


def in_gcj02(place: dict[str, Any]) -> dict[str, Any]:
    """The same place, told in GCJ-02. `place` has `lat` and `lng` in WGS 84."""
    lat, lng = to_gcj02(place["lat"], place["lng"])
    return {**place, "lat": lat, "lng": lng}


def order_view(state: OrderState, role: Role, gcj02: bool = False) -> dict[str, Any]:
    """The wire form of `Order`. Who rides is the platform's and the rider's own knowledge."""
    view: dict[str, Any] = {
        "orderId": state.order_id,
        "epoch": state.epoch,
        "seq": state.seq,
        "status": state.status.value,
        "courierState": state.courier_state.value,
        "ready": state.ready_at is not None,
        "createdAt": format_time(state.created_at),
        "updatedAt": format_time(state.updated_at),
        "totalCents": sum(i["quantity"] * i["unitPriceCents"] for i in state.request["items"]),
        **state.request,
    }
    if role is not Role.PLATFORM:
        view.pop("notificationUrl", None)
    if gcj02:
        places = (name for name in ("address", "pickup") if name in view)
        view |= {name: in_gcj02(view[name]) for name in places}
    if state.ready_at is not None:
        view["readyAt"] = format_time(state.ready_at)
    if state.reason is not None:
        view["reason"] = state.reason
    if state.exceptions:
        view["exceptions"] = [shown(state.order_id, each) for each in state.exceptions]
    if state.rider_id is not None and knows_rider(role):
        view["riderId"] = state.rider_id
    return view


def stream_event(event: dict[str, Any]) -> dict[str, Any]:
    """A stored event as the streams tell it: without what is the audit's or the bus's."""
    shown = {name: value for name, value in event.items() if name not in _INTERNAL}
    return {"type": "event", **shown}


def trail_view(
    trail: list[list[float]], fields: Fields, gcj02: bool = False
) -> list[dict[str, Any]]:
    """The way so far, oldest first; `trail` holds triples of Unix seconds, lat, lng."""
    points = []
    for at, *point in trail:
        lat, lng = _place(point[0], point[1], fields is WHOLE, gcj02)
        points.append({"at": format_time(at), "lat": lat, "lng": lng})
    return points


def position_view(
    order_id: str,
    sighting: Sighting,
    fields: Fields,
    freshness: str,
    rider_id: str | None,
    gcj02: bool = False,
) -> View:
    """A position as those see it who may see these fields: PLACE or WHOLE."""
    whole = fields is WHOLE
    lat, lng = _place(sighting.lat, sighting.lng, whole, gcj02)
    view = View(
        order_id, format_time(sighting.at), lat, lng, freshness, sighting.heading, sighting.speed
    )
    if sighting.way:
        view.trail = trail_view(sighting.way, fields, gcj02)
    if whole:
        view.accuracy, view.battery, view.rider_id = sighting.accuracy, sighting.battery, rider_id
    return view


def _place(lat: float, lng: float, whole: bool, gcj02: bool) -> tuple[float, float]:
    if gcj02:
        lat, lng = to_gcj02(lat, lng)
    # As `round(lat, 5)`, in a third of its time.
    return (lat, lng) if whole else (floor(lat * 1e5 + 0.5) / 1e5, floor(lng * 1e5 + 0.5) / 1e5)
