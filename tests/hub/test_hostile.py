"""What a hostile or unlucky client tried once, and must not achieve again."""

import asyncio
import json
import os
import signal
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

import hub.app
from hub.store.embedded import EmbeddedStore
from hub.transports import limits
from schemas.lifecycle import Role
from schemas.messages import SUBPROTOCOLS
from tests.hub.harness import (
    PATIENCE,
    SHOP,
    RunningHub,
    advance,
    assign,
    eventually,
    fix,
    fresh,
    hubs,
    move,
    now,
    on_delivery,
    order_body,
    place,
    token,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


@asynccontextmanager
async def raw(hub: RunningHub) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def raw_socket(
    hub: RunningHub, more: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket by hand, after its 101."""
    async with raw(hub) as (reader, writer):
        writer.write(UPGRADE.format(path="/v1/stream", more=more).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 101")
        yield reader, writer


def frame(first_byte: int, payload: bytes = b"") -> bytes:
    """A client's frame, masked with zeros."""
    return bytes([first_byte, 0x80 | len(payload)]) + bytes(4) + payload


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the close frame that comes next."""
    head = await asyncio.wait_for(reader.readexactly(2), PATIENCE)
    assert 0x88 == head[0]
    payload = await reader.readexactly(head[1])
    return int(struct.unpack(">H", payload[:2])[0])


# Upgrades

ASKING = (
    b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n%b"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.parametrize(
    ("path", "connection", "status"),
    [
        (b"/v1/stream", b"Connection: keep-alive, Upgrade\r\n", 101),
        (b"/v1/nothing", b"Connection: Upgrade\r\n", 404),
        (b"/healthz", b"", 200),
        (b"/healthz", b"Connection: keep-alive\r\n", 200),
        (b"/v1/stream", b"", 426),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_an_upgrade_is_meant_by_the_connection(
    hub: RunningHub, path: bytes, connection: bytes, status: int, whole: bool
) -> None:
    """One that another hop has left there is plain HTTP; in one piece or in two."""
    request = ASKING % (path, connection)
    async with raw(hub) as (reader, writer):
        first = len(request) if whole else 9
        writer.write(request[:first])
        await writer.drain()
        writer.write(request[first:])
        assert f"HTTP/1.1 {status} ".encode() in await reader.readuntil(b"\r\n")


async def test_subprotocols_in_several_headers(hub: RunningHub) -> None:
    """They are one list (RFC 6455, 11.3.4)."""
    offers = "".join(f"Sec-WebSocket-Protocol: {name}\r\n" for name in ("x", SUBPROTOCOLS[1]))
    async with raw(hub) as (reader, writer):
        writer.write(UPGRADE.format(path="/v1/stream", more=offers).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    assert SUBPROTOCOLS[1].encode() in head


# Frames


async def test_empty_fragments_without_end(hub: RunningHub) -> None:
    """They cost next to nothing, and soon the socket."""
    async with raw_socket(hub) as (reader, writer):
        writer.write(frame(0x01) + frame(0x00) * 40_000)
        assert 4029 == await close_code(reader)


@pytest.mark.parametrize("bit", [0x40, 0x20, 0x10])
async def test_a_reserved_bit(hub: RunningHub, bit: int) -> None:
    """No extension was negotiated, so it breaks the protocol."""
    async with raw_socket(hub) as (reader, writer):
        writer.write(frame(0x81 | bit, b"{}"))
        assert 1002 == await close_code(reader)


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        (b"", 1000),
        (struct.pack(">H", 1000), 1000),
        (struct.pack(">H", 4321), 4321),
        (struct.pack(">H", 1006), 1002),
        (struct.pack(">H", 65535), 1002),
    ],
)
async def test_a_close_is_answered_with_a_code_that_may_be_sent(
    hub: RunningHub, sent: bytes, echoed: int
) -> None:
    """A browser's plain `close()` has none: 1000 (RFC 6455, 7.4)."""
    async with raw_socket(hub) as (reader, writer):
        writer.write(frame(0x88, sent))
        assert echoed == await close_code(reader)


async def test_an_origin_that_is_no_url(hub: RunningHub) -> None:
    """The upgrade succeeds, then 4503."""
    async with raw_socket(hub, "Origin: http://[\r\n") as (reader, _):
        assert 4503 == await close_code(reader)


# Requests


async def test_a_head_without_end(hub: RunningHub) -> None:
    """431 before it fills the memory."""
    async with raw(hub) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (limits.MAX_HEAD + 1))
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 431")
    assert 431 == problem_in(answer)["status"]


@pytest.mark.parametrize(
    "sent", [b"FOO / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"]
)
async def test_what_is_no_request_gets_a_problem_too(hub: RunningHub, sent: bytes) -> None:
    """As everything that is refused does."""
    async with raw(hub) as (reader, writer):
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 400")
    assert 400 == problem_in(answer)["status"]


def problem_in(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json\r\n" in head
    assert f"content-length: {len(body)}\r\n".encode() in head
    return dict(json.loads(body))


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost:"])
async def test_a_head_that_does_not_come(
    hub: RunningHub, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent connection is closed after its time."""
    monkeypatch.setattr(limits, "HEAD_TIMEOUT", 0.05)
    async with raw(hub) as (reader, writer):
        writer.write(sent)
        assert b"" == await asyncio.wait_for(reader.read(), PATIENCE)


async def test_a_large_body_in_one_piece_with_its_head(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """The head's limit is not the body's."""
    order = await place(platform)
    body = {"status": "CONFIRMED", "timestamp": "2026-11-22T00:00:00Z", "reason": "x" * 60_000}
    answer = await platform.post(f"/v1/orders/{order['orderId']}/status", json=body)
    assert 422 == answer.status_code


async def test_a_body_announced_too_large(hub: RunningHub) -> None:
    """413 at once, without waiting for it."""
    async with raw(hub) as (reader, writer):
        writer.write(
            b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n"
            b"Authorization: Bearer " + token(Role.PLATFORM).encode() + b"\r\n\r\n"
        )
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("after", ["0" * 5000, "0" * 20 + "1999", "-1", "1e3", "²"])
async def test_a_place_that_is_no_number(
    hub: RunningHub, platform: httpx2.AsyncClient, after: str
) -> None:
    """422 with the name of the parameter."""
    order = await place(platform)
    answer = await platform.get(f"/v1/orders/{order['orderId']}/events", params={"after": after})
    assert 422 == answer.status_code
    assert "#/after" == answer.json()["errors"][0]["pointer"]


async def test_no_redirect_to_a_host_of_the_callers(hub: RunningHub) -> None:
    """A trailing slash is another path: 404."""
    answer = await hub.http().get("/v1/orders/", headers={"Host": "evil.example"})
    assert 404 == answer.status_code


async def test_keys_of_two_partners_are_two_keys(hub: RunningHub) -> None:
    """One partner's Idempotency-Key never answers with another's order."""
    key, body = {"Idempotency-Key": fresh("key")}, order_body()
    answers = [
        await hub.http(Role.PLATFORM, partner=partner).post("/v1/orders", json=body, headers=key)
        for partner in ("a", "b")
    ]
    assert [201, 201] == [answer.status_code for answer in answers]
    assert 2 == len({answer.json()["orderId"] for answer in answers})


# Riders


async def test_a_former_rider_watches_no_longer(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """The reassignment ends his subscription; he sees nothing of the new rider."""
    old, new = fresh("r"), fresh("r")
    order = await on_delivery(platform, old)
    async with hub.stream(Role.RIDER, sub=old) as wire, hub.stream() as watcher:
        await wire.subscribe(order["orderId"])
        await watcher.subscribe(order["orderId"])
        await assign(platform, order, new)
        assert "forbidden" == (await wire.until("unsubscribed"))["reason"]
        async with hub.rider(new) as rider:
            await rider.send(type="fix", **fix(1))
            assert new == (await watcher.until("position"))["riderId"]
        assert [] == await wire.quiet()


async def test_a_rider_whose_clock_is_behind_is_seen_all_the_same(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """The newest of a former rider's fixes does not count against the next one's."""
    old, new = fresh("r"), fresh("r")
    order = await on_delivery(platform, old)
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        async with hub.rider(old) as rider:
            await rider.send(type="fix", **fix(1))
            await watcher.until("position")
        await assign(platform, order, new)
        async with hub.rider(new) as rider:
            await rider.send(type="fix", **fix(1, offset=-20))
            assert new == (await watcher.until("position"))["riderId"]


async def test_an_older_fix_by_way_of_another_hub(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Not older than the newest taken, whichever hub took that."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hubs(shared_store) as (other,), hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        async with hub.rider(rider_id) as rider:
            await rider.send(type="fix", **fix(1))
            await watcher.until("position")
        async with other.rider(rider_id) as rider:
            await rider.send(type="fix", **fix(2, offset=-60))
            assert "old" == (await rider.until("rejected"))["reason"]


async def test_hands_that_assign_at_once_leave_the_rider_on_duty(
    shared_store: EmbeddedStore, hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Whoever wins can send fixes for the order."""
    async with hubs(shared_store) as (other,):
        for _ in range(5):
            riders = [fresh("r"), fresh("r")]
            order = await place(platform)
            async with hub.rider(riders[0]), other.rider(riders[1]):
                await asyncio.gather(
                    *(assign(h.platform, order, r) for h in (hub, other) for r in riders * 2)
                )
                path = f"/v1/orders/{order['orderId']}"
                winner = (await platform.get(path)).json()["riderId"]
                index = hub.state.riders._index
                assert order["orderId"] in (await index.look(winner))[1]


async def test_what_a_phone_does_not_know_is_left_out(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """-1 for a heading or a speed is no heading and no speed; the fix counts."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        unknown = {"heading": -1.0, "speed": -1.0, "accuracy": -1.0, "battery": 5.0}
        await rider.send(type="fix", **{**fix(1), **unknown})
        position = await watcher.until("position")
    assert SHOP["lat"] == position["lat"]
    assert not unknown.keys() & position.keys()


@pytest.mark.parametrize(
    ("told", "shown"), [({"speed": 0.0}, 0.0), ({"speed": 5.5}, 5.5), ({}, 16.0)]
)
async def test_what_a_phone_does_know_is_told(
    hub: RunningHub, platform: httpx2.AsyncClient, told: dict[str, float], shown: float
) -> None:
    """A speed without a heading, as of a phone at rest, is not replaced by that of the way."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        for seq, (offset, metres) in enumerate([(-20, 0), (-10, 90), (0, 250)], start=1):
            north = {**SHOP, "lat": SHOP["lat"] + metres / 111_195}
            bare = {"seq": seq, "at": now(offset), **north, **told}
            await rider.send(type="fix", **bare)
            position = await watcher.until("position")
    assert shown == pytest.approx(position["speed"], abs=0.1)
    assert 0.0 == position["heading"]


# Ends


async def test_joining_while_the_order_ends(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """However the two meet, the stream ends with `finished`, and nothing is left behind."""
    async with hub.stream() as wire:
        for _ in range(40):
            order = await place(platform)
            joining = wire.send(type="subscribe", id=1, orderId=order["orderId"])
            await asyncio.gather(joining, move(platform, order, "CANCELLED"))
            assert "finished" == (await wire.until("unsubscribed"))["reason"]
        await eventually(lambda: order["orderId"] not in hub.state.fanout._feeds)


async def test_a_store_that_hangs(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its connections and says nothing: `degraded` once, then `recovered`.

    The hub looks several times between two probes, so that a new connection which answered for
    the last one's silence would be dropped again at once.
    """
    monkeypatch.setattr(hub.app, "PROBE_LIMIT", 1.5)
    monkeypatch.setattr(hub.app, "_SIGN_IN", 0.05)
    monkeypatch.setattr("hub.services.probe.INTERVAL", 0.5)
    assert store.pid is not None
    async with hubs(store) as (running,), running.stream() as wire:
        order = await place(running.platform)
        await wire.subscribe(order["orderId"])
        os.kill(store.pid, signal.SIGSTOP)
        assert "degraded" == (await wire.until("notice"))["code"]
        os.kill(store.pid, signal.SIGCONT)
        assert "recovered" == (await wire.until("notice"))["code"]
        probes = running.state.probe.received
        await eventually(lambda: running.state.probe.received > probes)
        assert not [each for each in await wire.quiet() if each["type"] == "notice"]
        await advance(running.platform, order, "CONFIRMED")
        await wire.until("event")
