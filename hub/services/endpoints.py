"""Registered webhook endpoints, as their partner manages them (contract 6)."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from secrets import token_bytes, token_hex
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.webhooks.acks import quantile
from hub.core.webhooks.signature import SECRET_BYTES, make_secret
from hub.errors import ConflictError, NotFoundError, UnprocessableError
from hub.store.books import Books
from hub.store.bridges import Bridges
from hub.store.connection import Connection
from hub.store.endpoints import EndpointRecord, EndpointStore
from schemas.lifecycle import EventType
from schemas.webhooks import (
    Endpoint,
    EndpointMode,
    EndpointPatch,
    EndpointRequest,
    EndpointState,
    EndpointStats,
    PartnerEventType,
    PartnerSecret,
    QuietHours,
)

__all__ = ["MAX_ENDPOINTS", "OLD_SECRET_VALID", "Endpoints", "fresh_secret"]

MAX_ENDPOINTS: Final = 100
"""Of one partner: each event of its orders is matched against all of them."""

_EVENT_TYPES: Final[dict[str, EventType | PartnerEventType]] = {
    each.value: each for each in (*EventType, *PartnerEventType)
}

OLD_SECRET_VALID: Final = 24 * 3600.0
"""Seconds after a rotation during which both secrets sign."""

_OLDER_MAX: Final = 4
_ENDPOINT_ID: Final = re.compile(r"ep_[0-9a-f]{1,64}")


class Guard(Protocol):
    async def check(self, url: str) -> str | None:
        """Why `url` may not be used, as a sentence, or None."""


def fresh_secret() -> str:
    return make_secret(token_bytes(SECRET_BYTES))


class Endpoints:
    """All methods raise UnavailableError, and NotFoundError for another partner's endpoint."""

    def __init__(self, connection: Connection, guard: Guard) -> None:
        self._store = EndpointStore(connection)
        self._books = Books(connection)
        self._bridges = Bridges(connection)
        self._guard = guard

    async def create(self, partner: str, request: EndpointRequest) -> Endpoint:
        """The answer tells the secret, once. Raises UnprocessableError, ConflictError."""
        await self._check(request.url)
        now = time.time()
        record = EndpointRecord(
            endpoint_id=f"ep_{int(now * 1000):012x}{token_hex(6)}",  # sorts by age
            url=request.url,
            event_types=_names(request.event_types),
            mode=request.mode.value,
            enabled=True,
            secret=fresh_secret(),
            created=now,
            delay=request.delay,
            quiet=_quiet(request.quiet_hours),
        )
        if not await self._store.add(partner, record, MAX_ENDPOINTS):
            raise ConflictError(f"a partner may have {MAX_ENDPOINTS} endpoints")
        return _shown(record, secret=record.secret)

    async def list(
        self, partner: str, *, limit: int = 100, after: str | None = None
    ) -> tuple[Sequence[Endpoint], str | None]:
        """A page of endpoints, oldest first, and the cursor of the next page.

        Raises UnprocessableError for a cursor that is none.
        """
        if after is not None and not _ENDPOINT_ID.fullmatch(after):
            wrong = "is no cursor of this list"
            raise UnprocessableError(f"after {wrong}", [("#/after", wrong)])
        records = [
            record
            for record in await self._store.of(partner)
            if after is None or record.endpoint_id > after
        ]
        page = records[:limit]
        following = page[-1].endpoint_id if len(records) > limit else None
        return [_shown(record) for record in page], following

    async def get(self, partner: str, endpoint_id: str) -> Endpoint:
        record = await self._store.find(partner, endpoint_id)
        if record is None:
            raise _unknown(endpoint_id)
        return _shown(record)

    async def stats(self, partner: str, endpoint_id: str) -> EndpointStats:
        """How its deliveries stand, and how fast it accepted those of the last hour or two."""
        await self.get(partner, endpoint_id)
        now = time.time()
        _, standings = await self._books.standings([endpoint_id], now)
        standing = standings[endpoint_id]
        acks = await self._bridges.counted(endpoint_id, now)
        return EndpointStats(
            endpoint_id=endpoint_id,
            waiting=standing.waiting,
            retrying=standing.retrying,
            dead=standing.dead,
            held=standing.held,
            oldest_waiting_at=await self._books.oldest(endpoint_id),
            accepted=sum(acks.values()),
            ack_p50_ms=_ms(quantile(acks, 0.5)),
            ack_p99_ms=_ms(quantile(acks, 0.99)),
        )

    async def patch(self, partner: str, endpoint_id: str, patch: EndpointPatch) -> Endpoint:
        """Change what is named. Raises UnprocessableError."""
        if patch.url is not None:
            await self.get(partner, endpoint_id)
            await self._check(patch.url)
        changes = _changes(patch)
        record = await self._store.update(
            partner, endpoint_id, lambda record: replace(record, **changes)
        )
        if record is None:
            raise _unknown(endpoint_id)
        if patch.url is not None or patch.state is EndpointState.ENABLED:
            await self._bridges.well(endpoint_id)  # what failed before says nothing any more
        return _shown(replace(record, **changes))

    async def delete(self, partner: str, endpoint_id: str) -> None:
        """What still waits for it is dead."""
        if await self._store.update(partner, endpoint_id, lambda _: None) is None:
            raise _unknown(endpoint_id)

    async def rotate(self, partner: str, endpoint_id: str) -> Endpoint:
        """A new secret, told once; the ones before sign beside it for a day each."""
        secret, until = fresh_secret(), time.time() + OLD_SECRET_VALID

        def rotated(record: EndpointRecord) -> EndpointRecord:
            older = ((record.secret, until), *record.older)[:_OLDER_MAX]
            return replace(record, secret=secret, older=older)

        record = await self._store.update(partner, endpoint_id, rotated)
        if record is None:
            raise _unknown(endpoint_id)
        return _shown(record, secret=secret)

    async def partner_secret(self, partner: str) -> PartnerSecret:
        """What signs the callbacks of the partner's orders; made when first asked for."""
        secret = await self._store.partner_secret(partner, fresh_secret())
        return PartnerSecret(partner=partner, secret=secret)

    async def _check(self, url: str) -> None:
        if reason := await self._guard.check(url):
            raise UnprocessableError("the URL cannot be used", [("#/url", reason)])


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _names(event_types: Sequence[EventType | PartnerEventType]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.value for each in event_types))


def _event_type(name: str) -> EventType | PartnerEventType:
    return _EVENT_TYPES[name]


def _changes(patch: EndpointPatch) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if patch.url is not None:
        changes["url"] = patch.url
    if patch.event_types is not None:
        changes["event_types"] = _names(patch.event_types)
    if patch.mode is not None:
        changes["mode"] = patch.mode.value
    if patch.delay is not None:
        changes["delay"] = patch.delay
    if "quiet_hours" in patch.model_fields_set:
        changes["quiet"] = _quiet(patch.quiet_hours)
    if patch.state is not None:
        changes["enabled"] = patch.state is EndpointState.ENABLED
        changes["off_reason"] = ""
    return changes


def _quiet(hours: QuietHours | None) -> tuple[str, str, str] | None:
    """Raises UnprocessableError for a zone that there is not."""
    if hours is None:
        return None
    try:
        ZoneInfo(hours.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong = "is no time zone of the IANA database, such as Asia/Shanghai"
        raise UnprocessableError(f"timezone {wrong}", [("#/quietHours/timezone", wrong)]) from None
    return hours.from_, hours.to, hours.timezone


def _hours(quiet: tuple[str, str, str] | None) -> QuietHours | None:
    return quiet and QuietHours(from_=quiet[0], to=quiet[1], timezone=quiet[2])


def _shown(record: EndpointRecord, secret: str | None = None) -> Endpoint:
    return Endpoint(
        endpoint_id=record.endpoint_id,
        url=record.url,
        event_types=[_event_type(each) for each in record.event_types],
        mode=EndpointMode(record.mode),
        state=EndpointState.ENABLED if record.enabled else EndpointState.DISABLED,
        delay=record.delay or None,
        quiet_hours=_hours(record.quiet),
        reason=(not record.enabled and record.off_reason) or None,
        secret=secret,
    )


def _unknown(endpoint_id: str) -> NotFoundError:
    return NotFoundError(f"there is no endpoint {endpoint_id}")
