"""The warehouse duty: what the streams bring goes into the tables, once, a batch a minute."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from prometheus_client import Counter

from hub.core.privacy.pseudonyms import Pseudonyms
from hub.core.warehouse import entry_of
from hub.store.connection import Connection
from hub.store.customers import Erasures, Job
from hub.store.keys import PARTITIONS
from hub.store.log import START, Entries, Log
from hub.store.tails import Stream, Tail, last_of
from hub.worker.lake import LakeError, OutrunError, Table
from hub.worker.sources import Source
from schemas.lifecycle import Role

__all__ = ["READER", "Warehouse"]

READER: Final = "warehouse"
"""As the log's cursors name us."""

_BATCH: Final = 50_000
"""Rows after which a commit is made."""

_DAY: Final = 86_400
_UNDER_WAY: Final = 5.0
"""Seconds within which a hub writes down what it has answered."""

_ALL: Final = range(PARTITIONS)

_ROWS: Final = Counter("ordercast_warehouse_rows_total", "Rows written", ["table"])
_EXPIRED: Final = Counter(
    "ordercast_warehouse_expired_total", "Rows deleted because of their age", ["table"]
)
_LOST: Final = Counter(
    "ordercast_warehouse_lost_total", "What found no room while the warehouse was away", ["stream"]
)

log = structlog.get_logger("hub.worker")


class Warehouse:
    """A duty that one worker should lead; with more nothing comes twice, only work is lost.

    How far a table has come is told by the table alone. Nothing that counts is remembered here
    between two steps, so it does not matter who takes the next.
    """

    pace = 1.0

    def __init__(
        self,
        root: str,
        connection: Connection,
        sources: Sequence[Source],
        names: Pseudonyms,
        interval: float,
        retention: float | None = None,
    ) -> None:
        """`interval`: seconds between two batches; `retention`: after which rows are deleted."""
        self.tables = {each.table: Table(root, each.table) for each in sources}
        self._log = Log(connection, READER)
        self._tails = {each.stream: Tail(connection, each.stream) for each in sources}
        self._erasures = Erasures(connection)
        self._sources = sources
        self._names = names
        self._interval = interval
        self._retention = retention
        self._next = 0.0
        self._held = False
        self._tidied = 0

    async def step(self) -> None:
        if time.monotonic() < self._next:
            return
        try:
            began = time.time()
            await self._hold()
            await self._empty()
            await self._erase(began)
            await self._tidy()
        except OutrunError:
            log.info("another worker has written to the warehouse")
        except LakeError as error:
            log.warning("the warehouse is away", error=str(error))
        self._next = time.monotonic() + self._interval

    async def _hold(self) -> None:
        """Before all else: to make the tables takes longer than others need to read the log."""
        if not self._held:
            cursors = await self._log.cursors(_ALL)
            await self._log.keep({each: START for each, at in cursors.items() if not at})
            self._held = True

    async def _empty(self) -> None:
        """Read all streams to their ends, write it down, and let go what is written."""
        reached: dict[Stream, list[dict[int, int]]] = {}
        for source in self._sources:
            positions = await self._fill(source)
            reached.setdefault(source.stream, []).append(positions)
        await self._let_go(reached)

    async def _fill(self, source: Source) -> dict[int, int]:
        """One table, up to the end of its stream; how far it has come."""
        table = self.tables[source.table]
        positions = await asyncio.to_thread(table.positions)
        more = True
        while more:
            batch, following, more = await self._batch(source, positions)
            moved = {each: at for each, at in following.items() if at != positions[each]}
            if moved:
                rows = await source.rows(batch)
                await asyncio.to_thread(table.append, rows, moved)
                _ROWS.labels(source.table).inc(len(rows))
            positions = following
        return positions

    async def _batch(
        self, source: Source, positions: Mapping[int, int]
    ) -> tuple[Entries, dict[int, int], bool]:
        """Entries for one commit, how far they bring us, and whether there is more."""
        tail, following = self._tails[source.stream], dict(positions)
        batch: Entries = []
        while len(batch) < _BATCH // source.each:
            found = await tail.read(following, source.page)
            for partition, entries in found.items():
                batch += entries
                following[partition] = last_of(entries)
            if not found:
                return batch, following, False
        return batch, following, True

    async def _let_go(self, reached: Mapping[Stream, Sequence[Mapping[int, int]]]) -> None:
        """The log is trimmed by who reads it, behind the slowest, from the first step on also where
        there was nothing yet; the other streams are ours.
        """
        for stream, each in reached.items():
            slowest = {partition: min(at[partition] for at in each) for partition in _ALL}
            if stream == "log":
                await self._log.keep({each: entry_of(at) for each, at in slowest.items()})
            else:
                await self._tails[stream].trim(slowest)
                _LOST.labels(stream).inc(await self._tails[stream].lost(_ALL))

    async def _erase(self, emptied: float) -> None:
        """Customers whose data the store has no more: by now, nothing of them comes after it."""
        for job in await self._erasures.pending():
            if job.stored and not job.written and job.requested + _UNDER_WAY < emptied:
                rows = await asyncio.to_thread(self._erase_rows, job)
                await self._erasures.note(job, time.time(), written=True, rows=rows)

    def _erase_rows(self, job: Job) -> int:
        """Answers how many rows had anything personal. The orders go last: they name the others."""
        customer = str(self._names.of(Role.CUSTOMER, job.customer_id))
        known = self.tables["orders"].find([("customer", "=", customer)], "order_id")
        orders = ", ".join(f"'{each}'" for each in {*known, *job.orders})
        changed = self.tables["operations"].change(f"caller = '{customer}'", {"caller": "NULL"})
        if orders:
            changed += self.tables["events"].change(
                f"order_id IN ({orders}) AND (reason IS NOT NULL OR "
                f"(actor_role = '{Role.CUSTOMER}' AND actor IS NOT NULL))",
                {
                    "reason": "NULL",
                    "actor": f"CASE WHEN actor_role = '{Role.CUSTOMER}' THEN NULL ELSE actor END",
                },
            )
            personal = ("customer", "reason", "address_lat", "address_lng")
            some = " OR ".join(f"{each} IS NOT NULL" for each in personal)
            changed += self.tables["orders"].change(
                f"order_id IN ({orders}) AND ({some})", dict.fromkeys(personal, "NULL")
            )
        return changed

    async def _tidy(self) -> None:
        """Once a day (UTC); that it was done the table knows."""
        now = time.time()
        day = int(now) // _DAY
        if day == self._tidied:
            return
        for name, table in self.tables.items():
            if self._retention is not None:
                first = int((now - self._retention) // _DAY)
                _EXPIRED.labels(name).inc(await asyncio.to_thread(table.expire, first))
            await asyncio.to_thread(table.tidy, day)
        self._tidied = day
