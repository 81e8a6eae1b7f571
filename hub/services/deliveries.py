"""Deliveries as their partner looks after them: every attempt, tests, replays, recovery."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from hub.core.webhooks.bodies import CHANGES, CONFIRMED, url_of
from hub.core.webhooks.signature import WebhookId
from hub.errors import ConflictError, NotFoundError, UnprocessableError
from hub.store.books import Attempt, Book, Books, Kept, Place
from hub.store.connection import Connection
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.keys import PARTITIONS
from hub.store.lanes import Lanes, News, State, Target
from schemas.lifecycle import Status
from schemas.times import format_time
from schemas.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryDetail,
    DeliveryState,
    PartnerEventType,
)
from schemas.wire import dumps

__all__ = ["Deliveries", "Filter"]

_CALLBACKS: Final = {CONFIRMED: "onOrderConfirmed", CHANGES: "onStatusChange"}
_ASIDE: Final = frozenset({DeliveryState.DEAD, DeliveryState.HELD})
_TEST_EPOCH: Final = "endpoint"
"""Eight letters, as an order's epoch has."""

_CURSOR: Final = re.compile(r"([0-9]{1,15})\.([\w|-]{1,200})(?:\.(msg_[\w-]{1,250}))?", re.ASCII)
_PARTITIONS_AT_ONCE: Final = 16
_LOOKED_AT_ONCE: Final = 100
_LOOKED_AT_MAX: Final = 2000
"""Orders that one page looks at: with a rare state it is shorter, and says where to go on."""


@dataclass(frozen=True, slots=True)
class Filter:
    endpoint: str | None = None
    order_id: str | None = None
    state: DeliveryState | None = None

    def takes(self, kept: Kept) -> bool:
        which = kept.which
        return (
            self.endpoint in (None, which.target)
            and self.order_id in (None, which.order_id)
            and (self.state is None or kept.state.value == self.state.value)
        )


class Deliveries:
    """All methods raise UnavailableError, and NotFoundError for what is another partner's."""

    def __init__(self, connection: Connection) -> None:
        self._books = Books(connection)
        self._lanes = Lanes(connection)
        self._endpoints = EndpointStore(connection)

    async def list(
        self, partner: str, wanted: Filter, *, limit: int = 100, after: str | None = None
    ) -> tuple[Sequence[Delivery], str | None]:
        """By order, the one first told of last; within an order by seq. And the next cursor.

        With a filter a page may be short: only a cursor of None ends the list. Raises
        UnprocessableError for a cursor that is none.
        """
        start, skip = _read_cursor(after)
        found: list[tuple[Place, Kept, Book]] = []
        looked_at, ended = 0, False
        while len(found) <= limit and looked_at < _LOOKED_AT_MAX and not ended:
            number = max(limit, _LOOKED_AT_ONCE)
            places = await self._places(partner, wanted, start, skip, number)
            found += await self._kept(partner, wanted, places, skip)
            ended = len(places) < number
            skip, looked_at = None, looked_at + len(places)
            start = places[-1] if places else start
        page = found[:limit]
        following = None if ended or start is None else _cursor(start)
        if len(found) > limit:
            following = _cursor(*page[-1][:2])
        due = await self._books.next_due(kept for _, kept, _ in page)
        rows = zip(page, due, strict=True)
        return [_shown(kept, book, at) for (_, kept, book), at in rows], following

    async def get(self, partner: str, delivery_id: str) -> DeliveryDetail:
        kept, book = await self._find(partner, delivery_id)
        attempts = await self._books.attempts(kept.which, kept.attempts)
        (due,) = await self._books.next_due([kept])
        shown = _shown(kept, book, due)
        return DeliveryDetail(
            **{name: getattr(shown, name) for name in Delivery.model_fields},
            attempts=[_attempt(each) for each in attempts],
        )

    async def replay(self, partner: str, delivery_id: str) -> Delivery:
        """Send it again, under the same `webhook-id`. Raises ConflictError while it waits
        anyway, or its endpoint is off.
        """
        kept, book = await self._find(partner, delivery_id)
        latest = False
        if kept.which.target not in _CALLBACKS:
            latest = (await self._enabled(partner, kept.which.target)).latest
        waits = kept.state is State.PENDING
        if waits or not await self._lanes.replay(kept.which, latest=latest):
            raise ConflictError("it still waits; a replay is for what is done with")
        kept, book = await self._find(partner, delivery_id)
        return _shown(kept, book, None)

    async def test(self, partner: str, endpoint_id: str) -> Delivery:
        """Send `endpoint.test`. Raises ConflictError where the endpoint is off."""
        await self._enabled(partner, endpoint_id)
        order_id = f"test_{token_hex(10)}"
        target = Target(endpoint_id, endpoint_id)
        news = News(order_id, _TEST_EPOCH, 1, partner, "", _test_payload(order_id), [target])
        await self._lanes.add(news)
        which = WebhookId(order_id, _TEST_EPOCH, 1, endpoint_id)
        kept, book = await self._find(partner, str(which))
        return _shown(kept, book, None)

    async def recover(self, partner: str, endpoint_id: str, since: float) -> int:
        """Send again what is held or dead of events since then (Unix seconds); how many.

        Raises ConflictError where the endpoint is off.
        """
        latest, again = (await self._enabled(partner, endpoint_id)).latest, 0
        for start in range(0, PARTITIONS, _PARTITIONS_AT_ONCE):
            each = range(start, start + _PARTITIONS_AT_ONCE)
            recovered = (self._lanes.recover(p, endpoint_id, since, latest=latest) for p in each)
            again += sum(await asyncio.gather(*recovered))
        return again

    async def _enabled(self, partner: str, endpoint_id: str) -> EndpointRecord:
        record = await self._endpoints.find(partner, endpoint_id)
        if record is None:
            raise NotFoundError(f"there is no endpoint {endpoint_id}")
        if not record.enabled:
            raise ConflictError("the endpoint is off; PATCH its state to enabled first")
        return record

    async def _find(self, partner: str, delivery_id: str) -> tuple[Kept, Book]:
        which = WebhookId.read(delivery_id)
        book = await self._books.of_order(which.order_id) if which else None
        if book is not None and book.partner == partner:
            for kept in book.items:
                if kept.which == which:
                    return kept, book
        raise NotFoundError(f"there is no delivery {delivery_id}")

    async def _places(
        self, partner: str, wanted: Filter, start: Place | None, skip: str | None, number: int
    ) -> Sequence[Place]:
        """The next orders, or deliveries set aside, to look at; the one where a page ended in
        the middle comes again.
        """
        if wanted.order_id is not None:
            return [Place(0, wanted.order_id)]
        endpoint, state = wanted.endpoint, wanted.state
        if endpoint and endpoint not in _CALLBACKS and state in _ASIDE:
            return await self._books.aside(State(state.value), endpoint, start, number)
        again = [start] if start is not None and skip else []
        return again + await self._books.of_partner(partner, start, number)

    async def _kept(
        self, partner: str, wanted: Filter, places: Sequence[Place], skip: str | None
    ) -> Sequence[tuple[Place, Kept, Book]]:
        books = await self._books.of_orders([_order_of(place) for place in places])
        found = [
            (place, kept, book)
            for place, book in zip(places, books, strict=True)
            if book is not None and book.partner == partner
            for kept in book.items
            if _named(place, kept) and wanted.takes(kept)
        ]
        last = WebhookId.read(skip) if skip else None
        return [each for each in found if last is None or _after(each[1].which, last)]


def _after(which: WebhookId, last: WebhookId) -> bool:
    """Within an order; whatever is of another comes after it."""
    if which.order_id != last.order_id:
        return True
    return (which.seq, which.target) > (last.seq, last.target)


def _order_of(place: Place) -> str:
    """`place.name` is an order, or `<target>|<orderId>|<seq>`."""
    return place.name.split("|")[1] if "|" in place.name else place.name


def _named(place: Place, kept: Kept) -> bool:
    which = kept.which
    return "|" not in place.name or place.name == f"{which.target}|{which.order_id}|{which.seq}"


def _read_cursor(text: str | None) -> tuple[Place | None, str | None]:
    if text is None:
        return None, None
    match = _CURSOR.fullmatch(text)
    if match is None:
        wrong = "is no cursor of this list"
        raise UnprocessableError(f"after {wrong}", [("#/after", wrong)])
    return Place(int(match[1]), match[2]), match[3]


def _cursor(place: Place, kept: Kept | None = None) -> str:
    inside = "" if kept is None or "|" in place.name else f".{kept.which}"
    return f"{place.at}.{place.name}{inside}"


def _shown(kept: Kept, book: Book, due: float | None) -> Delivery:
    which = kept.which
    callback = _CALLBACKS.get(which.target)
    waits = kept.state is State.PENDING
    return Delivery.model_validate(
        {
            "deliveryId": str(which),
            "orderId": None if which.order_id.startswith("ep_") else which.order_id,
            "seq": which.seq,
            "eventType": kept.event_type,
            "endpoint": None if callback else which.target,
            "callback": callback,
            "url": url_of(which.target, book.url) if callback else None,
            "state": kept.state.value,
            "attemptCount": kept.attempts,
            "createdAt": format_time(kept.created),
            "firstAttemptAt": format_time(kept.first) if kept.first else None,
            "settledAt": format_time(kept.settled) if kept.settled else None,
            "nextAttemptAt": format_time(due) if due and waits else None,
        }
    )


def _attempt(attempt: Attempt) -> DeliveryAttempt:
    return DeliveryAttempt(
        attempt=attempt.number,
        at=attempt.at,
        took_ms=round(attempt.took * 1000, 3),
        status=attempt.status,
        error=attempt.error,
    )


def _test_payload(order_id: str) -> bytes:
    now = format_time(time.time())
    update = {"orderId": order_id, "status": Status.PENDING.value, "timestamp": now}
    return dumps(
        {
            "eventType": PartnerEventType.ENDPOINT_TEST.value,
            "payload": update,
            "orderId": order_id,
            "seq": 1,
            "timestamp": now,
        }
    )
