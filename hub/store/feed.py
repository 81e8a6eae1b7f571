"""A partner's feed: all events of its orders, for those who pull.

oc:{f:<partner>}:feed    stream  o: order, s: seq; b: what is told, of events without an order
oc:{f:<partner>}:seen    hash    partition -> the last entry of its log that was appended
oc:{f:<partner>}:acked   string  the last cursor that was acknowledged
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.store.connection import Connection, Script
from hub.store.keys import order_keys
from schemas.wire import loads_own

__all__ = ["FeedItem", "FeedStore", "Pointer"]

KEEP_UNREAD: Final = 2 * 3_600_000
KEEP_READ: Final = 7 * 24 * 3_600_000
"""Milliseconds that the feed of a partner is kept which never has, or has, acknowledged."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where an event stands: in the log, and in its order; `told` where it has no order."""

    log_id: str
    order_id: str
    seq: int
    told: bytes = b""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """`event` as the order has it, or, of an event without an order, `told` as it is told."""

    cursor: str
    event: dict[str, Any] | None
    told: dict[str, Any] | None


class FeedStore:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._append = Script("feed_append")
        self._ack = Script("feed_ack")

    async def append(self, partner: str, source: str, pointers: Iterable[Pointer]) -> None:
        """Append what is after the last that came from this source, in its order: the log of a
        partition, or an endpoint that tells of itself.
        """
        keys = (_feed(partner), f"oc:{{f:{partner}}}:seen", _acked(partner))
        flat: list[str | int | bytes] = []
        for each in pointers:
            flat += (each.log_id, each.order_id, each.seq, each.told)
        keep = (KEEP_UNREAD, KEEP_READ)
        await self._connection.run(self._append, keys, source, *keep, *flat)

    async def read(
        self, partner: str, after: str | None, limit: int
    ) -> tuple[Sequence[FeedItem], str | None]:
        """Up to `limit` items after a cursor, or after the last that was acknowledged; and where
        to go on, None at the start of a feed with nothing in it.

        An event that the store keeps no longer is left out.
        """
        after = after or await self.acked(partner)
        while True:
            items, last = await self._read(partner, after, limit)
            if items or last is None:
                return items, last or after
            after = last

    async def _read(
        self, partner: str, after: str | None, limit: int
    ) -> tuple[Sequence[FeedItem], str | None]:
        """One stretch of the feed and its last cursor, None at the end."""
        async with self._connection.mapped() as client:
            start = f"({after}" if after else "-"
            rows = await client.xrange(_feed(partner), min=start, count=limit)
            pipeline = client.pipeline(transaction=False)
            for _, fields in rows:
                seq = f"{fields[b's'].decode()}-0"
                pipeline.xrange(order_keys(fields[b"o"].decode()).events, min=seq, max=seq)
            found = await pipeline.execute() if rows else []
        pairs = zip(rows, found, strict=True)
        items = [_item(entry_id, fields, events) for (entry_id, fields), events in pairs]
        shown = [item for item in items if item.event or item.told]
        return shown, rows[-1][0].decode() if rows else None

    async def acked(self, partner: str) -> str | None:
        async with self._connection.mapped() as client:
            cursor = await client.get(_acked(partner))
        return cursor.decode() if cursor else None

    async def ack(self, partner: str, cursor: str) -> str:
        """All up to `cursor` is done with; never goes back. Answers where it stands."""
        keys = (_acked(partner), _feed(partner))
        stands: bytes = await self._connection.run(self._ack, keys, cursor)
        return stands.decode()


def _item(entry_id: bytes, fields: dict[bytes, bytes], events: list[Any]) -> FeedItem:
    told = fields.get(b"b")
    return FeedItem(
        cursor=entry_id.decode(),
        event=loads_own(events[0][1][b"e"]) if events else None,
        told=loads_own(told) if told else None,
    )


def _feed(partner: str) -> str:
    return f"oc:{{f:{partner}}}:feed"


def _acked(partner: str) -> str:
    return f"oc:{{f:{partner}}}:acked"
