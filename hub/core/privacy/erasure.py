"""What is left of an order when its customer's personal data is erased. Pure, and done twice the
same as once.

Personal is what names the customer or comes from them in words: `customerId`, the address but for
its region, its contact, the `notificationUrl`, reasons and details, and who acted as customer. What
was ordered, where, when and how it went stays.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from hub.core.orders.state import OrderState
from schemas.lifecycle import Role
from schemas.wire import dumps, loads_own

__all__ = [
    "ERASED",
    "erased_event",
    "erased_order",
    "erased_payload",
    "erased_record",
    "erased_state",
]

ERASED: Final = "erased"
"""In the place of an address' text, which an order must have."""

_REGION: Final = 1
"""Decimals of where an order went: some 10 km."""

_NAMES: Final = ("customerId", "notificationUrl", "reason")


def erased_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """An order's request, or what was answered to it, in their wire form."""
    kept = {name: value for name, value in order.items() if name not in _NAMES}
    if address := order.get("address"):
        lat, lng = (round(address[name], _REGION) for name in ("lat", "lng"))
        kept["address"] = {"text": ERASED, "lat": lat, "lng": lng}
    return {**kept, "erased": True}


def erased_state(state: OrderState) -> OrderState:
    return replace(
        state,
        request=erased_order(state.request),
        reason=None,
        exceptions=tuple(replace(each, detail=None) for each in state.exceptions),
        handled=tuple(replace(each, detail=None) for each in state.handled),
    )


def erased_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """`hash` and `prevHash` stay, so that the chain goes on. An event with nothing personal in it
    is as it was; any other is marked, since its hash is no longer that of what is left.
    """
    kept = erased_record(event)
    kept.pop("reason", None)
    if exception := event.get("exception"):
        kept["exception"] = {name: each for name, each in exception.items() if name != "detail"}
    return kept if kept == event else {**kept, "erased": True}


def erased_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked of an order: without the customer's name."""
    kept = dict(record)
    if (actor := record.get("actor")) and actor["role"] == Role.CUSTOMER:
        kept["actor"] = {name: each for name, each in actor.items() if name != "sub"}
    return kept


def erased_payload(payload: bytes) -> bytes:
    """What partners are told of an event (JSON): without reason and detail."""
    told = loads_own(payload)
    kept = dict(told)
    if "payload" in told:
        kept["payload"] = {n: each for n, each in told["payload"].items() if n != "reason"}
    if "exception" in told:
        kept["exception"] = {n: each for n, each in told["exception"].items() if n != "detail"}
    return payload if kept == told else dumps(kept)
