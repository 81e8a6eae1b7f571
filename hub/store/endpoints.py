"""Registered webhook endpoints and the secrets of partners.

oc:endpoints:<partner>   hash    endpoint id -> record (msgpack)
oc:partners              set     the partners that have any, or whose orders' callbacks were signed
oc:partner:<partner>     hash    secret: for the callbacks of the partner's orders
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

import msgpack

from hub.store.connection import Connection, Script

__all__ = ["EndpointRecord", "EndpointStore"]

_NEWEST: Final = ("delay", "quiet")


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """As it is stored; times are Unix seconds. No event types: every event."""

    endpoint_id: str
    url: str
    event_types: tuple[str, ...]
    mode: str
    enabled: bool
    secret: str
    created: float
    older: tuple[tuple[str, float], ...] = ()
    """The secrets before the last rotations, newest first, and until when each signs."""
    switched_off: int = 0
    """How often the bridge has switched it off."""
    off_reason: str = ""
    """Why it is off; empty where its partner did it."""
    delay: float = 0.0
    """Seconds that an event waits before it is sent."""
    quiet: tuple[str, str, str] | None = None
    """From, to (`22:00`), and the zone by whose clocks nothing is sent in between."""

    @property
    def latest(self) -> bool:
        """Whether an event may stand for older ones of its order that still wait."""
        return self.mode == "latest"

    def wants(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types

    def secrets(self, now: float) -> list[str]:
        """The secrets to sign with, newest first."""
        return [self.secret, *(secret for secret, until in self.older if now < until)]

    def pack(self) -> bytes:
        """Without what is not set of the newest fields: an older bridge does not know them."""
        fields = asdict(self)
        for name in _NEWEST:
            if not fields[name]:
                del fields[name]
        packed: bytes = msgpack.packb(fields)
        return packed


_PARTNERS: Final = "oc:partners"

Change = Callable[[EndpointRecord], EndpointRecord | None]


@lru_cache(maxsize=4096)
def _read(packed: bytes) -> EndpointRecord:
    fields: dict[str, Any] = msgpack.unpackb(packed, use_list=False)
    return EndpointRecord(**fields)


class EndpointStore:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._replace = Script("hash_replace")
        self._add = Script("endpoint_add")

    async def add(self, partner: str, record: EndpointRecord, most: int) -> bool:
        """False where the partner has `most` already."""
        await self._connection.ask("SADD", _PARTNERS, partner)
        key, packed = _endpoints(partner), record.pack()
        return bool(await self._connection.run(self._add, (key,), record.endpoint_id, packed, most))

    async def find(self, partner: str, endpoint_id: str) -> EndpointRecord | None:
        packed = await self._connection.ask("HGET", _endpoints(partner), endpoint_id)
        return _read(packed) if packed else None

    async def of(self, partner: str) -> list[EndpointRecord]:
        """All of a partner's endpoints, oldest first."""
        found = await self._connection.ask("HVALS", _endpoints(partner))
        return sorted(map(_read, found), key=lambda record: record.endpoint_id)

    async def partners(self) -> list[str]:
        found = await self._connection.ask("SMEMBERS", _PARTNERS)
        return sorted(partner.decode() for partner in found)

    async def update(self, partner: str, endpoint_id: str, change: Change) -> EndpointRecord | None:
        """Put what `change` makes of the record in its place; None from it deletes.

        Answers the record as it was before, None where there is no such endpoint. `change` is
        called again when somebody else was faster.
        """
        key = _endpoints(partner)
        while True:
            async with self._connection.mapped() as client:
                packed = await client.hget(key, endpoint_id)
            if packed is None:
                return None
            record = _read(packed)
            changed = change(record)
            following = changed.pack() if changed else b""
            if await self._connection.run(self._replace, (key,), endpoint_id, packed, following):
                return record

    async def partner_secret(self, partner: str, fresh: str) -> str:
        """The partner's secret; `fresh` becomes it if there was none."""
        async with self._connection.mapped() as client:
            await client.sadd(_PARTNERS, partner)
            await client.hsetnx(_partner(partner), "secret", fresh)
            secret: bytes = await client.hget(_partner(partner), "secret")
        return secret.decode()


def _endpoints(partner: str) -> str:
    return f"oc:endpoints:{partner}"


def _partner(partner: str) -> str:
    return f"oc:partner:{partner}"
