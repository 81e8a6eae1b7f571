"""The bridge's way along the log: read, work out the deliveries, enqueue, move the cursor, trim."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from hiredis import ReplyError

from hub.bridge.plan import Entry, plan, read_entry
from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.feed import FeedStore, Pointer
from hub.store.keys import tag
from hub.store.lanes import Lanes
from hub.store.link import Link, connect

__all__ = ["LogReader"]

_BATCH: Final = 50
"""Entries of a partition in one script; each may make as many deliveries as a partner has
endpoints."""

_START: Final = "0-0"
_log: Final = structlog.get_logger("hub.bridge")

Entries = list[tuple[str, Mapping[bytes, bytes]]]


class LogReader:
    """Expands every entry exactly once, however many readers there are: the cursor decides."""

    def __init__(
        self, connection: Connection, lanes: Lanes, endpoints: EndpointStore, feed: FeedStore
    ) -> None:
        self._connection = connection
        self._lanes = lanes
        self._endpoints = endpoints
        self._feed = feed
        self._cursors: dict[int, str] = {}
        self._untrimmed: set[int] = set()
        self._link: Link | None = None

    async def read(self, partitions: frozenset[int], block: float) -> dict[int, Entries]:
        """New entries by partition; waits up to `block` seconds for the first."""
        await self._find_cursors(partitions)
        if self._connection.cluster:
            return await self._poll(partitions, block)
        names = {f"{tag(each)}log".encode(): each for each in partitions}
        after = [self._cursors[each] or _START for each in names.values()]
        link = await self._own_link()
        waits = ("BLOCK", int(block * 1000), "COUNT", _BATCH)
        found = await link.ask("XREAD", *waits, "STREAMS", *names, *after)
        if isinstance(found, ReplyError):
            raise UnavailableError(str(found))
        return {names[key]: _entries(rows) for key, rows in (found or {}).items()}

    async def _own_link(self) -> Link:
        """A command that waits must not keep others waiting; and of 128 logs it has some 260
        words, which redis-py takes a millisecond to pack.
        """
        if self._link is None or not self._link.up:
            self._link = await connect(self._connection.home, self._connection.credentials)
        return self._link

    def close(self) -> None:
        if self._link is not None:
            self._link.close()

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
        await asyncio.gather(*map(self._trim, untrimmed))

    async def _trim(self, partition: int) -> None:
        head, ask = tag(partition), self._connection.ask
        cursors = await ask("HVALS", f"{head}cursors")
        oldest = min((each.decode() for each in cursors), key=_position, default=_START)
        await ask("XTRIM", f"{head}log", "MINID", oldest)

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

    async def _find_cursors(self, partitions: frozenset[int]) -> None:
        missing = [each for each in partitions if each not in self._cursors]
        if not missing:
            return
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in missing:
                pipeline.hget(f"{tag(partition)}cursors", "bridge")
            found = await pipeline.execute()
        for partition, cursor in zip(missing, found, strict=True):
            self._cursors[partition] = cursor.decode() if cursor else ""

    async def _poll(self, partitions: frozenset[int], pause: float) -> dict[int, Entries]:
        """On a cluster no single command waits for logs in many slots."""
        each = sorted(partitions)
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in each:
                after = f"({self._cursors[partition] or _START}"
                pipeline.xrange(f"{tag(partition)}log", min=after, count=_BATCH)
            answers = await pipeline.execute()
        found = {
            partition: [(entry_id.decode(), fields) for entry_id, fields in entries]
            for partition, entries in zip(each, answers, strict=True)
            if entries
        }
        if not found:
            await asyncio.sleep(pause)
        return found


def _entries(rows: Sequence[Any]) -> Entries:
    """As the server tells them: an id, then names and values in turn."""
    return [
        (entry_id.decode(), dict(zip(flat[::2], flat[1::2], strict=True)))
        for entry_id, flat in rows
    ]


def _readable(entries: Entries) -> list[Entry]:
    """An entry that cannot be read is told of and passed over: the rest must go on."""
    readable = []
    for entry_id, fields in entries:
        try:
            readable.append(read_entry(entry_id, dict(fields)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("unreadable log entry", entry=entry_id, error=repr(error))
    return readable


def _position(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds), int(number or 0)
