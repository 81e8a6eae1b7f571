"""What fills each table of the warehouse: a stream, and how its entries become rows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from prometheus_client import Counter

from hub.core.privacy.pseudonyms import Pseudonyms
from hub.core.warehouse import (
    Row,
    delivery_row,
    ends_order,
    event_row,
    operation_rows,
    order_row,
)
from hub.store.log import Entries
from hub.store.orders import OrderStore
from hub.store.requests import MAX_BATCH
from hub.store.tails import Stream
from schemas.wire import loads_own

__all__ = ["Rows", "Source", "sources"]

_AT_ONCE: Final = 128
"""Orders that are asked of the store together."""

_UNREADABLE: Final = Counter(
    "ordercast_warehouse_unreadable_total", "Entries that could not be read, and were passed over"
)
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError)

log = structlog.get_logger("hub.worker")

Rows = Callable[[Entries], Awaitable[list[Row]]]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Source:
    """`page`: entries of a partition that are read at a time; `each`: rows of an entry, at most."""

    table: str
    stream: Stream
    rows: Rows
    page: int = 64
    each: int = 1


def sources(orders: OrderStore, names: Pseudonyms) -> tuple[Source, ...]:
    def events(entries: Entries) -> list[Row]:
        return list(_readable(entries, lambda entry_id, each: event_row(entry_id, each, names)))

    def deliveries(entries: Entries) -> list[Row]:
        return list(_readable(entries, lambda _, each: delivery_row(each)))

    def operations(entries: Entries) -> list[Row]:
        batches = _readable(entries, lambda _, each: operation_rows(each))
        return [row for batch in batches for row in batch]

    return (
        Source("events", "log", _in_thread(events)),
        Source("orders", "log", _FinishedOrders(orders, names)),
        Source("deliveries", "settled", _in_thread(deliveries)),
        Source("operations", "requests", _in_thread(operations), page=4, each=MAX_BATCH),
    )


def _in_thread(make: Callable[[Entries], list[Row]]) -> Rows:
    """Rows by the ten thousand take a while, in which deadlines must not wait."""

    async def rows(entries: Entries) -> list[Row]:
        return await asyncio.to_thread(make, entries)

    return rows


class _FinishedOrders:
    """One row for each order, when the log tells of its end."""

    def __init__(self, store: OrderStore, names: Pseudonyms) -> None:
        self._store = store
        self._names = names

    async def __call__(self, entries: Entries) -> list[Row]:
        ends = await asyncio.to_thread(self._ends, entries)
        rows: list[Row] = []
        for start in range(0, len(ends), _AT_ONCE):
            rows += await asyncio.gather(*map(self._row, ends[start : start + _AT_ONCE]))
        return rows

    @staticmethod
    def _ends(entries: Entries) -> list[dict[str, Any]]:
        events = _readable(entries, lambda _, each: _event(each))
        return [event for event in events if ends_order(event)]

    async def _row(self, end: dict[str, Any]) -> Row:
        """An order that was lost by the store and made anew is not the one that ended."""
        reading = await self._store.read(end["orderId"], end["epoch"], 0)
        if reading is None or reading.state.epoch != end["epoch"]:
            return order_row(end, None, (), self._names)
        return order_row(end, reading.state, reading.events, self._names)


def _event(fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Raises what an entry that is none raises."""
    event: dict[str, Any] = loads_own(fields[b"e"])
    event["orderId"], event["epoch"], event["seq"], event["timestamp"], event["eventType"]
    return event


def _readable(
    entries: Entries, make: Callable[[str, Mapping[bytes, bytes]], Made]
) -> Iterable[Made]:
    """An entry that cannot be read is told of, counted and passed over: the rest must go on."""
    for entry_id, fields in entries:
        try:
            yield make(entry_id, fields)
        except _BROKEN as error:
            _UNREADABLE.inc()
            log.error("unreadable entry", entry=entry_id, error=repr(error))
