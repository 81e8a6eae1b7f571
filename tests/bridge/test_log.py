"""The bridge's way along the log."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.bridge.log import LogReader
from hub.store.connection import Connection
from hub.store.endpoints import EndpointStore
from hub.store.feed import FeedStore
from hub.store.keys import partition_of, tag
from hub.store.lanes import Lanes
from schemas.lifecycle import EventType
from tests.bridge.rig import Hub, deliveries

PARTITION = partition_of("ord_1")
MINE = frozenset({PARTITION, partition_of("ord_2")})
URL = "https://partner.example/hook"


@pytest.fixture
def make_reader(connection: Connection) -> Iterator[Callable[[], LogReader]]:
    readers: list[LogReader] = []

    def make() -> LogReader:
        endpoints, feed = EndpointStore(connection), FeedStore(connection)
        readers.append(LogReader(connection, Lanes(connection), endpoints, feed))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def reader(make_reader: Callable[[], LogReader]) -> LogReader:
    return make_reader()


async def expand(reader: LogReader, found: dict[int, Any]) -> list[int]:
    """The partitions where something was enqueued."""
    enqueued: list[int] = []
    await reader.expand(found, enqueued.append)
    return enqueued


async def test_trimmed_behind_all_readers(
    hub: Hub, reader: LogReader, connection: Connection
) -> None:
    """An entry stays in the log until the slowest reader has read it."""
    head = tag(PARTITION)
    async with connection.mapped() as client:
        for _ in range(3):
            await hub.tell("ord_1", EventType.PREPARING, URL)
        await expand(reader, await reader.read(MINE, 1.0))
        await reader.trim()
        assert await client.xlen(f"{head}log") == 3
        await client.hset(f"{head}cursors", "audit", f"{2**63}-0")
        await hub.tell("ord_1", EventType.COMPLETED, URL)
        await expand(reader, await reader.read(MINE, 1.0))
        await reader.trim()
        assert await client.xlen(f"{head}log") == 1


async def test_expanded_once(
    hub: Hub, connection: Connection, make_reader: Callable[[], LogReader]
) -> None:
    """Two readers that read the same entries enqueue them once, and both go on from there."""
    one, two = make_reader(), make_reader()
    await hub.tell("ord_1", EventType.PREPARING, URL)
    found = await one.read(MINE, 1.0), await two.read(MINE, 1.0)
    assert found[0] == found[1]
    assert [await expand(one, found[0]), await expand(two, found[1])] == [[PARTITION], []]
    await hub.tell("ord_1", EventType.COMPLETED, URL)
    assert await expand(two, await two.read(MINE, 1.0)) == [PARTITION]
    assert await expand(one, await one.read(MINE, 1.0)) == []
    assert [each["seq"] for each in await deliveries(connection)] == [1, 2]
    async with connection.mapped() as client:
        rows = await client.xrange("oc:{f:acme}:feed")
    assert [fields[b"s"] for _, fields in rows] == [b"1", b"2"]


async def test_read_waits(hub: Hub, reader: LogReader) -> None:
    """A read that waits ends with the first entry."""
    waiting = asyncio.create_task(reader.read(MINE, 3.0))
    await hub.tell("ord_2", EventType.PREPARING, URL)
    assert [partition_of("ord_2")] == list(await waiting)


async def test_long_logs_come_in_stretches(
    hub: Hub, reader: LogReader, connection: Connection
) -> None:
    """A backlog is expanded in order, a stretch at a time."""
    for _ in range(120):
        await hub.tell("ord_1", EventType.PREPARING, URL)
    while found := await reader.read(MINE, 0.001):
        await expand(reader, found)
    assert list(range(1, 121)) == [int(each["seq"]) for each in await deliveries(connection)]
