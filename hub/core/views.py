"""What each audience sees of an order: the order itself, its snapshot, its positions.

A table, not scattered conditions: `_SEES_POSITION` says when a role may see where the rider is.
"""

from collections.abc import Callable
from math import floor
from typing import Any, Final

from hub.core.change import shown
from hub.core.state import OrderState
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import FINAL, Role, Status
from schemas.telemetry import Sighting, View
from schemas.times import format_time

__all__ = [
    "order_view",
    "position_view",
    "sees_position",
    "sees_rider",
    "stream_event",
    "trail_view",
]


def _on_delivery(status: Status, assigned: bool) -> bool:
    return status is Status.ON_DELIVERY


def _while_assigned(status: Status, assigned: bool) -> bool:
    return assigned and status not in FINAL


_SEES_POSITION: Final[dict[Role, Callable[[Status, bool], bool]]] = {
    Role.PLATFORM: _while_assigned,
    Role.MERCHANT: _on_delivery,
    Role.CUSTOMER: _on_delivery,
    Role.RIDER: _while_assigned,
}

_INTERNAL: Final = frozenset({"hash", "prevHash", "leg", "riderId"})
_SEES_RIDER: Final = frozenset({Role.PLATFORM, Role.RIDER})


def sees_rider(role: Role) -> bool:
    return role in _SEES_RIDER


def sees_position(role: Role, status: Status, assigned: bool) -> bool:
    return _SEES_POSITION[role](status, assigned)


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
        for name in ("address", "pickup"):
            if name in view:
                lat, lng = to_gcj02(view[name]["lat"], view[name]["lng"])
                view[name] = {**view[name], "lat": lat, "lng": lng}
    if state.ready_at is not None:
        view["readyAt"] = format_time(state.ready_at)
    if state.reason is not None:
        view["reason"] = state.reason
    if state.exceptions:
        view["exceptions"] = [shown(state.order_id, each) for each in state.exceptions]
    if state.rider_id is not None and role in _SEES_RIDER:
        view["riderId"] = state.rider_id
    return view


def stream_event(event: dict[str, Any]) -> dict[str, Any]:
    """A stored event as the streams tell it: without what is the audit's or the bus's."""
    return {name: value for name, value in event.items() if name not in _INTERNAL}


def trail_view(trail: list[list[float]], role: Role, gcj02: bool = False) -> list[dict[str, Any]]:
    """The way so far, oldest first; `trail` holds triples of Unix seconds, lat, lng."""
    return _points(trail, role in _SEES_RIDER, gcj02)


def _points(way: list[list[float]], full: bool, gcj02: bool) -> list[dict[str, Any]]:
    points = []
    for at, *point in way:
        lat, lng = _place(point[0], point[1], full, gcj02)
        points.append({"at": format_time(at), "lat": lat, "lng": lng})
    return points


def position_view(
    order_id: str,
    sighting: Sighting,
    full: bool,
    freshness: str,
    rider_id: str | None,
    gcj02: bool = False,
) -> View:
    """A position as those see it who may know the rider (`full`), or as all others do: with 5
    decimals (some 1 m) and no trace of the rider's phone.
    """
    lat, lng = _place(sighting.lat, sighting.lng, full, gcj02)
    view = View(
        order_id, format_time(sighting.at), lat, lng, freshness, sighting.heading, sighting.speed
    )
    if sighting.way:
        view.trail = _points(sighting.way, full, gcj02)
    if full:
        view.accuracy, view.battery, view.rider_id = sighting.accuracy, sighting.battery, rider_id
    return view


def _place(lat: float, lng: float, full: bool, gcj02: bool) -> tuple[float, float]:
    if gcj02:
        lat, lng = to_gcj02(lat, lng)
    # As `round(lat, 5)`, in a third of its time.
    return (lat, lng) if full else (floor(lat * 1e5 + 0.5) / 1e5, floor(lng * 1e5 + 0.5) / 1e5)
