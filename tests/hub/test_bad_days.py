"""What holds when something breaks: the store, the bus, a hub, a token (contract 4, 9, 10)."""

import asyncio
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from redis.asyncio import Redis

from hub.server import together
from hub.store.embedded import EmbeddedStore
from schemas.codes import CloseCode
from schemas.lifecycle import Role
from tests.hub.harness import (
    RunningHub,
    advance,
    assign,
    eventually,
    fix,
    hubs,
    move,
    on_delivery,
    order_body,
    place,
    replace_listener,
    token,
)
from tests.store.cluster import cluster


async def kill(store: EmbeddedStore) -> None:
    """SIGKILL, and wait until the process is gone."""
    process: Any = store._process
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.to_thread(process.wait)


async def cut_pubsub(store: EmbeddedStore) -> None:
    """Cut every pub/sub connection, as the server does when a buffer overruns."""
    async with Redis.from_url(store.url) as client:
        await client.execute_command("CLIENT KILL TYPE pubsub")


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


async def test_a_killed_store_closes_no_socket_and_loses_no_event(store: EmbeddedStore) -> None:
    """Sockets stay and are told; writes answer 503; on return all is whole, then `recovered`."""
    async with hubs(store, 2) as (a, b), b.stream() as customer:
        order = await place(a.platform)
        await customer.subscribe(order["orderId"])
        await advance(a.platform, order, "CONFIRMED")
        await kill(store)

        refused = await move(a.platform, order, "PREPARING")
        assert 503 == refused.status_code
        assert refused.headers["retry-after"].isdigit()
        assert "degraded" == (await customer.until("notice"))["code"]
        assert 503 == (await b.http().get("/readyz")).status_code

        async with together(store.keep()):
            assert "recovered" == (await customer.until("notice"))["code"]
            await eventually(lambda: not a.state.degraded)
            await advance(a.platform, order, "PREPARING")
            await customer.until("event", lambda event: event["seq"] == 3)
        events = [message for message in customer.seen if message["type"] == "event"]
        assert [2, 3] == seqs(events)


async def test_what_was_missed_is_told_before_recovered(store: EmbeddedStore) -> None:
    """Every subscription is compared with the log first."""
    async with hubs(store, 2) as (a, b), b.stream() as customer:
        order = await place(a.platform)
        await customer.subscribe(order["orderId"])
        lose_next_event(b, order)
        await advance(a.platform, order, "CONFIRMED")
        await kill(store)
        async with together(store.keep()):
            await customer.until("notice", lambda notice: notice["code"] == "recovered")
        told = [message.get("code", message.get("seq")) for message in customer.seen[-3:]]
        assert ["degraded", 2, "recovered"] == told


async def test_the_same_idempotency_key_succeeds_when_the_store_is_back(
    store: EmbeddedStore,
) -> None:
    """A creation refused with 503 has made nothing; tried again with its key it makes one order."""
    async with hubs(store) as (hub,):
        body, key = order_body(externalId="ext-1"), {"Idempotency-Key": "again"}
        await kill(store)
        assert 503 == (await hub.platform.post("/v1/orders", json=body, headers=key)).status_code
        async with together(store.keep()):
            await eventually(lambda: not hub.state.degraded)
            first = await hub.platform.post("/v1/orders", json=body, headers=key)
            again = await hub.platform.post("/v1/orders", json=body, headers=key)
        assert [201, 201] == [first.status_code, again.status_code]
        assert first.json() == again.json()
        assert 1 == first.json()["seq"]


async def test_events_committed_while_the_bus_is_cut_arrive_in_order(store: EmbeddedStore) -> None:
    """What is published while nobody listens is read from the log."""
    async with hubs(store, 2) as (a, b), b.stream() as customer:
        order = await place(a.platform)
        await customer.subscribe(order["orderId"])
        for status in ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED"):
            await cut_pubsub(store)
            await advance(a.platform, order, status)
        await customer.until("unsubscribed")
        events = [message for message in customer.seen if message["type"] == "event"]
        assert [2, 3, 4, 5] == seqs(events)


async def test_a_lost_message_is_found_by_the_next_one(store: EmbeddedStore) -> None:
    """A hole in the seqs is filled before anything after it is told."""
    async with hubs(store, 2) as (a, b), b.stream() as customer:
        order = await place(a.platform)
        await customer.subscribe(order["orderId"])
        lose_next_event(b, order)
        await advance(a.platform, order, "CONFIRMED", "PREPARING")
        assert [2, 3] == seqs(await customer.events(2))


async def test_a_lost_message_is_found_in_silence(store: EmbeddedStore) -> None:
    """A feed that has long heard nothing is compared with the log."""
    async with hubs(store, 2) as (a, b), b.stream() as customer:
        order = await place(a.platform)
        await customer.subscribe(order["orderId"])
        lost = lose_next_event(b, order)
        await advance(a.platform, order, "CONFIRMED")
        await asyncio.wait_for(lost.wait(), 15)
        b.state.fanout._feeds[order["orderId"]].heard_at -= 60
        await b.state.fanout.check_silent()
        assert [2] == seqs(await customer.events(1))


def lose_next_event(hub: RunningHub, order: dict[str, Any]) -> asyncio.Event:
    """The hub's feed misses one event; the answer is set when that has happened."""
    lost = asyncio.Event()

    def miss_one(payload: bytes) -> None:
        if payload.startswith(b"E") and not lost.is_set():
            lost.set()
        else:
            hears(payload)

    hears = replace_listener(hub, order, miss_one)
    return lost


async def test_an_order_that_the_store_lost_ends_its_subscription(store: EmbeddedStore) -> None:
    """The store came back empty: `unsubscribed {reason: lost}`, not silence."""
    async with hubs(store) as (hub,), hub.stream() as customer:
        order = await place(hub.platform)
        await customer.subscribe(order["orderId"])
        async with Redis.from_url(store.url) as client:
            await client.flushall()
        await cut_pubsub(store)
        assert "lost" == (await customer.until("unsubscribed"))["reason"]


async def test_scripts_forgotten_by_the_store_are_sent_again(store: EmbeddedStore) -> None:
    """SCRIPT FLUSH, or a failover to a server that never saw them, is not noticed."""
    async with hubs(store) as (hub,):
        order = await place(hub.platform)
        async with Redis.from_url(store.url) as client:
            await client.script_flush()
        await advance(hub.platform, order, "CONFIRMED")


async def test_a_fix_taken_while_the_store_is_away_is_told_on_recovery(
    store: EmbeddedStore,
) -> None:
    """The newest fix of the outage reaches the customer; older ones need not."""
    async with hubs(store) as (hub,), hub.stream() as customer, hub.rider("r1") as rider:
        order = await on_delivery(hub.platform, "r1")
        await rider.until("orders", lambda message: bool(message["orders"]))
        await rider.until("orders", lambda message: message["orders"][0]["status"] == "ON_DELIVERY")
        await customer.subscribe(order["orderId"])
        await kill(store)
        await rider.until("notice")
        await rider.send(type="fix", **fix(7, lat=31.2333))
        await rider.until("ack")
        async with together(store.keep()):
            assert 31.2333 == (await customer.until("position"))["lat"]


async def test_a_position_told_while_a_hub_does_not_hear_is_told_there_on_recovery(
    store: EmbeddedStore,
) -> None:
    """Whichever hub is back first: the other finds the last position in the store, once."""
    async with (
        hubs(store, 2) as (a, b),
        a.stream() as near,
        b.stream() as far,
        a.rider("r1") as rider,
    ):
        order = await on_delivery(a.platform, "r1")
        await rider.until("orders", lambda message: message["orders"][0]["status"] == "ON_DELIVERY")
        for wire in (near, far):
            await wire.subscribe(order["orderId"])
        replace_listener(b, order, lambda payload: None, "sightings")
        await rider.send(type="fix", **fix(1, lat=31.2333))
        await near.until("position")
        for _ in range(2):
            b.state.bus.reset()
            await far.until("notice", lambda notice: bool(notice["code"] == "recovered"))
    positions = [message["lat"] for message in far.seen if message["type"] == "position"]
    assert [31.2333] == positions


async def test_a_token_refreshed_while_the_store_is_away_closes_no_socket(
    store: EmbeddedStore,
) -> None:
    """Where only the time differs there is nothing to look up."""
    async with hubs(store) as (hub,), hub.stream(sub="desk") as wire:
        order = await place(hub.platform)
        await wire.subscribe(order["orderId"])
        await kill(store)
        assert "degraded" == (await wire.until("notice"))["code"]
        await wire.send(type="auth", token=token(Role.PLATFORM, sub="desk", ttl=7200))
        assert [] == await wire.quiet()


async def test_a_drain_tells_then_closes_and_a_resume_elsewhere_misses_nothing(
    store: EmbeddedStore,
) -> None:
    """`notice draining`, then 1012; the other hub goes on from the last seq."""
    async with hubs(store) as (stays,):
        order = await place(stays.platform)
        async with hubs(store) as (leaves,), leaves.stream() as customer:
            await customer.subscribe(order["orderId"])
            await advance(stays.platform, order, "CONFIRMED")
            last = (await customer.events(1))[0]
            draining = asyncio.create_task(leaves.state.drain())
            notice = await customer.until("notice")
            assert "draining" == notice["code"]
            assert notice["reconnect"]["max"] > notice["reconnect"]["min"] >= 0
            assert CloseCode.DRAINING == await customer.close_code()
            await draining
        await advance(stays.platform, order, "PREPARING")
        async with stays.stream() as customer:
            after = {"epoch": last["epoch"], "seq": last["seq"]}
            answer = await customer.subscribe(order["orderId"], after=after)
        assert answer["recovered"]
        assert [3] == seqs(answer["events"])


async def test_an_expired_token_closes_with_4001(store: EmbeddedStore) -> None:
    """At `exp` and the leeway, unless a fresh token has come."""
    async with hubs(store) as (hub,), hub.socket("/v1/stream", nearly_expired()) as wire:
        await wire.until("welcome")
        await wire.send(type="auth", token=token(Role.PLATFORM))
        async with hub.socket("/v1/stream", nearly_expired()) as short:
            assert CloseCode.TOKEN_EXPIRED == await short.close_code()
        assert [] == await wire.quiet()


def nearly_expired() -> str:
    """Past its `exp`, and at the end of the leeway in a second or two."""
    return token(Role.PLATFORM, ttl=-28)


async def test_a_client_that_answers_no_ping_is_closed_with_4009(store: EmbeddedStore) -> None:
    """Half-open connections are found by pings."""
    async with hubs(store, ping_seconds=1) as (hub,), hub.stream() as wire:
        wire.connection.protocol.receive_data = lambda data: None  # type: ignore[method-assign]
        await eventually(lambda: not len(hub.state.sockets))


async def test_many_at_once_apply_one_change_once(store: EmbeddedStore) -> None:
    """Twenty hands on one order through two hubs: one event."""
    async with hubs(store, 2) as (a, b):
        order = await place(a.platform)
        answers = await asyncio.gather(
            *(move(hub.platform, order, "CONFIRMED") for hub in (a, b) * 10)
        )
        assert {200} == {answer.status_code for answer in answers}
        assert 1 == sum(answer.json()["applied"] for answer in answers)
        assert {2} == {answer.json()["seq"] for answer in answers}


async def test_one_key_at_once_makes_one_order(store: EmbeddedStore) -> None:
    """The same Idempotency-Key under way answers 409 with Retry-After, or the first answer."""
    async with hubs(store, 2) as (a, b):
        body, key = order_body(), {"Idempotency-Key": "one"}
        answers = await asyncio.gather(
            *(hub.platform.post("/v1/orders", json=body, headers=key) for hub in (a, b) * 5)
        )
        made = [answer for answer in answers if answer.status_code == 201]
        under_way = [answer for answer in answers if answer.status_code == 409]
        assert len(answers) == len(made) + len(under_way)
        assert all("retry-after" in answer.headers for answer in under_way)
        assert 1 == len({answer.json()["orderId"] for answer in made})


async def test_a_cluster_carries_an_order_from_hub_to_hub() -> None:
    """Three nodes: keys, scripts and channels of an order live in one slot, orders in many."""
    async with cluster() as url, hubs(on(url), 2) as (a, b), b.stream() as customer:
        for number in range(8):
            order = await place(a.platform)
            await customer.subscribe(order["orderId"])
            await assign(a.platform, order, f"r{number}")
            await advance(a.platform, order, "CONFIRMED", "ON_DELIVERY", "COMPLETED")
            assert [2, 3, 4, 5] == seqs(await customer.events(4))
            assert "finished" == (await customer.until("unsubscribed"))["reason"]


def on(url: str) -> Any:
    """What the harness takes for a store, elsewhere."""
    return SimpleNamespace(url=url, data_dir=Path())
