"""What each audience sees of an order: the order itself, its snapshot, its positions.

A table, not scattered conditions: `_SEES_POSITION` says when a role may see where the rider is.
"""

from collections.abc import Callable
from typing import Any, Final

from hub.core.state import OrderState
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import FINAL, Role, Status
from schemas.times import format_time

__all__ = ["order_view", "position_view", "sees_position", "stream_event", "trail_view"]


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

_POSITION_FIELDS: Final = ("heading", "speed")
_PLATFORM_FIELDS: Final = ("heading", "speed", "accuracy", "battery", "riderId")
_INTERNAL: Final = frozenset({"hash", "prevHash", "leg", "riderId"})
_SEES_RIDER: Final = frozenset({Role.PLATFORM, Role.RIDER})


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
    if state.rider_id is not None and role in _SEES_RIDER:
        view["riderId"] = state.rider_id
    return view


def stream_event(event: dict[str, Any]) -> dict[str, Any]:
    """A stored event as the streams tell it: without what is the audit's or the bus's."""
    return {name: value for name, value in event.items() if name not in _INTERNAL}


def trail_view(trail: list[list[float]], role: Role, gcj02: bool = False) -> list[dict[str, Any]]:
    """The way so far, oldest first; `trail` holds triples of Unix seconds, lat, lng."""
    points = (
        position_view({"orderId": "", "at": at, "lat": lat, "lng": lng}, role, "", gcj02)
        for at, lat, lng in trail
    )
    return [{name: point[name] for name in ("at", "lat", "lng")} for point in points]


def position_view(
    position: dict[str, Any], role: Role, freshness: str, gcj02: bool = False
) -> dict[str, Any]:
    """A position as `role` may see it: 5 decimals (some 1 m) and no trace of the rider's phone.

    `position` has `orderId`, `at` (Unix seconds), `lat`, `lng` and what the fix brought.
    """
    lat, lng = position["lat"], position["lng"]
    if gcj02:
        lat, lng = to_gcj02(lat, lng)
    full = role in _SEES_RIDER
    view = {
        "orderId": position["orderId"],
        "at": format_time(position["at"]),
        "lat": lat if full else round(lat, 5),
        "lng": lng if full else round(lng, 5),
        "freshness": freshness,
    }
    for name in _PLATFORM_FIELDS if full else _POSITION_FIELDS:
        if position.get(name) is not None:
            view[name] = position[name]
    return view
