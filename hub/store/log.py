"""The log: every event of a partition, in the order of the commits, for those who read it all.

Each reader keeps a cursor, the id of the last entry it has done with, in the partition's
`cursors`. What all of `READERS` and whoever else has a cursor there have passed is trimmed. Who
is none of `READERS` and a day behind is waited for no longer.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from hiredis import ReplyError

from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.keys import tag
from hub.store.link import Link, connect

__all__ = ["PATIENCE", "READERS", "START", "Entries", "Log"]

READERS: Final = ("bridge", "audit")
"""Nothing is trimmed before these have read it, whether they have come to it yet or not."""

START: Final = "0-0"

PATIENCE: Final = 86_400_000
"""Milliseconds by which a reader that need not be there may be behind the newest entry."""

_PAGE: Final = 1000

Entries = list[tuple[str, Mapping[bytes, bytes]]]
"""Entry ids with their fields: `o` the order's id, `e` the event (JSON), `w` for the webhooks."""


log = structlog.get_logger("hub.store")


class Log:
    """Reads for one reader. Raises UnavailableError."""

    def __init__(self, connection: Connection, reader: str) -> None:
        self._connection = connection
        self._reader = reader
        self._link: Link | None = None

    async def cursors(self, partitions: Iterable[int]) -> dict[int, str]:
        """How far this reader has come; "" where it has not begun."""
        each = list(partitions)
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in each:
                pipeline.hget(_cursors(partition), self._reader)
            found = await pipeline.execute()
        return {
            partition: cursor.decode() if cursor else ""
            for partition, cursor in zip(each, found, strict=True)
        }

    async def keep(self, cursors: Mapping[int, str]) -> None:
        """Note how far this reader has come."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition, cursor in cursors.items():
                pipeline.hset(_cursors(partition), self._reader, cursor)
            await pipeline.execute()

    async def read(self, after: Mapping[int, str], block: float, count: int) -> dict[int, Entries]:
        """Up to `count` entries of each partition behind its cursor ("" for all); waits up to
        `block` seconds for the first.
        """
        if self._connection.cluster:
            return await self._poll(after, block, count)
        names = {_log(each).encode(): each for each in after}
        link = await self._own_link()
        waits = ("BLOCK", int(block * 1000), "COUNT", count)
        starts = [cursor or START for cursor in after.values()]
        found = await link.ask("XREAD", *waits, "STREAMS", *names, *starts)
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

    async def _poll(self, after: Mapping[int, str], pause: float, count: int) -> dict[int, Entries]:
        """On a cluster no single command waits for logs in many slots."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition, cursor in after.items():
                pipeline.xrange(_log(partition), min=f"({cursor or START}", count=count)
            answers = await pipeline.execute()
        found = {
            partition: [(entry_id.decode(), fields) for entry_id, fields in entries]
            for partition, entries in zip(after, answers, strict=True)
            if entries
        }
        if not found:
            await asyncio.sleep(pause)
        return found

    async def passed(self, partition: int) -> str | None:
        """The last entry that everybody has done with; None where one of READERS has not begun."""
        cursors = await self._all_cursors(partition)
        if not cursors.keys() >= set(READERS):
            return None
        return "{}-{}".format(*min(cursors.values()))

    async def pages(self, partition: int) -> AsyncIterator[Entries]:
        """The whole log of a partition, oldest first."""
        after = START
        while True:
            async with self._connection.mapped() as client:
                rows = await client.xrange(_log(partition), min=f"({after}", count=_PAGE)
            if not rows:
                return
            after = rows[-1][0].decode()
            yield [(entry_id.decode(), fields) for entry_id, fields in rows]

    async def drop(self, partition: int, entries: Iterable[str]) -> None:
        await self._connection.ask("XDEL", _log(partition), *entries)

    async def trim(self, partitions: Iterable[int]) -> None:
        """Drop what every reader has read."""
        await asyncio.gather(*map(self._trim, partitions))

    async def _trim(self, partition: int) -> None:
        ask = self._connection.ask
        cursors = await self._all_cursors(partition)
        if not cursors.keys() >= set(READERS):
            return
        newest, _ = max(cursors.values())
        for reader in cursors.keys() - set(READERS):
            if await self._is_lost(partition, cursors[reader], newest - PATIENCE):
                del cursors[reader]
                await ask("HDEL", _cursors(partition), reader)
                log.error(
                    "a reader of the log is a day behind, and loses what it has not read",
                    reader=reader,
                    partition=partition,
                )
        await ask("XTRIM", _log(partition), "MINID", "{}-{}".format(*min(cursors.values())))

    async def _is_lost(self, partition: int, cursor: tuple[int, int], oldest: int) -> bool:
        """Whether there is something behind the cursor, and older than this (Unix ms)."""
        if cursor[0] >= oldest:
            return False
        start = "({}-{}".format(*cursor)
        unread = await self._connection.ask("XRANGE", _log(partition), start, "+", "COUNT", 1)
        return bool(unread) and _position(unread[0][0].decode())[0] < oldest

    async def _all_cursors(self, partition: int) -> dict[str, tuple[int, int]]:
        found = await self._connection.ask("HGETALL", _cursors(partition))
        return {reader.decode(): _position(at.decode()) for reader, at in found.items()}

    def close(self) -> None:
        if self._link is not None:
            self._link.close()


def _log(partition: int) -> str:
    return f"{tag(partition)}log"


def _cursors(partition: int) -> str:
    return f"{tag(partition)}cursors"


def _pairs(flat: Sequence[Any]) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _entries(rows: Sequence[Any]) -> Entries:
    """As the server tells them: an id, then names and values in turn."""
    return [(entry_id.decode(), _pairs(flat)) for entry_id, flat in rows]


def _position(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds), int(number or 0)
