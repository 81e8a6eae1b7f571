"""Orders and updates for the tests of the core."""

from typing import Any

from msgspec.structs import replace

from hub.core.orders.change import Change
from hub.core.orders.order import change_status, place
from hub.core.orders.state import OrderState
from schemas.lifecycle import Role, Status
from schemas.orders import Actor, OrderStatusUpdate

__all__ = ["NOW", "PLATFORM", "REQUEST", "actor", "advance", "placed", "update"]

NOW = 1_795_374_343.0
PLATFORM = Actor(role=Role.PLATFORM)
REQUEST: dict[str, Any] = {
    "restaurantId": "res_1",
    "items": [{"itemId": "i", "name": "n", "quantity": 2, "unitPriceCents": 150}],
    "address": {"text": "t", "lat": 31.2397, "lng": 121.4998},
    "paymentMethod": "CASH",
    "customerId": "cus_1",
}


def actor(role: Role, sub: str | None = None) -> Actor:
    return Actor(role=role, sub=sub)


def placed(now: float = NOW, **changes: Any) -> OrderState:
    """A new order; `changes` are fields of its request."""
    request = {**REQUEST, **changes}
    return place("ord_1", "abcdefgh", request, "default", PLATFORM, now).state


def update(status: Status | str, at: float = NOW, **more: Any) -> OrderStatusUpdate:
    if status == Status.CANCELLED:
        more.setdefault("reason", "test")
    return OrderStatusUpdate(status=Status(status), timestamp=float(at), **more)


def advance(state: OrderState, *statuses: str, **fields: Any) -> OrderState:
    """The order after `statuses`, a second apart, with fields set afterwards."""
    for status in statuses:
        at = state.status_at + 1
        change = change_status(state, update(status, at), PLATFORM, at)
        assert isinstance(change, Change)
        state = change.state
    return replace(state, **fields)
