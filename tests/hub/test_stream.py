"""Watching orders by WebSocket: nothing missing, nothing twice, nothing too much (contract 4)."""

import asyncio
import os
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Collection
from itertools import count
from typing import Any

import httpx2
import pytest

from hub.core.callers.claims import WORKER_CLAIMS
from hub.core.orders import order as core
from hub.metrics import POSITIONS_CONFLATED
from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from hub.transports.socket import MAX_WAITING, Socket
from schemas.codes import CloseCode
from schemas.lifecycle import Role
from schemas.messages import PositionMessage, StreamEvent, Subscribed, Welcome
from schemas.telemetry import Sighting
from schemas.times import format_time
from schemas.wire import Codec
from tests.hub.harness import (
    CODECS,
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
    move,
    on_delivery,
    place,
    replace_listener,
    token,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def seqs(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages if message["type"] == "event"]


def having(name: str, value: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda message: bool(message[name] == value)


# Conversation


@pytest.mark.parametrize("codec", CODECS)
async def test_welcome(hub: RunningHub, codec: Codec) -> None:
    """The first message says who speaks, how big messages may be, and how to come back."""
    async with hub.socket("/v1/stream", token(Role.PLATFORM), codec) as wire:
        welcome = fits(Welcome, await wire.next())
    assert (65_536, hub.state.hub_id) == (welcome.max_message, welcome.hub)
    assert 0 < welcome.reconnect.min < welcome.reconnect.max


@pytest.mark.parametrize("codec", CODECS)
async def test_the_token_may_come_as_a_message(hub: RunningHub, codec: Codec) -> None:
    """`auth` first, for those who cannot send headers."""
    async with hub.socket("/v1/stream", codec=codec) as wire:
        assert "welcome" == (await wire.ask("auth", "welcome", token=token(Role.PLATFORM)))["type"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ordercast.v1.msgpack", "ordercast.v1.json"], "ordercast.v1.msgpack"),
        (["something", "ordercast.v1.json"], "ordercast.v1.json"),
        (None, None),
    ],
)
async def test_the_subprotocol(
    hub: RunningHub, offered: list[str] | None, chosen: str | None
) -> None:
    """The first offered one that the hub speaks; without an offer it is JSON."""
    codec: Codec = "msgpack" if chosen and "msgpack" in chosen else "json"
    bearer = token(Role.PLATFORM)
    async with hub.socket("/v1/stream", bearer, codec, subprotocols=offered) as wire:
        assert chosen == wire.connection.subprotocol
        assert "welcome" == (await wire.next())["type"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", [0, -(2**63), 2**53, 2**64 - 1, "", "a", "x" * 64, "ü" * 64, "5"])
async def test_an_id_is_given_back_as_it_came(hub: RunningHub, codec: Codec, name: Any) -> None:
    """Integers stay integers, strings stay strings."""
    async with hub.stream(codec=codec) as wire:
        assert name == (await wire.ask("ping", "pong", id=name))["id"]
        assert name == (await wire.ask("subscribe", "error", id=name, orderId="ord_no"))["id"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", [True, None, 1.0, "x" * 65, []])
async def test_what_is_no_id(hub: RunningHub, codec: Codec, name: Any) -> None:
    """It is refused by its name, and not given back."""
    async with hub.stream(codec=codec) as wire:
        error = await wire.ask("subscribe", "error", id=name, orderId="ord_no")
    said = "id: must be an integer or a string of up to 64 characters"
    assert {"type": "error", "code": "bad_request", "message": said} == error


async def test_a_ping_needs_no_id(hub: RunningHub) -> None:
    """Then the pong has none either."""
    async with hub.stream() as wire:
        assert {"type": "pong"} == await wire.ask("ping", "pong")


async def test_no_auth_in_time(hub: RunningHub) -> None:
    """Eleven seconds without a token: 4510."""
    async with hub.socket("/v1/stream") as wire:
        await eventually(lambda: len(hub.state.sockets) > 0)
        hub.state.sockets._call_due(time.time() + 11)
        assert 4510 == await wire.close_code()


async def test_a_token_that_runs_out(hub: RunningHub) -> None:
    """4001, half a minute after `exp`: refresh and come back."""
    async with hub.stream(ttl=-27) as wire:
        assert [] == await wire.quiet()
        assert 4001 == await wire.close_code()


async def test_a_token_refreshed_in_place(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """The socket and its subscriptions live on with the new one's `exp`."""
    order = await place(platform)
    async with hub.stream(ttl=-27) as wire, hub.stream(ttl=-27) as other:
        await wire.subscribe(order["orderId"])
        await wire.send(type="auth", token=token(Role.PLATFORM, ttl=7200))
        assert 4001 == await other.close_code()
        await advance(platform, order, "CONFIRMED")
        assert 2 == (await wire.until("event"))["seq"]
    assert 1 == [message["type"] for message in wire.seen].count("welcome")


async def test_a_token_refreshed_by_a_bad_one(hub: RunningHub) -> None:
    """4501, although the first one was still good."""
    async with hub.stream() as wire:
        await wire.send(type="auth", token="nonsense")
        assert 4501 == await wire.close_code()


async def test_a_token_refreshed_by_one_that_allows_less(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """The subscriptions that it does not cover end as `forbidden`, the others go on."""
    mine, other = await place(platform), await place(platform)
    async with hub.stream() as wire:
        for order in (mine, other):
            await wire.subscribe(order["orderId"])
        await wire.send(type="auth", token=mine["streamToken"])
        ended = await wire.until("unsubscribed")
        await advance(platform, other, "CONFIRMED")
        await advance(platform, mine, "CONFIRMED")
        told = await wire.until("event")
    assert (other["orderId"], "forbidden") == (ended["orderId"], ended["reason"])
    assert mine["orderId"] == told["orderId"]


async def test_a_token_refreshed_by_one_that_sees_less(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """From then on positions are shown as the new role may see them, and the other way round."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    customers = {"riderId", "accuracy", "battery"}
    async with hub.stream() as wire, hub.rider(rider_id) as rider:
        await wire.subscribe(order["orderId"])
        shown = []
        for seq, bearer in enumerate((None, order["streamToken"], token(Role.PLATFORM)), start=1):
            if bearer is not None:
                await wire.send(type="auth", token=bearer)
                await wire.quiet()
            place_now = {"lat": SHOP["lat"] + seq * 0.0003, "accuracy": 5.0, "battery": 0.5}
            await rider.send(type="fix", **fix(seq, **place_now))
            shown.append(customers & (await wire.until("position")).keys())
    assert [customers, set(), customers] == shown


ORIGINS = [
    ((), "http://127.0.0.1:{port}", True),
    ((), "http://evil.example", False),
    ((), "http://127.0.0.1:{port}.evil.example", False),
    ((), "null", False),
    (("https://shop.example",), "https://shop.example", True),
    (("https://shop.example",), "http://127.0.0.1:{port}", True),
    (("https://shop.example",), "https://evil.example", False),
    (("https://shop.example",), "http://shop.example", False),
    (("*",), "https://any.example", True),
]


@pytest.mark.parametrize(("allowed", "origin", "let_in"), ORIGINS)
async def test_origins(
    shared_store: EmbeddedStore, allowed: tuple[str, ...], origin: str, let_in: bool
) -> None:
    """A browser's page must be of the same origin, or of one that is allowed: else 4503."""
    async with hubs(shared_store, allowed_origins=allowed) as (hub,):
        headers = {"Origin": origin.format(port=hub.port)}
        async with hub.socket("/v1/stream", token(Role.PLATFORM), headers=headers) as wire:
            if let_in:
                assert "welcome" == (await wire.next())["type"]
            else:
                assert 4503 == await wire.close_code()
                assert [] == wire.seen


async def test_a_client_that_answers_no_ping(shared_store: EmbeddedStore) -> None:
    """It is closed with 4009 after the second ping."""
    async with hubs(shared_store, ping_seconds=0.05) as (hub,):
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        key = b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        async with asyncio.timeout(10):
            await reader.readuntil(b"\r\n\r\n")
            ping = await reader.readexactly(2)
            close = await reader.readexactly(4)
        writer.close()
        await writer.wait_closed()
    assert b"\x89\x00" == ping
    assert (0x88, 4009) == (close[0], int.from_bytes(close[2:]))


async def test_a_client_that_answers_pings_stays(shared_store: EmbeddedStore) -> None:
    """However many pings have gone by."""
    async with hubs(shared_store) as (hub,), hub.stream() as wire:
        (server_side,) = hub.state.sockets
        for _ in range(3):
            server_side.ping()
            await wire.quiet()
        assert not server_side._closing


async def test_draining(shared_store: EmbeddedStore) -> None:
    """A hub that ends says when to come back, then closes with 1012."""
    context = hubs(shared_store)
    (hub,) = await context.__aenter__()
    async with hub.stream() as wire:
        leaving = asyncio.create_task(context.__aexit__(None, None, None))
        notice = await wire.until("notice")
        assert 1012 == await wire.close_code()
        await leaving
    assert "draining" == notice["code"]
    assert notice["reconnect"]["min"] < notice["reconnect"]["max"]


# Events


@pytest.mark.parametrize("codec", CODECS)
async def test_watching_an_order(
    hub: RunningHub, platform: httpx2.AsyncClient, codec: Codec
) -> None:
    """The snapshot, then every event from snapshot.seq + 1 to the end, then `finished`."""
    order = await place(platform)
    async with hub.stream(codec=codec) as wire:
        told = await wire.ask("subscribe", "subscribed", id=7, orderId=order["orderId"])
        fits(Subscribed, told)
        await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
        events = await wire.events(4)
        ended = await wire.until("unsubscribed")
    assert (7, False, [], 1) == (
        told["id"],
        told["recovered"],
        told["events"],
        told["snapshot"]["seq"],
    )
    assert [2, 3, 4, 5] == seqs(events)
    for event in events:
        fits(StreamEvent, event)
    assert {"type": "unsubscribed", "id": 7, "orderId": order["orderId"], "reason": "finished"} == (
        ended
    )


async def test_the_snapshot_is_the_order(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """All that `GET /v1/orders/{id}` shows is in it, and when it is thought to arrive."""
    order = await place(platform)
    shown = (await platform.get(f"/v1/orders/{order['orderId']}")).json()
    async with hub.stream() as wire:
        snapshot = (await wire.subscribe(order["orderId"]))["snapshot"]
        assert {"p10", "p50", "p90"} == snapshot.pop("eta").keys()
        assert snapshot.pop("estimatedTime") > 0
        assert shown == snapshot


async def test_the_events_are_those_of_the_history(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """What the socket told is what `/events` lists, but for the audit's hashes."""
    order = await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        await assign(platform, order, "r1")
        await advance(platform, order, "CONFIRMED", "CANCELLED")
        told = await wire.events(3)
    listed = (await platform.get(f"/v1/orders/{order['orderId']}/events?after=1")).json()["events"]
    bare = [{k: v for k, v in e.items() if k not in ("hash", "prevHash")} for e in listed]
    assert [{"type": "event", **event} for event in bare] == told


@pytest.mark.parametrize("codec", CODECS)
async def test_resuming(hub: RunningHub, platform: httpx2.AsyncClient, codec: Codec) -> None:
    """With `after`, all that was missed is in `events`, in order, up to the snapshot."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY")
    async with hub.stream(codec=codec) as wire:
        for seq in range(5):
            after = {"epoch": order["epoch"], "seq": seq}
            told = await wire.subscribe(order["orderId"], after=after)
            fits(Subscribed, told)
            assert told["recovered"]
            assert list(range(seq + 1, 5)) == [event["seq"] for event in told["events"]]
            assert 4 == told["snapshot"]["seq"]


async def test_resuming_from_nowhere(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Another epoch or a future seq: the snapshot is the new truth."""
    order = await place(platform)
    epoch = order["epoch"]
    places = [
        ("zzzzzzzz", 1),
        (epoch, 2),
        (epoch, 2**53 + 1),
        (epoch, 2**70),
        ("a" * 99, 0),
        ("", 1),
    ]
    async with hub.stream() as wire:
        for epoch, seq in places:
            told = await wire.subscribe(order["orderId"], after={"epoch": epoch, "seq": seq})
            assert (False, [], 1) == (told["recovered"], told["events"], told["snapshot"]["seq"])


async def test_resuming_from_too_far_back(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Where the events after the place are no longer kept, there is no half recovery."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY")
    async with hub.state.connection.mapped() as client:
        await client.xtrim(order_keys(order["orderId"]).events, maxlen=2, approximate=False)
    async with hub.stream() as wire:
        far = await wire.subscribe(order["orderId"], after={"epoch": order["epoch"], "seq": 1})
        near = await wire.subscribe(order["orderId"], after={"epoch": order["epoch"], "seq": 2})
    assert (False, []) == (far["recovered"], far["events"])
    assert (True, [3, 4]) == (near["recovered"], [event["seq"] for event in near["events"]])


async def test_a_finished_order(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Its end can still be asked for: the snapshot, what was missed, and `finished`."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "CANCELLED")
    async with hub.stream() as wire:
        after = {"epoch": order["epoch"], "seq": 1}
        told = await wire.subscribe(order["orderId"], after=after)
        ended = await wire.next()
        assert [] == await wire.quiet()
    assert ([2, 3], "CANCELLED") == (
        [event["seq"] for event in told["events"]],
        told["snapshot"]["status"],
    )
    assert ("unsubscribed", "finished") == (ended["type"], ended["reason"])


async def test_many_orders_on_one_socket(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Each has its own sequence, and none has another's."""
    orders = await asyncio.gather(*(place(platform) for _ in range(20)))
    async with hub.stream() as wire:
        for order in orders:
            await wire.subscribe(order["orderId"])
        await asyncio.gather(
            *(advance(platform, order, "CONFIRMED", "PREPARING", "COMPLETED") for order in orders)
        )
        events = await wire.events(60)
    for order in orders:
        assert [2, 3, 4] == seqs([e for e in events if e["orderId"] == order["orderId"]])


async def test_unsubscribing(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Nothing of that order comes any more; a second time is answered all the same."""
    order, other = await place(platform), await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        await wire.subscribe(other["orderId"])
        for _ in range(2):
            told = await wire.ask("unsubscribe", "unsubscribed", id=3, orderId=order["orderId"])
            assert {"type": "unsubscribed", "id": 3, "orderId": order["orderId"]} == told
        await advance(platform, order, "CONFIRMED")
        await advance(platform, other, "CONFIRMED")
        assert other["orderId"] == (await wire.until("event"))["orderId"]
        assert [] == await wire.quiet()


async def test_subscribing_twice(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """The second takes the place of the first: an event comes once."""
    order = await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        await wire.subscribe(order["orderId"])
        await advance(platform, order, "CONFIRMED")
        assert 2 == (await wire.until("event"))["seq"]
        assert [] == await wire.quiet()


async def test_the_last_subscriber_takes_the_feed_along(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """What nobody watches is forgotten, and its channel with it."""
    order = await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        assert order["orderId"] in hub.state.fanout._feeds
    await eventually(lambda: order["orderId"] not in hub.state.fanout._feeds)
    with pytest.raises(KeyError):
        replace_listener(hub, order, print)


async def test_an_unknown_order_leaves_no_feed(hub: RunningHub) -> None:
    """Asking for what does not exist costs nothing that lasts."""
    order_id = fresh("ord")
    async with hub.stream() as wire:
        await wire.ask("subscribe", "error", id=1, orderId=order_id)
    await eventually(lambda: order_id not in hub.state.fanout._feeds)


async def test_joining_while_events_come(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Wherever a subscriber comes in, on whichever hub: snapshot, then no hole and no repeat."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}/rider"

    async def reassign() -> None:
        for number in range(60):
            await platform.put(path, json={"riderId": f"r{number}"})
        await advance(platform, order, "CANCELLED")

    async def watch(on: RunningHub, late: int) -> tuple[int, list[int]]:
        for _ in range(late):
            await platform.get("/healthz")
        async with on.stream() as wire:
            start = (await wire.subscribe(order["orderId"]))["snapshot"]["seq"]
            await wire.until("unsubscribed")
        return start, seqs(wire.seen)

    async with hubs(shared_store) as (other,), asyncio.TaskGroup() as group:
        group.create_task(reassign())
        watchers = [
            group.create_task(watch(on, late)) for on in (hub, other) for late in range(0, 60, 6)
        ]
    seen = [watcher.result() for watcher in watchers]
    assert 1 < len({start for start, _ in seen})
    assert [list(range(start + 1, 63)) for start, _ in seen] == [told for _, told in seen]


async def test_another_hubs_events(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """What is written by one hub is told by every other."""
    order = await place(platform)
    async with hubs(shared_store) as (other,), other.stream() as wire:
        await wire.subscribe(order["orderId"])
        await advance(platform, order, "CONFIRMED")
        assert 2 == (await wire.until("event"))["seq"]


async def test_a_hole_on_the_bus_is_filled(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """An event that the bus lost is read from the log before the next one is told."""
    order = await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        hears = replace_listener(hub, order, lambda payload: None)  # deaf
        await advance(platform, order, "CONFIRMED", "PREPARING")
        replace_listener(hub, order, hears)
        await advance(platform, order, "ON_DELIVERY")
        assert [2, 3, 4] == seqs(await wire.events(3))


async def test_the_last_event_lost_on_the_bus(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Silence is checked against the log, so that even the very last event comes."""
    order = await place(platform)
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        replace_listener(hub, order, lambda payload: None)
        await advance(platform, order, "CONFIRMED", "CANCELLED")
        hub.state.fanout._feeds[order["orderId"]].heard_at -= 60
        await hub.state.fanout.check_silent()
        assert [2, 3] == seqs(await wire.events(2))
        assert "finished" == (await wire.until("unsubscribed"))["reason"]


async def test_an_order_made_anew(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Another epoch under the same id: the subscription ends as `lost`, never mixes the two."""
    order = await place(platform)
    keys, store = order_keys(order["orderId"]), hub.state.order_store
    async with hub.stream() as wire:
        await wire.subscribe(order["orderId"])
        stored = await store.load(order["orderId"])
        assert stored is not None
        async with hub.state.connection.mapped() as client:
            await client.delete(keys.order, keys.events)
        old = stored.state
        actor = WORKER_CLAIMS.actor
        anew = core.place(old.order_id, "zzzzzzzz", old.request, old.partner, actor, time.time())
        await store.commit(0, None, anew, {}, ())
        assert "lost" == (await wire.until("unsubscribed"))["reason"]
        assert "zzzzzzzz" == (await wire.subscribe(order["orderId"]))["snapshot"]["epoch"]
    assert [] == seqs(wire.seen)


# Positions


async def test_positions_by_role(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Merchant and customer: on delivery only, 5 decimals, nothing of the rider's phone."""
    rider_id = fresh("r")
    order = await place(platform, customerId="cus_p")
    await assign(platform, order, rider_id)
    audience: list[tuple[Role, dict[str, Any]]] = [
        (Role.PLATFORM, {}),
        (Role.MERCHANT, {"restaurant": "res_1"}),
        (Role.CUSTOMER, {"sub": "cus_p"}),
    ]
    seen: dict[Role, Wire] = {}
    async with hub.rider(rider_id) as rider, asyncio.TaskGroup() as group:
        done = asyncio.Event()

        async def watch(role: Role, claims: dict[str, Any], ready: asyncio.Event) -> None:
            async with hub.stream(role, **claims) as wire:
                await wire.subscribe(order["orderId"])
                seen[role] = wire
                ready.set()
                await done.wait()
                await wire.quiet()

        for role, claims in audience:
            ready = asyncio.Event()
            group.create_task(watch(role, claims, ready))
            await ready.wait()
        told = {"lat": 31.23041234567, "accuracy": 5.0, "battery": 0.5}
        await rider.send(type="fix", **fix(1, offset=-2, **told))
        await seen[Role.PLATFORM].until("position")
        await advance(platform, order, "CONFIRMED", "ON_DELIVERY")
        await rider.until("orders", lambda m: m["orders"][0]["status"] == "ON_DELIVERY")
        await rider.send(type="fix", **fix(2, offset=-1, **told))
        for wire in seen.values():
            await wire.until("position")
        done.set()
    positions = {
        role: [m for m in wire.seen if m["type"] == "position"] for role, wire in seen.items()
    }
    assert [2, 1, 1] == [len(positions[role]) for role, _ in audience]
    for position in (p for each in positions.values() for p in each):
        fits(PositionMessage, position)
    full = positions[Role.PLATFORM][-1]
    assert (rider_id, 5.0, 0.5, 31.23041234567) == tuple(
        full[name] for name in ("riderId", "accuracy", "battery", "lat")
    )
    wanted = {"type", "orderId", "at", "lat", "lng", "heading", "speed", "freshness"}
    for role in (Role.MERCHANT, Role.CUSTOMER):
        assert (wanted, 31.23041) == (set(positions[role][0]), positions[role][0]["lat"])


async def test_positions_in_gcj02(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Asked for in `subscribe`, they come in Gaode's coordinates, some 500 m away."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider, hub.stream() as wire:
        await wire.subscribe(order["orderId"], crs="gcj02")
        await rider.send(type="fix", **fix(1))
        told = await wire.until("position")
        again = (await wire.subscribe(order["orderId"], crs="gcj02"))["snapshot"]["position"]
    assert SHOP["lat"] != told["lat"]
    assert SHOP["lat"] == pytest.approx(told["lat"], abs=0.01)
    assert (told["lat"], told["lng"]) == (again["lat"], again["lng"])


def narrow(port: int) -> socket.socket:
    """A connection with next to no room for what is not read."""
    link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", port))
    link.setblocking(False)
    return link


def a_sighting(leg: int, at: float) -> Sighting:
    return Sighting(leg, at, **SHOP)


async def test_a_slow_reader_gets_fewer_positions(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Every event comes, positions only the newest, and never an older after a newer one."""
    order = await on_delivery(platform, fresh("r"))
    began = round(time.time(), 3)
    options: dict[str, Any] = {"sock": narrow(hub.port), "max_queue": 1}
    async with (
        hub.stream() as fast,
        hub.socket("/v1/stream", token(Role.PLATFORM), **options) as slow,
    ):
        await fast.subscribe(order["orderId"])
        await slow.subscribe(order["orderId"])
        leg = hub.state.fanout._feeds[order["orderId"]].leg
        for batch in range(4):
            place = hub.state.riders.board.place(order["orderId"], leg)
            for number in range(1000):
                at = began + batch + number / 1000
                place.put(a_sighting(leg, at))
            last = format_time(at)
            await fast.until("position", having("at", last))
            await move(platform, order, "ON_DELIVERY")
            await assign(platform, order, f"r{batch}")
            leg += 1
            await fast.until("event")
        await advance(platform, order, "COMPLETED")
        await slow.until("unsubscribed")
    positions = [message["at"] for message in slow.seen if message["type"] == "position"]
    assert [6, 7, 8, 9, 10] == seqs(slow.seen)
    assert len(positions) < 4000
    assert sorted(positions) == positions


async def test_a_position_delays_no_event(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Where a reader is slow, an event overtakes the position that waits."""
    order, other = await on_delivery(platform, fresh("r")), await place(platform)
    options: dict[str, Any] = {"sock": narrow(hub.port), "max_queue": 1}
    async with hub.socket("/v1/stream", token(Role.PLATFORM), **options) as slow:
        for each in (order, other):
            await slow.subscribe(each["orderId"])
        leg = hub.state.fanout._feeds[order["orderId"]].leg
        board = hub.state.riders.board.place(order["orderId"], leg)
        began, number, before = round(time.time(), 3), 0, POSITIONS_CONFLATED.value
        while POSITIONS_CONFLATED.value == before:
            number += 1
            board.put(a_sighting(leg, began + number / 1000))
            await asyncio.sleep(0)
        await advance(platform, other, "CONFIRMED")
        newest = format_time(began + number / 1000)
        await slow.until("position", having("at", newest))
    assert [2] == seqs(slow.seen)


@pytest.mark.parametrize("way", ["unsubscribe", "subscribe", "auth"])
async def test_a_position_held_back_goes_with_its_subscription(
    hub: RunningHub, platform: httpx2.AsyncClient, way: str
) -> None:
    """A slow reader gets none after `unsubscribed`, a newer snapshot, or a token for less."""
    order, other = await on_delivery(platform, fresh("r")), await place(platform)
    name = order["orderId"]
    options: dict[str, Any] = {"sock": narrow(hub.port), "max_queue": 1}
    async with (
        hub.stream() as fast,
        hub.socket("/v1/stream", token(Role.PLATFORM), **options) as slow,
    ):
        for wire in (fast, slow):
            await wire.subscribe(name)
        await slow.subscribe(other["orderId"])
        (server_side,) = (s for s in hub.state.sockets if other["orderId"] in watched(s))
        feeds, filling = hub.state.fanout._feeds, count(2)
        assert server_side._transport is not None
        link = server_side._transport.underlying_transport
        while link.get_write_buffer_size() < MAX_WAITING - 20_000:
            event = {**an_event(other, next(filling)), "reason": "x" * 10_000}
            feeds[other["orderId"]].tell(event)
        leg = feeds[name].leg
        hub.state.riders.board.place(name, leg).put(a_sighting(leg, time.time()))
        await fast.until("position")
        assert name in (server_side._held or ())
        about = {"token": order["streamToken"]} if way == "auth" else {"id": 9, "orderId": name}
        await slow.send(type=way, **about)
        await eventually(lambda: name not in (server_side._held or ()))
        assert "position" not in {message["type"] for message in await slow.quiet()}


def watched(server_side: Socket) -> Collection[str]:
    """The orders on a socket of the hub."""
    orders: dict[str, Any] = server_side.talk._subscribers  # type: ignore[attr-defined]
    return orders


async def test_who_closes_and_reads_nothing_is_cut_off(shared_store: EmbeddedStore) -> None:
    """What waits for a client is not kept for as long as its connection likes to last."""
    async with hubs(shared_store) as (hub,):
        options: dict[str, Any] = {"sock": narrow(hub.port), "max_queue": 1}
        async with hub.socket("/v1/stream", token(Role.PLATFORM), **options) as slow:
            order = await place(hub.platform)
            await slow.subscribe(order["orderId"])
            (server_side,) = hub.state.sockets
            assert server_side._transport is not None
            link = server_side._transport.underlying_transport
            feed, filling = hub.state.fanout._feeds[order["orderId"]], count(2)
            while link.get_write_buffer_size() < MAX_WAITING - 20_000:
                feed.tell({**an_event(order, next(filling)), "reason": "x" * 10_000})
            slow.connection.transport.write(b"\x88\x80\0\0\0\0")
            await eventually(lambda: server_side._closing)
            hub.state.sockets._call_due(time.time() + 4)
            await eventually(lambda: server_side not in hub.state.sockets)


async def test_a_deadline_of_the_talk_cuts_no_slow_reader_off(shared_store: EmbeddedStore) -> None:
    """It has all of its time, also where a token had to come first within ten seconds."""
    async with hubs(shared_store) as (hub,), hub.stream():
        (server_side,) = hub.state.sockets
        assert server_side._transport is not None
        link = server_side._transport.underlying_transport
        server_side.close(CloseCode.TOO_SLOW, "")
        server_side.overdue(time.time() + 10)
        assert not link.is_closing()
        server_side.overdue(time.time() + 21)
        assert link.is_closing()


async def test_a_reader_that_is_too_slow(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Events are never dropped: who does not read them is closed with 4008, and resumes."""
    order = await place(platform)
    options: dict[str, Any] = {"sock": narrow(hub.port), "max_queue": 1}
    async with (
        hub.stream() as fast,
        hub.socket("/v1/stream", token(Role.PLATFORM), **options) as slow,
    ):
        await fast.subscribe(order["orderId"])
        await slow.subscribe(order["orderId"])
        feed = hub.state.fanout._feeds[order["orderId"]]
        for seq in range(2, 302):
            feed.tell({**an_event(order, seq), "reason": "x" * 10_000})
            await fast.until("event", having("seq", seq))
        hub.state.sockets._call_due(time.time() + 10)  # it has time to read up to the close
        assert 4008 == await slow.close_code()
    told = seqs(slow.seen)
    assert list(range(2, 2 + len(told))) == told
    assert len(told) < 300


def an_event(order: dict[str, Any], seq: int) -> dict[str, Any]:
    return {
        "orderId": order["orderId"],
        "epoch": order["epoch"],
        "seq": seq,
        "eventType": "order.delayed",
        "status": "PENDING",
        "timestamp": "2026-11-22T19:05:43.120Z",
        "actor": {"role": "ops"},
    }
