"""The bridge's way along the log: read, work out the deliveries, enqueue, move the cursor, trim."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from hub.bridge.plan import Entry, plan, read_entry
from hub.store.connection import Connection
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.feed import FeedStore, Pointer
from hub.store.lanes import Lanes
from hub.store.log import Entries, Log

__all__ = ["LogReader"]

_BATCH: Final = 50
"""Entries of a partition in one script; each may make as many deliveries as a partner has
endpoints."""

_log: Final = structlog.get_logger("hub.bridge")


class LogReader:
    """Expands every entry exactly once, however many readers there are: the cursor decides."""

    def __init__(
        self, connection: Connection, lanes: Lanes, endpoints: EndpointStore, feed: FeedStore
    ) -> None:
        self._log = Log(connection, "bridge")
        self._lanes = lanes
        self._endpoints = endpoints
        self._feed = feed
        self._cursors: dict[int, str] = {}
        self._untrimmed: set[int] = set()

    async def read(self, partitions: frozenset[int], block: float) -> dict[int, Entries]:
        """New entries by partition; waits up to `block` seconds for the first."""
        missing = [each for each in partitions if each not in self._cursors]
        if missing:
            self._cursors |= await self._log.cursors(missing)
        after = {each: self._cursors[each] for each in partitions}
        return await self._log.read(after, block, _BATCH)

    def close(self) -> None:
        self._log.close()

    async def expand(self, found: Mapping[int, Entries], enqueued: Callable[[int], None]) -> None:
        """Enqueue what the entries bring; `enqueued` is told each partition where that was any."""
        readable = {partition: _readable(entries) for partition, entries in found.items()}
        partners = {entry.partner for entries in readable.values() for entry in entries}
        # Read after the events: an endpoint registered before an event is never missed.
        lists = await asyncio.gather(*map(self._endpoints.of, partners))
        endpoints = dict(zip(partners, lists, strict=True))
        await self._feed_all(readable)
        await asyncio.gather(
            *(
                self._enqueue(partition, entries[-1][0], readable[partition], endpoints, enqueued)
                for partition, entries in found.items()
            )
        )

    async def _feed_all(self, readable: Mapping[int, list[Entry]]) -> None:
        """Before the cursor moves: what was appended already is passed over."""
        pointers: defaultdict[tuple[str, int], list[Pointer]] = defaultdict(list)
        for partition, entries in readable.items():
            for entry in entries:
                event = entry.event
                pointer = Pointer(entry.entry_id, event["orderId"], event["seq"])
                pointers[entry.partner, partition].append(pointer)
        await asyncio.gather(
            *(
                self._feed.append(partner, str(partition), each)
                for (partner, partition), each in pointers.items()
            )
        )

    def forget(self, partitions: Iterable[int]) -> None:
        """Somebody else may work these now: look the cursors up again before the next read."""
        for partition in partitions:
            self._cursors.pop(partition, None)

    async def trim(self) -> None:
        """Drop what every reader of the log has read, where we came forward since the last time."""
        untrimmed, self._untrimmed = self._untrimmed, set()
        await self._log.trim(untrimmed)

    async def _enqueue(
        self,
        partition: int,
        cursor: str,
        entries: list[Entry],
        endpoints: Mapping[str, list[EndpointRecord]],
        enqueued: Callable[[int], None],
    ) -> None:
        planned = [plan(entry, endpoints[entry.partner]) for entry in entries]
        news = [each for each in planned if each is not None]
        expected = self._cursors.pop(partition)
        if not await self._lanes.enqueue(partition, expected, cursor, news):
            return  # another bridge was faster; the cursor is looked up again
        self._cursors[partition] = cursor
        self._untrimmed.add(partition)
        if news:
            enqueued(partition)


def _readable(entries: Entries) -> list[Entry]:
    """An entry that cannot be read is told of and passed over: the rest must go on."""
    readable = []
    for entry_id, fields in entries:
        try:
            readable.append(read_entry(entry_id, dict(fields)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("unreadable log entry", entry=entry_id, error=repr(error))
    return readable
