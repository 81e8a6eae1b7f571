"""From one event to those who get it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit

import msgpack

from hub.core.webhooks.bodies import CHANGES, CONFIRMED, payload_of, url_of
from hub.store.endpoints import EndpointRecord
from hub.store.lanes import News, Target
from schemas.lifecycle import STATUS_EVENTS, EventType
from schemas.wire import loads

__all__ = ["Entry", "origin_of_url", "plan", "queue_of", "read_entry", "registered"]

_STATUS_CHANGES: Final = frozenset(STATUS_EVENTS.values()) - {EventType.CREATED}
_NEEDED: Final = {
    "orderId": str,
    "epoch": str,
    "seq": int,
    "eventType": str,
    "status": str,
    "timestamp": str,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a partition's log: the event as its wire names have it, and whom it concerns."""

    event: dict[str, Any]
    partner: str
    url: str | None
    entry_id: str = "0-0"
    trace: str = ""


def read_entry(entry_id: str, fields: dict[bytes, bytes]) -> Entry:
    """Raises ValueError, KeyError or TypeError for an entry that is none.

    Fields that we do not know pass: a newer hub may have written them.
    """
    event = loads(fields[b"e"])
    whom = msgpack.unpackb(fields[b"w"])
    for name, kind in _NEEDED.items():
        if not isinstance(event[name], kind):
            raise TypeError(f"{name} is no {kind.__name__}")
    partner, url = str(whom["partner"]), whom["url"] or None
    entry = Entry(event, partner, url, entry_id, whom.get("trace", ""))
    urlsplit(entry.url or "")
    return entry


def plan(entry: Entry, endpoints: Iterable[EndpointRecord]) -> News | None:
    """Whom the event goes to; None where that is nobody. A disabled endpoint's is held."""
    event = entry.event
    kind = event["eventType"]
    targets = _callbacks(entry.url, kind) if entry.url else []
    targets += [registered(each) for each in endpoints if each.wants(kind)]
    if not targets:
        return None
    return News(
        order_id=event["orderId"],
        epoch=event["epoch"],
        seq=event["seq"],
        partner=entry.partner,
        url=entry.url or "",
        payload=payload_of(event),
        targets=targets,
        trace=entry.trace,
    )


def registered(endpoint: EndpointRecord) -> Target:
    name = endpoint.endpoint_id
    return Target(name, name, held=not endpoint.enabled, latest=endpoint.latest)


def _callbacks(url: str, kind: str) -> list[Target]:
    names = [CONFIRMED] if kind == EventType.CONFIRMED else []
    names += [CHANGES] if kind in _STATUS_CHANGES else []
    return [Target(name, queue_of(url_of(name, url))) for name in names]


def queue_of(url: str) -> str:
    """`origin|digest`: URLs take turns, and so do the origins they are at."""
    digest = blake2b(url.encode(), digest_size=8).hexdigest()
    return f"{origin_of_url(url)}|{digest}"


def origin_of_url(url: str) -> str:
    """Scheme, host and port, as the URL has them, but for the host's case."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"
