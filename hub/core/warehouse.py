"""The tables of the warehouse: their columns, and their rows from what the store tells. Pure.

Rows are plain: a `time` is whole microseconds of Unix time, a `date` days since 1970. Who was at
it stands there by a pseudonym only; texts, names, contacts and exact addresses do not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal

import msgpack

from hub.core.orders.state import OrderState
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.core.webhooks.signature import WebhookId
from schemas.lifecycle import FINAL, STATUS_EVENTS, EventType, Role
from schemas.motion import distance
from schemas.times import parse_time
from schemas.wire import loads_own

__all__ = [
    "TABLES",
    "Row",
    "delivery_row",
    "ends_order",
    "entry_of",
    "event_row",
    "operation_rows",
    "order_row",
    "position_of",
]

Row = dict[str, Any]
Kind = Literal["text", "whole", "number", "time", "date"]

TABLES: Final[Mapping[str, Mapping[str, Kind]]] = {
    "events": {
        "day": "date",
        "entry_id": "text",
        "order_id": "text",
        "epoch": "text",
        "seq": "whole",
        "event_type": "text",
        "status": "text",
        "courier_state": "text",
        "occurred_at": "time",
        "logged_at": "time",
        "estimated_minutes": "whole",
        "actor_role": "text",
        "actor": "text",
        "reason": "text",
        "exception": "text",
        "partner": "text",
        "hash": "text",
        "prev_hash": "text",
    },
    "orders": {
        "day": "date",
        "order_id": "text",
        "epoch": "text",
        "partner": "text",
        "restaurant_id": "text",
        "customer": "text",
        "rider": "text",
        "status": "text",
        "reason": "text",
        "payment_method": "text",
        "items": "whole",
        "quantity": "whole",
        "subtotal_cents": "whole",
        "least_price_cents": "whole",
        "highest_price_cents": "whole",
        "pickup_lat": "number",
        "pickup_lng": "number",
        "address_lat": "number",
        "address_lng": "number",
        "distance_m": "number",
        "hour": "whole",
        "created_at": "time",
        "confirmed_at": "time",
        "preparing_at": "time",
        "ready_at": "time",
        "assigned_at": "time",
        "at_store_at": "time",
        "on_delivery_at": "time",
        "nearby_at": "time",
        "at_door_at": "time",
        "ended_at": "time",
        "promised_at": "time",
        "pending_s": "number",
        "confirmed_s": "number",
        "preparing_s": "number",
        "on_delivery_s": "number",
        "returning_s": "number",
        "total_s": "number",
        "assignments": "whole",
        "exceptions": "whole",
        "events": "whole",
    },
    "deliveries": {
        "day": "date",
        "delivery_id": "text",
        "order_id": "text",
        "epoch": "text",
        "seq": "whole",
        "target": "text",
        "partner": "text",
        "state": "text",
        "attempts": "whole",
        "status": "whole",
        "error": "text",
        "took_s": "number",
        "created_at": "time",
        "first_attempt_at": "time",
        "settled_at": "time",
    },
    "operations": {
        "day": "date",
        "answered_at": "time",
        "method": "text",
        "route": "text",
        "status": "whole",
        "role": "text",
        "caller": "text",
        "partner": "text",
        "order_id": "text",
        "took_ms": "number",
        "hub": "text",
    },
}
"""All may be null but `day`, by which the files are parted, in UTC."""

_DAY: Final = 86_400_000_000
_NUMBERS: Final = 20
"""Bits for an entry's number within its millisecond."""

_AREA: Final = 2
"""Decimals of where an order went: some 1 km."""

_STEPS: Final = {
    "confirmed_at": EventType.CONFIRMED,
    "preparing_at": EventType.PREPARING,
    "ready_at": EventType.READY,
    "assigned_at": EventType.COURIER_ASSIGNED,
    "at_store_at": EventType.COURIER_AT_STORE,
    "on_delivery_at": EventType.ON_DELIVERY,
    "nearby_at": EventType.COURIER_NEARBY,
    "at_door_at": EventType.COURIER_AT_DOOR,
}
_STATUS_EVENTS: Final = frozenset(STATUS_EVENTS.values())
_ENDS: Final = frozenset(STATUS_EVENTS[status].value for status in FINAL)


def position_of(entry_id: str) -> int:
    """An entry's id as one whole number of the same order, which fits 63 bits until 2248."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds) << _NUMBERS | int(number or 0)


def entry_of(position: int) -> str:
    """The id of the entry at a position."""
    return f"{position >> _NUMBERS}-{position & (1 << _NUMBERS) - 1}"


def ends_order(event: Mapping[str, Any]) -> bool:
    return event["eventType"] in _ENDS


def event_row(entry_id: str, fields: Mapping[bytes, bytes], names: Pseudonyms) -> Row:
    """A row of `events` from an entry of the log.

    Raises ValueError, KeyError, TypeError or AttributeError for an entry that is none.
    """
    event = loads_own(fields[b"e"])
    at, actor = _time(event["timestamp"]), event["actor"]
    return {
        "day": at // _DAY,
        "entry_id": entry_id,
        "order_id": event["orderId"],
        "epoch": event["epoch"],
        "seq": event["seq"],
        "event_type": event["eventType"],
        "status": event["status"],
        "courier_state": event.get("courierState"),
        "occurred_at": at,
        "logged_at": (position_of(entry_id) >> _NUMBERS) * 1000,
        "estimated_minutes": event.get("estimatedTime"),
        "actor_role": actor["role"],
        "actor": names.of(Role(actor["role"]), actor.get("sub")),
        "reason": event.get("reason"),
        "exception": (event.get("exception") or {}).get("code"),
        "partner": msgpack.unpackb(fields[b"w"])["partner"],
        "hash": event["hash"],
        "prev_hash": event["prevHash"],
    }


def order_row(
    end: Mapping[str, Any],
    state: OrderState | None,
    events: Sequence[Mapping[str, Any]],
    names: Pseudonyms,
) -> Row:
    """A row of `orders` from the event that ended it, and what the store has of it.

    An order that the store no longer has (`state` None) is told by its end alone.
    """
    ended = _time(end["timestamp"])
    row: Row = dict.fromkeys(TABLES["orders"])
    row |= {
        "day": ended // _DAY,
        "order_id": end["orderId"],
        "epoch": end["epoch"],
        "status": end["status"],
        "reason": end.get("reason"),
        "ended_at": ended,
        "events": end["seq"],
    }
    if state is not None:
        row |= _of_state(state, names) | _of_events(events, end["seq"])
        row["total_s"] = _seconds(row["created_at"], ended)
    return row


def _of_state(state: OrderState, names: Pseudonyms) -> Row:
    request, created = state.request, round(state.created_at * 1e6)
    prices = [each["unitPriceCents"] for each in request["items"]]
    return {
        "partner": state.partner,
        "restaurant_id": state.restaurant_id,
        "customer": names.of(Role.CUSTOMER, state.customer_id),
        "rider": names.of(Role.RIDER, state.rider_id),
        "payment_method": request["paymentMethod"],
        "items": len(request["items"]),
        "quantity": sum(each["quantity"] for each in request["items"]),
        "subtotal_cents": sum(e["quantity"] * e["unitPriceCents"] for e in request["items"]),
        "least_price_cents": min(prices),
        "highest_price_cents": max(prices),
        "hour": created % _DAY // 3_600_000_000,
        "created_at": created,
        **_way(request),
    }


def _way(request: Mapping[str, Any]) -> Row:
    """From where to where; the address as an area only."""
    address, pickup = request["address"], request.get("pickup")
    way: Row = {
        "address_lat": round(address["lat"], _AREA),
        "address_lng": round(address["lng"], _AREA),
    }
    if pickup:
        way |= {"pickup_lat": pickup["lat"], "pickup_lng": pickup["lng"]}
        metres = distance(pickup["lat"], pickup["lng"], address["lat"], address["lng"])
        way["distance_m"] = round(metres, 1)
    return way


def _of_events(events: Sequence[Mapping[str, Any]], last: int) -> Row:
    """When each step came first, how long each status lasted, and what was promised at first."""
    told = [(EventType(each["eventType"]), each) for each in events if each["seq"] <= last]
    first = {kind: _time(each["timestamp"]) for kind, each in reversed(told)}
    row: Row = {name: first.get(kind) for name, kind in _STEPS.items()}
    changes = [each for kind, each in told if kind in _STATUS_EVENTS]
    for before, after in pairwise(changes):
        name = f"{before['status'].lower()}_s"
        row[name] = _seconds(_time(before["timestamp"]), _time(after["timestamp"]))
    row["promised_at"] = _promised(events)
    row["assignments"] = sum(kind is EventType.COURIER_ASSIGNED for kind, _ in told)
    row["exceptions"] = sum(kind is EventType.EXCEPTION for kind, _ in told)
    return row


def _promised(events: Iterable[Mapping[str, Any]]) -> int | None:
    for each in events:
        minutes = each.get("estimatedTime")
        if minutes is not None:
            return _time(each["timestamp"]) + int(minutes) * 60_000_000
    return None


def delivery_row(fields: Mapping[bytes, bytes]) -> Row:
    """A row of `deliveries` from what the bridge noted as it settled one: see lane_settle.lua.

    Raises ValueError or KeyError for an entry that is none.
    """
    target, order_id, epoch, partner = (fields[each].decode() for each in (b"t", b"o", b"p", b"w"))
    seq, (state, created, first, settled, attempts, _) = int(fields[b"s"]), fields[b"d"].split(b" ")
    attempt = msgpack.unpackb(fields[b"a"]) if fields.get(b"a") else {}
    settled_at = int(settled) * 1000
    return {
        "day": settled_at // _DAY,
        "delivery_id": str(WebhookId(order_id, epoch, seq, target)),
        "order_id": order_id,
        "epoch": epoch,
        "seq": seq,
        "target": target,
        "partner": partner,
        "state": state.decode(),
        "attempts": int(attempts),
        "status": attempt.get("status"),
        "error": attempt.get("error"),
        "took_s": attempt.get("took"),
        "created_at": int(created) * 1000,
        "first_attempt_at": int(first) * 1000 or None,
        "settled_at": settled_at,
    }


def operation_rows(fields: Mapping[bytes, bytes]) -> list[Row]:
    """Rows of `operations` from a batch that a hub noted; each is a tuple of its values.

    Raises ValueError, KeyError or TypeError for an entry that is none.
    """
    hub = fields[b"h"].decode()
    names = list(TABLES["operations"])[1:-1]
    rows = []
    for values in msgpack.unpackb(fields[b"b"]):
        row = dict(zip(names, values, strict=True))
        rows.append({"day": row["answered_at"] // _DAY, **row, "hub": hub})
    return rows


def _time(text: str) -> int:
    return round(parse_time(text) * 1e6)


def _seconds(start: int, end: int) -> float:
    return round((end - start) / 1e6, 3)
