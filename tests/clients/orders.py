"""An order's log as a hub keeps it, and the messages that a hub makes of it."""

from typing import Any

from schemas.lifecycle import STATUS_EVENTS, Status
from schemas.times import format_time

Message = dict[str, Any]

STATUSES = ("PENDING", "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
AT = 1_795_374_343.0


class Log:
    def __init__(self, order_id: str, epoch: str = "abcdefgh") -> None:
        self.order_id = order_id
        self.epoch = epoch
        self.kept_from = 0
        """Events up to this seq are no longer kept."""
        self.events: list[Message] = []
        self.append("PENDING")

    @property
    def seq(self) -> int:
        return len(self.events)

    def append(self, status: str, event_type: str | None = None, **more: Any) -> Message:
        event = {
            "type": "event",
            "orderId": self.order_id,
            "epoch": self.epoch,
            "seq": len(self.events) + 1,
            "eventType": event_type or STATUS_EVENTS[Status(status)],
            "status": status,
            "timestamp": format_time(AT + len(self.events)),
            "actor": {"role": "platform"},
            **more,
        }
        self.events.append(event)
        return event

    def snapshot(self, **more: Any) -> Message:
        return {
            "orderId": self.order_id,
            "epoch": self.epoch,
            "seq": self.seq,
            "status": self.events[-1]["status"],
            "courierState": "UNASSIGNED",
            "ready": False,
            "createdAt": format_time(AT),
            "updatedAt": format_time(AT),
            "restaurantId": "res_1",
            "items": [],
            "totalCents": 0,
            "address": {"text": "here", "lat": 31.2, "lng": 121.4},
            "paymentMethod": "CASH",
            **more,
        }

    def subscribed(self, ask: Message, **more: Any) -> Message:
        """What contract 4 says of `recovered`."""
        after = ask.get("after")
        recovered = (
            after is not None
            and after["epoch"] == self.epoch
            and self.kept_from <= after["seq"] <= self.seq
        )
        return {
            "type": "subscribed",
            "id": ask["id"],
            "orderId": self.order_id,
            "recovered": recovered,
            "snapshot": self.snapshot(**more),
            "events": self.events[after["seq"] :] if recovered and after else [],
        }


def position(order_id: str, at: float = AT, lat: float = 31.2, **more: Any) -> Message:
    return {
        "type": "position",
        "orderId": order_id,
        "at": format_time(at),
        "lat": lat,
        "lng": 121.4,
        "freshness": "fresh",
        **more,
    }


def estimate(order_id: str, minutes: int) -> Message:
    eta = {name: format_time(AT + 60 * minutes) for name in ("p10", "p50", "p90")}
    return {"type": "estimate", "orderId": order_id, "estimatedTime": minutes, "eta": eta}


def finished(order_id: str) -> Message:
    return {"type": "unsubscribed", "orderId": order_id, "reason": "finished"}
