"""Lanes in a real store: one out at a time, fenced, in order."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.core.webhooks.signature import WebhookId
from hub.store.connection import Connection
from hub.store.keys import partition_of
from hub.store.lanes import (
    Claim,
    Lanes,
    News,
    Room,
    Settlement,
    StaleClaimError,
    State,
    Target,
)
from tests.bridge.rig import deliveries

WIDE = Room(total=100, queue=100, origin=100, named={})
P = 5
URL = "https://a.example/hook"
ORDER = "ord_1"


@pytest.fixture
def lanes(connection: Connection) -> Lanes:
    return Lanes(connection)


def news(
    order_id: str, seq: int, *, target: str = "ep_1", url: str = "", latest: bool = False
) -> News:
    queue = f"https://a.example|{target}" if url else target
    targets = [Target(target, queue, latest=latest)]
    return News(order_id, "abcdefgh", seq, "acme", url, b'{"seq":%d}' % seq, targets)


async def claim(lanes: Lanes, lease: float = 60.0, room: Room = WIDE) -> list[Claim]:
    return (await lanes.claim(P, lease, room)).items


def ids(claims: Sequence[Claim]) -> list[tuple[str, int]]:
    return sorted((each.order_id, each.seq) for each in claims)


async def test_one_out_at_a_time(lanes: Lanes) -> None:
    """The first of each lane goes out; the next when it was settled."""
    waiting = [news("a", 1), news("a", 2), news("b", 1)]
    assert await lanes.enqueue(P, "", "1-0", waiting)
    claims = await claim(lanes)
    assert ids(claims) == [("a", 1), ("b", 1)]
    assert await claim(lanes) == []
    first = next(each for each in claims if each.order_id == "a")
    assert await lanes.settle(first, Settlement(State.DELIVERED, {"status": 202})) == 0.0
    assert ids(await claim(lanes)) == [("a", 2)]


async def test_a_cursor_moves_once(lanes: Lanes, connection: Connection) -> None:
    """Only who knows where the cursor stands may enqueue."""
    assert await lanes.enqueue(P, "", "1-0", [news("a", 1)])
    assert not await lanes.enqueue(P, "", "2-0", [news("a", 2)])
    assert await lanes.enqueue(P, "1-0", "2-0", [])
    assert len(await deliveries(connection)) == 1


async def test_a_stale_fence_changes_nothing(lanes: Lanes, connection: Connection) -> None:
    """Who lost the lease can neither deliver, retry, hold nor kill."""
    await lanes.enqueue(P, "", "1-0", [news("a", 1), news("a", 2)])
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
    await lanes.enqueue(P, "", "1-0", [news("a", 1)])
    (out,) = await claim(lanes)
    assert await lanes.settle(out, Settlement(State.PENDING, {"status": 500}, after=60)) == 60.0
    await lanes.enqueue(P, "1-0", "2-0", [news("a", 2)])
    found = await lanes.claim(P, 60, WIDE)
    assert found.items == []
    assert found.wait is not None
    assert 59 < found.wait <= 60
    assert (await deliveries(connection))[0]["made"] == {1: {"status": 500}}


async def test_room(lanes: Lanes) -> None:
    """A full queue, or one at a full origin, waits its turn and lets others pass."""
    url = {"url": URL}
    waiting = [news(f"a{n}", 1, target="confirmed", **url) for n in range(5)]
    waiting += [news(f"b{n}", 1, target="changes", **url) for n in range(5)]
    waiting += [news(f"c{n}", 1) for n in range(5)]
    await lanes.enqueue(P, "", "1-0", waiting)
    found = await lanes.claim(P, 60, replace(WIDE, queue=3, origin=4, named={"ep_1": 2}))
    count = {
        name: sum(each.target == name for each in found.items) for name in ("confirmed", "changes")
    }
    assert sorted(count.values()) == [1, 3]
    assert sum(each.target == "ep_1" for each in found.items) == 2
    assert sorted(found.more) == [
        "ep_1",
        "https://a.example|changes",
        "https://a.example|confirmed",
    ]
    assert await claim(lanes) == []
    woken = await lanes.claim(P, 60, WIDE, ["ep_1"])
    assert [each.target for each in woken.items] == ["ep_1"] * 3


async def test_total_room(lanes: Lanes) -> None:
    """No more is claimed than is wanted, and the rest at once when asked again."""
    await lanes.enqueue(P, "", "1-0", [news(f"a{n}", 1, target=f"ep_{n}") for n in range(9)])
    first = await lanes.claim(P, 60, replace(WIDE, total=4))
    assert (len(first.items), first.wait, first.more) == (4, 0.0, [])
    assert len(await claim(lanes)) == 5


async def test_holding_a_lane(lanes: Lanes, connection: Connection) -> None:
    """All that waits in the lane is set aside; no attempt is counted where none was made."""
    await lanes.enqueue(P, "", "1-0", [news("a", 1), news("a", 2), news("b", 1)])
    out = next(each for each in await claim(lanes) if each.order_id == "a")
    assert await lanes.settle(out, Settlement(State.HELD, whole=True)) is None
    states = [(each["state"], each["attempts"]) for each in await deliveries(connection)]
    assert states == [("held", 0), ("held", 0), ("pending", 1)]
    async with connection.mapped() as client:
        aside = await client.zrange("oc:{p005}:held:ep_1", 0, -1)
    assert {b"ep_1|a|1", b"ep_1|a|2"} == set(aside)


async def test_switching_an_order_off(lanes: Lanes) -> None:
    """Once one callback was switched off, claims of the other say so and new ones are held."""
    one = news("a", 1, target="confirmed", url=URL)
    two = news("a", 2, target="changes", url=URL)
    await lanes.enqueue(P, "", "1-0", [one])
    (out,) = await claim(lanes)
    assert not out.off
    await lanes.enqueue(P, "1-0", "2-0", [two])
    gone = Settlement(State.HELD, {"status": 410}, whole=True, off=True)
    assert await lanes.settle(out, gone) is None
    (other,) = await claim(lanes)
    assert other.off
    await lanes.settle(other, Settlement(State.HELD, whole=True))
    await lanes.enqueue(P, "2-0", "3-0", [news("a", 3, target="changes", url=URL), news("a", 4)])
    assert [(each.target, each.seq) for each in await claim(lanes)] == [("ep_1", 4)]


async def test_the_latest_stands_for_the_rest(lanes: Lanes, connection: Connection) -> None:
    """Where only the latest is wanted, older events that wait are done with the newest."""
    await lanes.enqueue(P, "", "1-0", [news("a", seq, latest=True) for seq in (1, 2, 3)])
    (out,) = await claim(lanes)
    assert (out.seq, out.stands_for) == (3, (1, 2))
    await lanes.enqueue(P, "1-0", "2-0", [news("a", 4, latest=True)])
    assert await lanes.settle(out, Settlement(State.PENDING, {"status": 500})) == 0.0
    (out,) = await claim(lanes)
    assert (out.seq, out.stands_for, out.attempt) == (4, (1, 2, 3), 1)
    await lanes.enqueue(P, "2-0", "3-0", [news("a", 5, latest=True)])
    assert await lanes.settle(out, Settlement(State.DELIVERED, {"status": 200})) == 0.0
    states = [each["state"] for each in await deliveries(connection)]
    assert states == ["superseded"] * 3 + ["delivered", "pending"]
    (out,) = await claim(lanes)
    assert (out.seq, out.stands_for) == (5, ())


async def test_replay(lanes: Lanes, connection: Connection) -> None:
    """What is done with goes out again at its place in the lane, its attempts from one."""
    order_id = ORDER
    await lanes.add(news(order_id, 1))
    await lanes.add(news(order_id, 2))
    (out,) = (await lanes.claim(partition_of(order_id), 60, WIDE)).items
    await lanes.settle(out, Settlement(State.DEAD, {"status": 500}))
    (two,) = (await lanes.claim(partition_of(order_id), 60, WIDE)).items
    which = WebhookId(order_id, "abcdefgh", 1, "ep_1")
    assert await lanes.replay(which)
    assert not await lanes.replay(which)
    assert not await lanes.replay(replace(which, seq=2))
    assert not await lanes.replay(replace(which, seq=9))
    await lanes.settle(two, Settlement(State.PENDING, {"status": 500}))
    (again,) = (await lanes.claim(partition_of(order_id), 60, WIDE)).items
    assert (again.seq, again.attempt, again.delivery_id) == (1, 1, str(which))
    await lanes.settle(again, Settlement(State.DELIVERED, {"status": 200}))
    made = (await deliveries(connection))[0]["made"]
    assert made == {1: {"status": 500}, 2: {"status": 200}}


async def test_recover(lanes: Lanes, connection: Connection) -> None:
    """All that was set aside for one endpoint since then, in order; nothing of another."""
    for seq in (1, 2, 3):
        await lanes.add(news(ORDER, seq))
    partition = partition_of(ORDER)
    await lanes.add(news(ORDER, 4, target="ep_2"))
    for out in (await lanes.claim(partition, 60, WIDE)).items:
        await lanes.settle(out, Settlement(State.HELD, whole=True))
    assert await lanes.recover(partition, "ep_1", time.time() + 60) == 0
    assert await lanes.recover(partition, "ep_1", time.time() - 60) == 3
    assert await lanes.recover(partition, "ep_1", time.time() - 60) == 0
    (out,) = (await lanes.claim(partition, 60, WIDE)).items
    assert (out.target, out.seq) == ("ep_1", 1)
    states = [each["state"] for each in await deliveries(connection)]
    assert states == ["pending"] * 3 + ["held"]


async def test_enqueued_once(lanes: Lanes, connection: Connection) -> None:
    """The same event again changes nothing, even when it was delivered."""
    await lanes.enqueue(P, "", "1-0", [news("a", 1)])
    (out,) = await claim(lanes)
    await lanes.settle(out, Settlement(State.DELIVERED, {"status": 200}))
    await lanes.enqueue(P, "1-0", "2-0", [news("a", 1)])
    assert await claim(lanes) == []
    assert [each["state"] for each in await deliveries(connection)] == ["delivered"]


async def test_a_book_is_kept_while_anything_waits(lanes: Lanes, connection: Connection) -> None:
    """Its days are counted from the moment when nothing waits any more."""
    await lanes.enqueue(P, "", "1-0", [news("a", 1), news("a", 2)])
    async with connection.mapped() as client:
        for left in (1, 0):
            assert await client.ttl("oc:{p005}:book:a") == -1
            (out,) = await claim(lanes)
            await lanes.settle(out, Settlement(State.DELIVERED, {"status": 200}))
            assert int(await client.hget("oc:{p005}:book:a", "open")) == left
        assert await client.ttl("oc:{p005}:book:a") > 80_000
