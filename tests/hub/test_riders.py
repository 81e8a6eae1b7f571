"""Riders: their sockets, their fixes, and who sees where they are (contract 5)."""

import asyncio
import time
from typing import Any

import httpx2
import pytest
from prometheus_client import REGISTRY

from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import Role
from schemas.messages import Ack, Cadence, Orders
from schemas.telemetry import Sighting
from schemas.wire import Codec
from tests.hub.harness import (
    CODECS,
    DOOR,
    SHOP,
    RunningHub,
    Wire,
    advance,
    assign,
    eventually,
    fits,
    fix,
    fresh,
    hubs,
    on_delivery,
    place,
    token,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def is_on_delivery(message: dict[str, Any]) -> bool:
    return any(order["status"] == "ON_DELIVERY" for order in message["orders"])


async def orders_of(rider: Wire) -> list[dict[str, Any]]:
    """The next word about the rider's orders."""
    return list((await rider.until("orders"))["orders"])


async def kept(hub: RunningHub, order: dict[str, Any]) -> bytes | None:
    """What the store has of the order's position."""
    async with hub.state.connection.mapped() as client:
        for key in await client.keys(order_keys(order["orderId"]).position("*")):
            value: bytes | None = await client.get(key)
            return value
    return None


def rejections(reason: str) -> float:
    counted = REGISTRY.get_sample_value("ordercast_fixes_rejected_total", {"reason": reason})
    return counted or 0.0


# The socket


@pytest.mark.parametrize("codec", CODECS)
async def test_a_riders_day(hub: RunningHub, platform: httpx2.AsyncClient, codec: Codec) -> None:
    """Orders come and go on the socket as they are assigned, moved and finished."""
    rider_id = fresh("r")
    bearer = token(Role.RIDER, sub=rider_id)
    async with hub.socket(f"/v1/riders/{rider_id}/stream", bearer, codec) as wire:
        kinds = [(await wire.next())["type"] for _ in range(3)]
        order = await place(platform)
        await assign(platform, order, rider_id)
        given = await wire.until("orders")
        await advance(platform, order, "CONFIRMED")
        moved = await wire.until("orders")
        await advance(platform, order, "CANCELLED")
        gone = await wire.until("orders")
    assert ["welcome", "orders", "cadence"] == kinds
    fits(Orders, given)
    assert [
        {
            "orderId": order["orderId"],
            "status": "PENDING",
            "pickup": SHOP,
            "address": order["address"],
        }
    ] == given["orders"]
    assert ["CONFIRMED"] == [each["status"] for each in moved["orders"]]
    assert [] == gone["orders"]


async def test_the_cadence_follows_the_work(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """An idle rider sends seldom, one with an order often."""
    rider_id = fresh("r")
    async with hub.rider(rider_id) as wire:
        idle = fits(Cadence, await wire.until("cadence"))
        await assign(platform, await place(platform), rider_id)
        busy = fits(Cadence, await wire.until("cadence"))
    assert "idle" == idle.reason
    assert busy.seconds < idle.seconds


@pytest.mark.parametrize("codec", CODECS)
async def test_a_fix_is_acknowledged_and_seen(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient, codec: Codec
) -> None:
    """The rider gets its seq back; a watcher on another hub gets the position."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with (
        hubs(shared_store) as (other,),
        other.stream(codec=codec) as watcher,
        hub.rider(rider_id, codec) as rider,
    ):
        await watcher.subscribe(order["orderId"])
        sent = fix(41, accuracy=4.5, battery=0.8)
        await rider.send(type="fix", **sent)
        ack = fits(Ack, await rider.until("ack"))
        position = await watcher.until("position")
    assert 41 == ack.seq
    wanted = {"lat", "lng", "at", "speed", "heading", "accuracy", "battery"}
    assert {name: sent[name] for name in wanted} == {name: position[name] for name in wanted}
    assert ("fresh", order["orderId"]) == (position["freshness"], position["orderId"])


async def test_acks_come_once_a_second(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """The first at once, then the highest seq taken."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        for seq in range(1, 8):
            await rider.send(type="fix", **fix(seq, offset=seq / 10 - 1))
        acks = [(await rider.until("ack"))["seq"] for _ in range(2)]
    assert [1, 7] == acks


async def test_a_batch_counts_once(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """What was buffered offline comes in one message: all taken, the newest told."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        fixes = [fix(seq, offset=seq - 101, lat=31.23 + seq / 5e3) for seq in range(1, 101)]
        await rider.send(type="fixes", fixes=fixes)
        assert 100 == (await rider.until("ack"))["seq"]
        assert fixes[-1]["lat"] == (await watcher.until("position"))["lat"]
        trail = (await watcher.subscribe(order["orderId"]))["snapshot"]["trail"]
    assert not [m for m in rider.seen if m["type"] == "rejected"]
    assert [each["at"] for each in trail] == sorted(each["at"] for each in trail)
    assert fixes[-1]["lat"] == trail[-1]["lat"]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same hub", "other hub"])
async def test_superseded(shared_store: EmbeddedStore, hub: RunningHub, elsewhere: bool) -> None:
    """The newer session wins: the older one is told so and closed with 4509."""
    rider_id = fresh("r")
    async with hubs(shared_store) as (other,), hub.rider(rider_id) as old:
        await old.until("cadence")
        async with (other if elsewhere else hub).rider(rider_id) as new:
            said = await old.next()
            assert 4509 == await old.close_code()
            await new.until("cadence")
            assert [] == await new.quiet()
    assert {"type": "superseded"} == said


async def test_superseded_again_and_again(shared_store: EmbeddedStore, hub: RunningHub) -> None:
    """However the phone changes between two hubs, one session is left, the newest."""
    rider_id = fresh("r")
    async with hubs(shared_store) as (other,):
        for _ in range(4):
            async with hub.rider(rider_id) as old, other.rider(rider_id) as new:
                assert 4509 == await old.close_code()
                await new.quiet()


async def test_two_sessions_at_the_same_moment(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """One of them is left, and gets the orders."""
    rider_id = fresh("r")
    path, bearer = f"/v1/riders/{rider_id}/stream", token(Role.RIDER, sub=rider_id)
    for _ in range(5):
        async with hub.socket(path) as one, hub.socket(path) as other:
            await one.send(type="auth", token=bearer)
            await other.send(type="auth", token=bearer)
            assert 4509 == await one.close_code()
            order = await place(platform)
            await assign(platform, order, rider_id)
            while order["orderId"] not in [each["orderId"] for each in await orders_of(other)]:
                pass


async def test_a_rider_comes_back_with_work(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """On whichever hub: the orders are there at once, and the trail goes on."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hubs(shared_store) as (other,):
        await watcher.subscribe(order["orderId"])
        for on, seq in ((hub, 1), (other, 2), (hub, 3)):
            async with on.rider(rider_id) as rider:
                assert is_on_delivery(rider.seen[-1])
                where = {"lat": SHOP["lat"] + seq / 1000}
                await rider.send(type="fix", **fix(seq, offset=40 * seq - 160, **where))
                await watcher.until("position")
        snapshot = (await watcher.subscribe(order["orderId"]))["snapshot"]
    lats = [round(point["lat"] - SHOP["lat"], 6) for point in snapshot["trail"]]
    assert [0.001, 0.002, 0.003] == lats


# Which fixes are believed


async def test_off_duty(hub: RunningHub) -> None:
    """A rider with no active order has nothing stored: the fix is rejected."""
    rider_id, before = fresh("r"), rejections("off_duty")
    async with hub.rider(rider_id) as rider:
        rejected = await rider.ask("fix", "rejected", **fix(5))
    assert {"type": "rejected", "seq": 5, "reason": "off_duty"} == rejected
    assert 1 == rejections("off_duty") - before


async def reasons(rider: Wire, *fixes: dict[str, Any]) -> list[tuple[Any, str]]:
    for each in fixes:
        await rider.send(type="fix", **each)
    said = await rider.quiet()
    return [(m.get("seq"), m["reason"]) for m in said if m["type"] == "rejected"]


async def test_old_and_impossible_fixes(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Older than the newest, ahead of the clock, faster than 70 m/s: each by its name."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        rejected = await reasons(
            rider,
            fix(1, offset=-5),
            fix(2, offset=-10),
            fix(3, offset=-4, **DOOR),
            fix(4, offset=45),
            fix(5, offset=-3),
        )
    assert [(2, "old"), (3, "too_fast"), (4, "future")] == rejected


async def test_the_third_fix_near_a_new_place_is_believed(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """The phone was wrong before, not now."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        fixes = [fix(seq, offset=seq - 6, **DOOR) for seq in range(2, 6)]
        assert [(2, "too_fast"), (3, "too_fast")] == await reasons(rider, fix(1, offset=-6), *fixes)


async def test_a_rider_in_quarantine(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Each step could be, at 60 m/s, but not all of them: counted once, shown no more, and over
    when the rider rides again.
    """
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    north = [240.0 * min(step, 10) / 111_195 for step in range(19)]
    fixes = [
        fix(step, offset=4.0 * step - 80, lat=SHOP["lat"] + 0.1 + way)
        for step, way in enumerate(north)
    ]
    before = REGISTRY.get_sample_value("ordercast_riders_quarantined_total") or 0.0
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        rejected = await reasons(rider, *fixes)
        await watcher.until("position", lambda message: message["at"] == fixes[18]["at"])
    assert {"too_fast"} == {reason for _, reason in rejected}
    assert list(range(6, 12)) == [seq for seq, _ in rejected]
    assert 1 == REGISTRY.get_sample_value("ordercast_riders_quarantined_total") - before
    seen = {message["at"] for message in watcher.seen if message["type"] == "position"}
    assert not seen & {fixes[seq]["at"] for seq, _ in rejected}


CLOCKS: dict[str, tuple[Any, str]] = {
    "seconds": (1_795_374_343, "malformed"),
    "milliseconds": (1_795_374_343_120, "malformed"),
    "seconds as a text": ("1795374343", "malformed"),
    "no zone": ("2026-11-22T19:05:43", "malformed"),
    "seconds taken for milliseconds": ("1970-01-21T18:42:54.343Z", "old"),
    "milliseconds taken for seconds": ("9999-12-31T23:59:59.999Z", "future"),
    "the GPS counts 1024 weeks too few": ("2007-04-08T19:05:43.000Z", "old"),
}


@pytest.mark.parametrize(("at", "reason"), CLOCKS.values(), ids=CLOCKS)
async def test_a_clock_that_is_none(
    hub: RunningHub, platform: httpx2.AsyncClient, at: Any, reason: str
) -> None:
    """By socket and by HTTP, with the seq; nothing of it is taken, and the next good fix is."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    client = hub.http(Role.RIDER, sub=rider_id)
    async with hub.rider(rider_id) as rider:
        assert [(7, reason)] == await reasons(rider, {**fix(7), "at": at})
        answer = await client.post(f"/v1/riders/{rider_id}/positions", json={**fix(8), "at": at})
        assert {"taken": 0, "rejected": [{"seq": 8, "reason": reason}]} == answer.json()
        assert [] == await reasons(rider, fix(9))


async def test_too_many_fixes(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """A burst of 20 is taken, what comes on top is rejected; the socket stays."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        rejected = await reasons(rider, *(fix(seq, offset=seq / 50 - 2) for seq in range(40)))
    assert {"rate"} == {reason for _, reason in rejected}
    assert 10 <= len(rejected) <= 20


async def test_a_fix_in_gcj02(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Told by `crs`, it is held and shown in WGS 84."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    lat, lng = to_gcj02(SHOP["lat"], SHOP["lng"])
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1, lat=lat, lng=lng, crs="gcj02"))
        position = await watcher.until("position")
    assert (SHOP["lat"], SHOP["lng"]) == pytest.approx((position["lat"], position["lng"]))


@pytest.mark.parametrize(("age", "wanted"), [(1, "fresh"), (60, "stale"), (300, "lost")])
async def test_freshness(
    hub: RunningHub, platform: httpx2.AsyncClient, age: float, wanted: str
) -> None:
    """What a position is worth depends on the age of its fix."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1, offset=-age))
        live = await watcher.until("position")
        snapshot = (await watcher.subscribe(order["orderId"]))["snapshot"]
    assert (wanted, wanted) == (live["freshness"], snapshot["position"]["freshness"])


# By HTTP


async def test_positions_by_http(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """One fix or a batch; each is judged alone, and the answer names what was not taken."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    client = hub.http(Role.RIDER, sub=rider_id)
    path = f"/v1/riders/{rider_id}/positions"
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        one = await client.post(path, json=fix(1, offset=-5))
        await watcher.until("position")
        batch = [
            fix(2, offset=-4),
            fix(3, lat=99),
            {"seq": 4},
            fix(5, offset=-3, lng=SHOP["lng"] + 0.0004),
        ]
        many = await client.post(path, json={"fixes": batch})
        await watcher.until("position")
    assert (200, {"taken": 1, "rejected": []}) == (one.status_code, one.json())
    rejected = [{"seq": 3, "reason": "out_of_range"}, {"seq": 4, "reason": "malformed"}]
    assert {"taken": 2, "rejected": rejected} == many.json()


async def test_positions_by_http_off_duty(hub: RunningHub) -> None:
    """Rejected, not refused."""
    rider_id = fresh("r")
    client = hub.http(Role.RIDER, sub=rider_id)
    answer = await client.post(f"/v1/riders/{rider_id}/positions", json=fix(9))
    assert {"taken": 0, "rejected": [{"seq": 9, "reason": "off_duty"}]} == answer.json()


async def test_first_positions_at_once(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Two requests of a rider whom this hub does not know yet: both wait for the orders."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    client = hub.http(Role.RIDER, sub=rider_id)
    same = fix(1)
    answers = await asyncio.gather(
        *(client.post(f"/v1/riders/{rider_id}/positions", json=same) for _ in range(5))
    )
    assert [1] * 5 == [answer.json()["taken"] for answer in answers]


async def test_an_order_just_assigned(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """A rider known here without work is on duty as soon as the assignment is answered."""
    rider_id = fresh("r")
    order = await place(platform)
    async with hub.rider(rider_id) as rider:
        await assign(platform, order, rider_id)
        await rider.until("orders")
        await rider.send(type="fix", **fix(1))
        assert 1 == (await rider.until("ack"))["seq"]


# What is left afterwards


async def test_position_and_trail_in_the_snapshot(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Who joins on the way sees where the rider is and the way so far."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider, hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        for seq in range(1, 4):
            at = {"lat": SHOP["lat"] + seq / 1000}
            await rider.send(type="fix", **fix(seq, offset=10 * seq - 40, **at))
            await watcher.until("position")
    async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as customer:
        snapshot = (await customer.subscribe(order["orderId"]))["snapshot"]
    assert [31.2314, 31.2324, 31.2334] == [point["lat"] for point in snapshot["trail"]]
    assert {"at", "lat", "lng"} == set(snapshot["trail"][0])
    assert (31.2334, False) == (snapshot["position"]["lat"], "riderId" in snapshot)


@pytest.mark.parametrize("ending", ["COMPLETED", "CANCELLED"])
async def test_nothing_stays_after_the_end(
    hub: RunningHub, platform: httpx2.AsyncClient, ending: str
) -> None:
    """Position and trail are gone from the store, and a late fix brings none back."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider, hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1, offset=-5))
        await watcher.until("position")
        assert await kept(hub, order)
        await advance(platform, order, ending)
        assert await kept(hub, order) is None
        place = hub.state.riders.board.place(order["orderId"], 2)
        place.put(Sighting(2, time.time(), **SHOP))
        place.put_trail([[1.0, 2.0, 3.0]])
        await rider.until("orders", lambda message: not message["orders"])
        assert "off_duty" == (await rider.ask("fix", "rejected", **fix(2)))["reason"]
        told = (await watcher.subscribe(order["orderId"]))["snapshot"]
        assert await kept(hub, order) is None
    assert not {"position", "trail"} & set(told)


async def test_reassignment_fences_the_old_rider(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """From the moment of the answer: no audience sees the former rider, who loses the order."""
    first, second = fresh("r"), fresh("r")
    order = await on_delivery(platform, first)
    async with hub.stream() as watcher, hub.rider(first) as old, hub.rider(second) as new:
        await watcher.subscribe(order["orderId"])
        await old.send(type="fix", **fix(1, offset=-5))
        await watcher.until("position")
        leg = hub.state.fanout._feeds[order["orderId"]].leg
        await assign(platform, order, second)
        await old.send(type="fix", **fix(2, offset=-4))
        late = Sighting(leg, time.time() - 4, **SHOP)
        hub.state.riders.board.place(order["orderId"], leg).put(late)  # as from a slower hub
        await old.until("orders", lambda message: not message["orders"])
        assert "off_duty" == (await old.ask("fix", "rejected", **fix(3)))["reason"]
        snapshot = (await watcher.subscribe(order["orderId"]))["snapshot"]
        await new.until("orders", lambda message: bool(message["orders"]))
        await new.send(type="fix", **fix(1, offset=-1, lat=31.3))
        position = await watcher.until("position")
    assert "position" not in snapshot
    assert 31.3 == position["lat"]
    riding = [message["riderId"] for message in watcher.seen if message["type"] == "position"]
    assert [first, second] == riding


async def test_the_way_to_the_store_is_not_the_customers(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """What was before the pick-up is in no trail that a customer gets."""
    rider_id = fresh("r")
    order = await place(platform)
    await assign(platform, order, rider_id)
    async with hub.rider(rider_id) as rider, hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1, offset=-60, lat=31.22))
        await watcher.until("position")
        await advance(platform, order, "CONFIRMED", "ON_DELIVERY")
        await rider.until("orders", is_on_delivery)
        async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as customer:
            before = (await customer.subscribe(order["orderId"]))["snapshot"]
            await rider.send(type="fix", **fix(2, offset=-1))
            await customer.until("position")
            after = (await customer.subscribe(order["orderId"]))["snapshot"]
    assert not {"position", "trail"} & set(before)
    assert [SHOP["lat"]] == [point["lat"] for point in after["trail"]]


async def test_two_orders_of_one_rider(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """One fix goes to each active order, and only to those."""
    rider_id = fresh("r")
    orders = [await on_delivery(platform, rider_id) for _ in range(2)]
    other = await on_delivery(platform, fresh("r"))
    async with hub.rider(rider_id) as rider, hub.stream() as watcher:
        for order in (*orders, other):
            await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1))
        told = [(await watcher.until("position"))["orderId"] for _ in range(2)]
        assert [] == await watcher.quiet()
    assert {order["orderId"] for order in orders} == set(told)


async def test_a_rider_who_leaves_is_forgotten(shared_store: EmbeddedStore) -> None:
    """The hub keeps no socket of a rider who is gone."""
    async with hubs(shared_store) as (hub,):
        async with hub.rider(fresh("r")):
            assert 1 == len(hub.state.sockets)
        await eventually(lambda: len(hub.state.sockets) == 0)
        assert [None] == [rider.on_orders for rider in hub.state.riders._riders.values()]
