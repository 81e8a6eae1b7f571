"""What all bridges know together."""

import pytest

from hub.store.bridges import PROBE, Bridges
from hub.store.connection import Connection

ORIGIN = "https://a.example"


@pytest.fixture
def bridges(connection: Connection) -> Bridges:
    return Bridges(connection)


async def test_bridges_come_and_go(bridges: Bridges) -> None:
    """Who is silent for too long is gone, and so is who has left."""
    assert {"one"} == (await bridges.beat("one", 60)).names
    assert {"one", "two"} == (await bridges.beat("two", 60)).names
    await bridges.leave("one")
    assert {"two"} == (await bridges.beat("", 60)).names
    assert {"three"} == (await bridges.beat("three", 0)).names


async def test_a_circuit(bridges: Bridges) -> None:
    """Open, it lets nothing through; then one probe; and it stays open longer each time."""
    assert await bridges.enter(ORIGIN, 10, 5) == 0.0
    assert 9 < await bridges.trip(ORIGIN, 10, 60) <= 10
    assert 9 < await bridges.trip(ORIGIN, 10, 60) <= 10
    assert 9 < await bridges.enter(ORIGIN, 10, 5) <= 10
    assert 9 < (await bridges.beat("one", 60)).circuits[ORIGIN] <= 10
    await bridges.close(ORIGIN)
    assert (await bridges.beat("one", 60)).circuits == {}
    await bridges.trip(ORIGIN, 0, 60)
    answers = [await bridges.enter(ORIGIN, 10, 5) for _ in range(3)]
    assert answers[0] == PROBE
    assert answers[1:] == [5.0, 5.0]
    assert 19 < await bridges.trip(ORIGIN, 10, 60) <= 20
    await bridges.close(ORIGIN)
    assert await bridges.enter(ORIGIN, 10, 5) == 0.0


async def test_the_longest_opening(bridges: Bridges) -> None:
    """It is not doubled for ever."""
    for _ in range(40):
        await bridges.trip(ORIGIN, 0.001, 0.002)
        while await bridges.enter(ORIGIN, 0.0, 0.0) > 0.0:
            pass
    assert await bridges.trip(ORIGIN, 10, 60) <= 60


async def test_a_row_of_failures(bridges: Bridges) -> None:
    """Orders count once, and a success ends the row."""
    assert [1, 1, 2] == [(await bridges.failed("ep_1", name, 20))[1] for name in ("a", "a", "b")]
    assert {"ep_1"} == (await bridges.beat("", 60)).failing
    for number in range(30):
        _, orders = await bridges.failed("ep_1", str(number), 20)
    assert orders == 20
    await bridges.well("ep_1")
    assert frozenset() == (await bridges.beat("", 60)).failing
    assert (await bridges.failed("ep_1", "c", 20))[1] == 1
