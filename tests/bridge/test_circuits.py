"""Circuit breakers, on a real store."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hub.bridge.attempts import Pace
from hub.bridge.bridge import Bridge
from hub.bridge.circuits import TRIPS_AT, Circuits
from hub.store.bridges import Bridges
from hub.store.connection import Connection
from schemas.lifecycle import EventType
from tests.bridge.rig import Hub, Receiver, running
from tests.hub.harness import eventually

ORIGIN = "https://a.example"
LEASE = 30.0


@pytest.fixture
def make(connection: Connection) -> Callable[[], Circuits]:
    return lambda: Circuits(Bridges(connection), LEASE, scale=0.001)


async def miss(circuits: Circuits, times: int = TRIPS_AT) -> None:
    for _ in range(times):
        await circuits.tell(ORIGIN, reached=False, began=time.monotonic())


async def test_ten_in_a_row(make: Callable[[], Circuits]) -> None:
    """It opens at the tenth attempt in a row that does not reach the origin."""
    circuits = make()
    await miss(circuits, TRIPS_AT - 1)
    await circuits.tell(ORIGIN, reached=True, began=time.monotonic())
    await miss(circuits, TRIPS_AT - 1)
    assert (await circuits.enter(ORIGIN), circuits.is_open(ORIGIN)) == (0.0, False)
    await miss(circuits, 1)
    assert circuits.is_open(ORIGIN)


async def test_one_probe_of_all_bridges(make: Callable[[], Circuits]) -> None:
    """However many attempts of however many bridges come when the time has come, one goes."""
    first, *others = every = [make() for _ in range(4)]
    await miss(first)
    for each in others:
        each.learn({ORIGIN: 0.0}, 0.0)

    async def went() -> bool:
        asked = (each.enter(ORIGIN) for each in every for _ in range(25))
        answers = await asyncio.gather(*asked)
        assert answers.count(0.0) <= 1
        return 0.0 in answers

    await eventually(went)
    assert not await went()
    assert all(each.is_open(ORIGIN) for each in every)


async def test_the_probe_decides(make: Callable[[], Circuits], connection: Connection) -> None:
    """When it fails the circuit stays open for longer; when it is answered all may go."""
    circuits, other = make(), make()
    await miss(circuits)

    async def entered() -> bool:
        return await circuits.enter(ORIGIN) == 0.0

    await eventually(entered)
    await miss(circuits, 1)
    (stands,) = await _stands(connection)
    assert stands.startswith("2 ")
    await eventually(entered)
    other.learn({ORIGIN: 0.0}, 0.0)
    await circuits.tell(ORIGIN, reached=True, began=time.monotonic())
    assert not circuits.is_open(ORIGIN)
    assert await _stands(connection) == []
    assert await other.enter(ORIGIN) == 0.0
    assert not other.is_open(ORIGIN)


async def test_what_the_store_told_may_be_old(make: Callable[[], Circuits]) -> None:
    """What a bridge has heard itself since it asked is newer."""
    circuits = make()
    asked = time.monotonic()
    await miss(circuits)
    circuits.learn({}, asked)
    assert circuits.is_open(ORIGIN)
    circuits.learn({}, time.monotonic())
    assert not circuits.is_open(ORIGIN)
    circuits.learn({ORIGIN: 0.0}, time.monotonic())
    asked = time.monotonic()
    await circuits.tell(ORIGIN, reached=True, began=time.monotonic())
    circuits.learn({ORIGIN: 1.0}, asked)
    assert not circuits.is_open(ORIGIN)


async def test_old_attempts_trip_nothing(make: Callable[[], Circuits]) -> None:
    """Those that began before the origin was reached again tell of what was before."""
    circuits = make()
    await miss(circuits)
    old = time.monotonic()
    await circuits.tell(ORIGIN, reached=True, began=old)
    for _ in range(2 * TRIPS_AT):
        await circuits.tell(ORIGIN, reached=False, began=old)
    assert not circuits.is_open(ORIGIN)


async def _stands(connection: Connection) -> list[str]:
    async with connection.mapped() as client:
        return [each.decode() for each in await client.hvals("oc:{bridges}:circuits")]


class Door:
    """A port on which TLS never comes about, and which counts who tries."""

    def __init__(self) -> None:
        self.tries = 0
        self.port = 0

    async def knock(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tries += 1
        writer.close()


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    door = Door()
    server = await asyncio.start_server(door.knock, "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    async with server:
        yield door


async def test_an_origin_that_is_not_reached_is_left_alone(
    hub: Hub,
    receiver: Receiver,
    connection: Connection,
    make_bridge: Callable[..., Bridge],
) -> None:
    """Two bridges with a hundred orders for it knock once each time the circuit lets them."""
    pace = Pace(scale=0.02)
    async with door() as shut, running(make_bridge(pace=pace)), running(make_bridge(pace=pace)):
        for number in range(100):
            url = f"https://127.0.0.1:{shut.port}/{number}"
            await hub.tell(f"bad_{number}", EventType.PREPARING, url)

        async def trips() -> int:
            found = await _stands(connection)
            return int(found[0].split(" ")[0]) if found else 0

        await eventually(_reaches(trips, 5))
        tries, before = shut.tries, await trips()
        await eventually(_reaches(trips, before + 2))
        assert shut.tries - tries <= await trips() - before + 1
        await hub.tell("good", EventType.PREPARING, receiver.url)
        await receiver.count(1)


def _reaches(number: Callable[[], Awaitable[int]], least: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await number() >= least

    return holds
