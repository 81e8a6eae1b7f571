"""The order's lifecycle and the courier's axis.

Rule: every table about which step may follow which stands in this file and nowhere else.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "COURIER_EVENTS",
    "COURIER_STEPS",
    "FINAL",
    "MAIN_LINE",
    "STATUS_EVENTS",
    "STEPS_BY_ROLE",
    "TRANSITIONS",
    "CourierState",
    "EventType",
    "PaymentMethod",
    "PaymentState",
    "Role",
    "Status",
    "skipped",
]


class Role(StrEnum):
    PLATFORM = "platform"
    MERCHANT = "merchant"
    RIDER = "rider"
    CUSTOMER = "customer"
    PARTNER = "partner"
    OPS = "ops"


class Status(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    PREPARING = "PREPARING"
    ON_DELIVERY = "ON_DELIVERY"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"


class CourierState(StrEnum):
    UNASSIGNED = "UNASSIGNED"
    ASSIGNED = "ASSIGNED"
    AT_STORE = "AT_STORE"
    PICKED_UP = "PICKED_UP"
    NEARBY = "NEARBY"
    AT_DOOR = "AT_DOOR"


class PaymentMethod(StrEnum):
    WECHAT = "WECHAT"
    ALIPAY = "ALIPAY"
    CASH = "CASH"


class PaymentState(StrEnum):
    UNPAID = "UNPAID"
    PAID = "PAID"
    FAILED = "FAILED"


class EventType(StrEnum):
    CREATED = "order.created"
    CONFIRMED = "order.confirmed"
    PREPARING = "order.preparing"
    READY = "order.ready"
    ON_DELIVERY = "order.on_delivery"
    COMPLETED = "order.completed"
    CANCELLED = "order.cancelled"
    RETURNING = "order.returning"
    RETURNED = "order.returned"
    DELAYED = "order.delayed"
    EXCEPTION = "order.exception"
    EXCEPTION_RESOLVED = "order.exception_resolved"
    COURIER_ASSIGNED = "courier.assigned"
    COURIER_UNASSIGNED = "courier.unassigned"
    COURIER_AT_STORE = "courier.at_store"
    COURIER_NEARBY = "courier.nearby"
    COURIER_AT_DOOR = "courier.at_door"


_S = Status

MAIN_LINE: Final = (_S.PENDING, _S.CONFIRMED, _S.PREPARING, _S.ON_DELIVERY, _S.COMPLETED)
"""The order of the good case. A skip passes over members of this line."""

TRANSITIONS: Final = MappingProxyType(
    {
        # PENDING must be CONFIRMED before anything but CANCELLED; later steps may be skipped.
        _S.PENDING: (_S.CONFIRMED, _S.CANCELLED),
        _S.CONFIRMED: (_S.PREPARING, _S.ON_DELIVERY, _S.COMPLETED, _S.CANCELLED),
        _S.PREPARING: (_S.ON_DELIVERY, _S.COMPLETED, _S.CANCELLED),
        _S.ON_DELIVERY: (_S.COMPLETED, _S.RETURNING, _S.CANCELLED),
        _S.RETURNING: (_S.RETURNED,),
        _S.COMPLETED: (),
        _S.CANCELLED: (),
        _S.RETURNED: (),
    }
)

FINAL: Final = frozenset(status for status, following in TRANSITIONS.items() if not following)

STEPS_BY_ROLE: Final = MappingProxyType(
    {
        Role.PLATFORM: frozenset(Status),
        Role.MERCHANT: frozenset({_S.CONFIRMED, _S.PREPARING, _S.CANCELLED}),
        Role.RIDER: frozenset({_S.ON_DELIVERY, _S.COMPLETED, _S.RETURNING}),
        Role.CUSTOMER: frozenset({_S.CANCELLED}),
        Role.OPS: frozenset({_S.CANCELLED}),  # the worker, when a deadline has come
    }
)
"""Which statuses a role may ask for. A customer may cancel only while the order is PENDING."""

STATUS_EVENTS: Final = MappingProxyType(
    {
        _S.PENDING: EventType.CREATED,
        _S.CONFIRMED: EventType.CONFIRMED,
        _S.PREPARING: EventType.PREPARING,
        _S.ON_DELIVERY: EventType.ON_DELIVERY,
        _S.COMPLETED: EventType.COMPLETED,
        _S.CANCELLED: EventType.CANCELLED,
        _S.RETURNING: EventType.RETURNING,
        _S.RETURNED: EventType.RETURNED,
    }
)

_C = CourierState

COURIER_STEPS: Final = MappingProxyType(
    {
        # What the rider (or a geofence) may tell next; assignment is the platform's word.
        _C.UNASSIGNED: (),
        _C.ASSIGNED: (_C.AT_STORE, _C.PICKED_UP, _C.UNASSIGNED),
        _C.AT_STORE: (_C.PICKED_UP, _C.UNASSIGNED),
        _C.PICKED_UP: (_C.NEARBY, _C.AT_DOOR, _C.UNASSIGNED),
        _C.NEARBY: (_C.AT_DOOR, _C.UNASSIGNED),
        _C.AT_DOOR: (_C.UNASSIGNED,),
    }
)

COURIER_EVENTS: Final = MappingProxyType(
    {
        # PICKED_UP has no event of its own: it moves the order to ON_DELIVERY.
        _C.UNASSIGNED: EventType.COURIER_UNASSIGNED,
        _C.ASSIGNED: EventType.COURIER_ASSIGNED,
        _C.AT_STORE: EventType.COURIER_AT_STORE,
        _C.NEARBY: EventType.COURIER_NEARBY,
        _C.AT_DOOR: EventType.COURIER_AT_DOOR,
    }
)


def skipped(current: Status, following: Status) -> tuple[Status, ...]:
    """The statuses that a step from `current` to `following` passes over."""
    if current not in MAIN_LINE or following not in MAIN_LINE:
        return ()
    return MAIN_LINE[MAIN_LINE.index(current) + 1 : MAIN_LINE.index(following)]
