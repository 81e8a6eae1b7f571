"""From one event to the deliveries it makes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import msgpack

from hub.core.signature import make_webhook_id
from hub.store.endpoints import EndpointRecord
from hub.store.lanes import Delivery
from schemas.lifecycle import STATUS_EVENTS, EventType
from schemas.wire import dumps, loads

__all__ = ["CHANGES", "CONFIRMED", "Entry", "plan", "read_entry"]

CONFIRMED: Final = "confirmed"
"""The target of `POST {notificationUrl}/order-status`."""

CHANGES: Final = "changes"
"""The target of `POST {notificationUrl}`."""

_STATUS_CHANGES: Final = frozenset(STATUS_EVENTS.values()) - {EventType.CREATED}
_NEEDED: Final = {
    "orderId": str,
    "epoch": str,
    "seq": int,
    "eventType": str,
    "status": str,
    "timestamp": str,
}
_UPDATE: Final = ("orderId", "status", "timestamp", "estimatedTime", "reason")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a partition's log: the event as its wire names have it, and whom it concerns."""

    event: dict[str, Any]
    partner: str
    url: str | None


def read_entry(fields: dict[bytes, bytes]) -> Entry:
    """Raises ValueError, KeyError or TypeError for an entry that is none.

    Fields that we do not know pass: a newer hub may have written them.
    """
    event = loads(fields[b"e"])
    whom = msgpack.unpackb(fields[b"w"])
    for name, kind in _NEEDED.items():
        if not isinstance(event[name], kind):
            raise TypeError(f"{name} is no {kind.__name__}")
    entry = Entry(event=event, partner=str(whom["partner"]), url=whom["url"] or None)
    urlsplit(entry.url or "")
    return entry


def plan(partition: int, entry: Entry, endpoints: Iterable[EndpointRecord]) -> list[Delivery]:
    """All deliveries of the event; those to a disabled endpoint are held from the start."""
    event, made = entry.event, []
    kind, seq = event["eventType"], event["seq"]
    update = {name: event[name] for name in _UPDATE if event.get(name) is not None}
    if entry.url and kind == EventType.CONFIRMED:
        url = _order_status_url(entry.url)
        made.append(_delivery(partition, entry, CONFIRMED, {**update, "seq": seq}, url))
    if entry.url and kind in _STATUS_CHANGES:
        body = {"eventType": kind, "payload": update, "seq": seq}
        made.append(_delivery(partition, entry, CHANGES, body, entry.url))
    registered = {
        "eventType": kind,
        "payload": update,
        "orderId": event["orderId"],
        "seq": seq,
        "timestamp": event["timestamp"],
    }
    made += [
        _delivery(partition, entry, each.endpoint_id, registered, held=not each.enabled)
        for each in endpoints
        if each.wants(kind)
    ]
    return made


def _delivery(
    partition: int,
    entry: Entry,
    target: str,
    body: dict[str, Any],
    url: str = "",
    *,
    held: bool = False,
) -> Delivery:
    event = entry.event
    order_id, seq = event["orderId"], event["seq"]
    return Delivery(
        delivery_id=make_webhook_id(partition, target, order_id, event["epoch"], seq),
        order_id=order_id,
        seq=seq,
        event_type=event["eventType"],
        target=target,
        queue=_queue(url) if url else target,
        partner=entry.partner,
        url=url,
        body=dumps(body),
        held=held,
    )


def _order_status_url(url: str) -> str:
    """`{notificationUrl}/order-status`, with the query, if there is one, still at the end."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/order-status"))


def _queue(url: str) -> str:
    """`origin|digest`: URLs take turns, and so do the origins they are at."""
    parts = urlsplit(url)
    digest = blake2b(url.encode(), digest_size=8).hexdigest()
    return f"{parts.scheme}://{parts.netloc.lower()}|{digest}"
