"""Lanes in a real store: one out at a time, fenced, in order."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.store.connection import Connection
from hub.store.lanes import Claim, Delivery, Lanes, Room, Settlement, StaleClaimError, State
from tests.bridge.rig import deliveries

WIDE = Room(total=100, queue=100, origin=100, named={})
P = 5
URL = "https://a.example/hook"


@pytest.fixture
def lanes(connection: Connection) -> Lanes:
    return Lanes(connection)


def delivery(order_id: str, seq: int, *, target: str = "ep_1", url: str = "") -> Delivery:
    return Delivery(
        delivery_id=f"{target}-{order_id}-{seq}",
        order_id=order_id,
        seq=seq,
        event_type="order.ready",
        target=target,
        queue=f"https://a.example|{target}" if url else target,
        partner="acme",
        url=url,
        body=b'{"seq":%d}' % seq,
    )


async def claim(lanes: Lanes, lease: float = 60.0, room: Room = WIDE) -> list[Claim]:
    return (await lanes.claim(P, lease, room)).items


def ids(claims: Sequence[Claim]) -> list[tuple[str, int]]:
    return sorted((each.order_id, each.seq) for each in claims)


async def test_one_out_at_a_time(lanes: Lanes) -> None:
    """The first of each lane goes out; the next when it was settled."""
    waiting = [delivery("a", 1), delivery("a", 2), delivery("b", 1)]
    assert await lanes.enqueue(P, "", "1-0", waiting)
    claims = await claim(lanes)
    assert ids(claims) == [("a", 1), ("b", 1)]
    assert await claim(lanes) == []
    first = next(each for each in claims if each.order_id == "a")
    assert await lanes.settle(first, Settlement(State.DELIVERED, {"status": 202})) == 0.0
    assert ids(await claim(lanes)) == [("a", 2)]


async def test_a_cursor_moves_once(lanes: Lanes, connection: Connection) -> None:
    """Only who knows where the cursor stands may enqueue."""
    assert await lanes.enqueue(P, "", "1-0", [delivery("a", 1)])
    assert not await lanes.enqueue(P, "", "2-0", [delivery("a", 2)])
    assert await lanes.enqueue(P, "1-0", "2-0", [])
    assert len(await deliveries(connection)) == 1


async def test_a_stale_fence_changes_nothing(lanes: Lanes, connection: Connection) -> None:
    """Who lost the lease can neither deliver, retry, hold nor kill."""
    await lanes.enqueue(P, "", "1-0", [delivery("a", 1), delivery("a", 2)])
    (late,) = await claim(lanes, lease=0.005)
    while not (again := await claim(lanes)):
        pass
    (now,) = again
    assert (late.attempt, now.attempt) == (1, 2)
    assert late.first == now.first
    before = await deliveries(connection)
    for state in State:
        with pytest.raises(StaleClaimError):
            await lanes.settle(late, Settlement(state, {"status": 200}, whole=True, off=True))
    assert before == await deliveries(connection)
    assert await claim(lanes) == []
    assert await lanes.settle(now, Settlement(State.DELIVERED, {"status": 200})) == 0.0


async def test_a_retry_waits_at_the_head(lanes: Lanes, connection: Connection) -> None:
    """A later event does not bring a waiting lane forward."""
    await lanes.enqueue(P, "", "1-0", [delivery("a", 1)])
    (out,) = await claim(lanes)
    assert await lanes.settle(out, Settlement(State.PENDING, {"status": 500}, after=60)) == 60.0
    await lanes.enqueue(P, "1-0", "2-0", [delivery("a", 2)])
    found = await lanes.claim(P, 60, WIDE)
    assert found.items == []
    assert found.wait is not None
    assert 59 < found.wait <= 60
    assert (await deliveries(connection))[0]["made"] == {"attempt:1": {"status": 500}}


async def test_room(lanes: Lanes) -> None:
    """A full queue, or one at a full origin, waits its turn and lets others pass."""
    url = {"url": URL}
    waiting = [delivery(f"a{n}", 1, target="one", **url) for n in range(5)]
    waiting += [delivery(f"b{n}", 1, target="two", **url) for n in range(5)]
    waiting += [delivery(f"c{n}", 1) for n in range(5)]
    await lanes.enqueue(P, "", "1-0", waiting)
    found = await lanes.claim(P, 60, replace(WIDE, queue=3, origin=4, named={"ep_1": 2}))
    count = {name: sum(each.target == name for each in found.items) for name in ("one", "two")}
    assert sorted(count.values()) == [1, 3]
    assert sum(each.target == "ep_1" for each in found.items) == 2
    assert sorted(found.more) == ["ep_1", "https://a.example|one", "https://a.example|two"]
    assert await claim(lanes) == []
    woken = await lanes.claim(P, 60, WIDE, ["ep_1"])
    assert [each.target for each in woken.items] == ["ep_1"] * 3


async def test_total_room(lanes: Lanes) -> None:
    """No more is claimed than is wanted, and the rest at once when asked again."""
    await lanes.enqueue(P, "", "1-0", [delivery(f"a{n}", 1, target=f"ep_{n}") for n in range(9)])
    first = await lanes.claim(P, 60, replace(WIDE, total=4))
    assert (len(first.items), first.wait, first.more) == (4, 0.0, [])
    assert len(await claim(lanes)) == 5


async def test_holding_a_lane(lanes: Lanes, connection: Connection) -> None:
    """All that waits in the lane is set aside; no attempt is counted where none was made."""
    await lanes.enqueue(P, "", "1-0", [delivery("a", 1), delivery("a", 2), delivery("b", 1)])
    out = next(each for each in await claim(lanes) if each.order_id == "a")
    assert await lanes.settle(out, Settlement(State.HELD, whole=True)) is None
    states = [(each["state"], each["attempts"]) for each in await deliveries(connection)]
    assert states == [("held", "0"), ("held", "0"), ("pending", "1")]
    async with connection.mapped() as client:
        aside = await client.zrange("oc:{p005}:aside:ep_1", 0, -1)
    assert {b"ep_1-a-1", b"ep_1-a-2"} == set(aside)


async def test_switching_an_order_off(lanes: Lanes) -> None:
    """Once one callback was switched off, claims of the other say so and new ones are held."""
    one, two = delivery("a", 1, target="confirmed", url=URL), delivery("a", 1, url=URL)
    await lanes.enqueue(P, "", "1-0", [one])
    (out,) = await claim(lanes)
    assert not out.off
    await lanes.enqueue(P, "1-0", "2-0", [two])
    gone = Settlement(State.HELD, {"status": 410}, whole=True, off=True)
    assert await lanes.settle(out, gone) is None
    (other,) = await claim(lanes)
    assert other.off
    await lanes.settle(other, Settlement(State.HELD, whole=True))
    await lanes.enqueue(P, "2-0", "3-0", [delivery("a", 2, url=URL), delivery("a", 2)])
    assert [(each.order_id, each.url) for each in await claim(lanes)] == [("a", "")]


async def test_bridges_come_and_go(lanes: Lanes) -> None:
    """Who is silent for too long is gone, and so is who has left."""
    assert await lanes.beat("one", 60) == ["one"]
    assert sorted(await lanes.beat("two", 60)) == ["one", "two"]
    await lanes.leave("one")
    assert await lanes.beat("", 60) == ["two"]
    assert await lanes.beat("three", 0) == ["three"]
