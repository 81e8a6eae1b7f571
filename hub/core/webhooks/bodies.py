"""What a webhook says. Pure.

What a registered endpoint gets is stored with the event, once; the bodies of the two callbacks
are made from it when they are sent.
"""

from collections.abc import Sequence
from typing import Any, Final

from schemas.wire import dumps, loads_own

__all__ = ["CHANGES", "CONFIRMED", "body_of", "payload_of", "url_of"]

CONFIRMED: Final = "confirmed"
"""The target of `POST {notificationUrl}/order-status`."""

CHANGES: Final = "changes"
"""The target of `POST {notificationUrl}`."""

_UPDATE: Final = ("orderId", "status", "timestamp", "estimatedTime", "reason")


def payload_of(event: dict[str, Any]) -> bytes:
    """What registered endpoints are told of an order's event (`RegisteredBody`, JSON)."""
    update = {name: event[name] for name in _UPDATE if event.get(name) is not None}
    body = {
        "eventType": event["eventType"],
        "payload": update,
        "orderId": event["orderId"],
        "seq": event["seq"],
        "timestamp": event["timestamp"],
    }
    if "exception" in event:
        body["exception"] = event["exception"]
    return dumps(body)


def body_of(target: str, payload: bytes, stands_for: Sequence[int] = ()) -> bytes:
    """The body of the request: `OrderStatusBody`, `StatusChangeBody`, or the payload itself."""
    if target not in (CONFIRMED, CHANGES) and not stands_for:
        return payload
    told = loads_own(payload)
    if target == CONFIRMED:
        return dumps({**told["payload"], "seq": told["seq"]})
    if target == CHANGES:
        return dumps({name: told[name] for name in ("eventType", "payload", "seq")})
    return dumps({**told, "supersedes": list(stands_for)})


def url_of(target: str, url: str) -> str:
    """Where a callback goes; `{notificationUrl}/order-status` keeps a query at its end."""
    if target != CONFIRMED:
        return url
    base, mark, query = url.partition("?")
    return f"{base.rstrip('/')}/order-status{mark}{query}"
