"""Where the courier is: told by geofences, told on change, and how old it is (contract 2, 4, 5)."""

import asyncio
from typing import Any

import httpx2
import pytest

from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role
from tests.hub.harness import (
    DOOR,
    SHOP,
    RunningHub,
    Wire,
    advance,
    assign,
    fix,
    fresh,
    hubs,
    on_delivery,
    place,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def east_of(place: dict[str, float], metres: float) -> dict[str, float]:
    return {"lat": place["lat"], "lng": place["lng"] + metres / 95_080}


async def rides(rider: Wire, *fixes: dict[str, Any]) -> None:
    """So many fixes, ten seconds apart, the last one now."""
    for number, each in enumerate(fixes):
        ago = 10.0 * (number + 1 - len(fixes))
        await rider.send(type="fix", **fix(number, offset=ago, **each))


async def courier_events(wire: Wire, number: int) -> list[str]:
    seen: list[str] = []
    while len(seen) < number:
        event = await wire.until("event")
        if event["eventType"].startswith("courier."):
            seen.append(event["eventType"])
    return seen


async def courier_state(platform: httpx2.AsyncClient, order: dict[str, Any]) -> str:
    shown = await platform.get(f"/v1/orders/{order['orderId']}")
    return str(shown.json()["courierState"])


async def test_at_store(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Told once when the rider is within 150 m of the pick-up, in the rider's name."""
    rider_id, order = fresh("r"), await place(platform)
    await advance(platform, order, "CONFIRMED")
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        await assign(platform, order, rider_id)
        await rider.until("orders", lambda message: bool(message["orders"]))
        await rides(rider, east_of(SHOP, 400), east_of(SHOP, 160))
        assert "ASSIGNED" == await courier_state(platform, order)
        await rider.send(type="fix", **fix(9, **east_of(SHOP, 140)))
        event = await watcher.until("event", lambda e: e["eventType"] == "courier.at_store")
    assert {"role": "rider", "sub": rider_id} == event["actor"]
    assert "AT_STORE" == await courier_state(platform, order)


async def test_nearby_and_at_the_door(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Each once; a new approach changes what is shown, without a second event."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        for ago, metres in ((-29, 500), (-22, 20)):
            await rider.send(type="fix", **fix(30 + ago, offset=ago, **east_of(DOOR, metres)))
        assert ["courier.nearby", "courier.at_door"] == await courier_events(watcher, 2)
        assert "AT_DOOR" == await courier_state(platform, order)
        for ago, metres, shown in ((-14, 300, "PICKED_UP"), (-6, 20, "AT_DOOR")):
            await rider.send(type="fix", **fix(30 + ago, offset=ago, **east_of(DOOR, metres)))
            async with asyncio.timeout(10):
                while shown != await courier_state(platform, order):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        told = await watcher.quiet()
    assert not [each for each in told if each["type"] == "event"]


async def test_an_order_without_a_known_store(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """AT_STORE is only told, not derived."""
    rider_id = fresh("r")
    order = await place(platform, pickup=None, restaurantId=fresh("res"))
    await advance(platform, order, "CONFIRMED")
    await assign(platform, order, rider_id)
    client = hub.http(Role.RIDER, sub=rider_id)
    async with hub.rider(rider_id) as rider:
        await rider.send(type="fix", **fix(1))
        await rider.until("ack")
    assert "ASSIGNED" == await courier_state(platform, order)
    path = f"/v1/orders/{order['orderId']}/courier-state"
    assert 200 == (await client.post(path, json={"state": "AT_STORE"})).status_code
    assert "AT_STORE" == await courier_state(platform, order)


async def test_told_on_change(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Who goes on as all expect is not told of; a turn is, with the way there."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        ways = [(-12, 0.0, 0.0), (-10, 20.0, 0.0), (-8, 40.0, 0.0), (-6, 40.0, 20.0)]
        for number, (ago, east, north) in enumerate(ways):
            there = east_of(SHOP, east)
            there["lat"] += north / 111_195
            moves = {"speed": 10.0, "heading": 90.0}
            await rider.send(type="fix", **fix(number, offset=ago, **there, **moves))
        first = await watcher.until("position")
        second = await watcher.until("position")
    assert SHOP["lng"] == pytest.approx(first["lng"], abs=1e-5)
    assert second["lat"] > SHOP["lat"] + 1e-4
    assert [each["lng"] for each in second["trail"]] == pytest.approx(
        [east_of(SHOP, 20)["lng"], east_of(SHOP, 40)["lng"]], abs=1e-5
    )
    assert "trail" not in first


async def test_speed_and_heading_from_the_way(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Where the phone does not tell them, so that pages can lead the dot on."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        for number in range(4):
            there = east_of(SHOP, 50.0 * number)
            unknown = {"speed": -1.0, "heading": -1.0}
            await rider.send(
                type="fix", **fix(number, offset=5.0 * (number - 3), **there, **unknown)
            )
        first = await watcher.until("position")
        second = await watcher.until("position")
        await rider.until("ack", lambda message: message["seq"] == 3)
        more = [each for each in await watcher.quiet() if each["type"] == "position"]
    assert "speed" not in first
    assert (10.0, 90.0) == pytest.approx((second["speed"], second["heading"]), abs=0.2)
    assert more == []


@pytest.mark.parametrize(("ago", "expected"), [(29.0, "stale"), (119.0, "lost")])
async def test_a_position_that_ages(
    hub: RunningHub, platform: httpx2.AsyncClient, ago: float, expected: str
) -> None:
    """It is told again when it has become stale, and when it is lost, with its old time."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher, hub.rider(rider_id) as rider:
        await watcher.subscribe(order["orderId"])
        await rider.send(type="fix", **fix(1, offset=-ago))
        first = await watcher.until("position")
        again = await watcher.until("position")
        assert expected == again["freshness"] != first["freshness"]
        assert (first["at"], first["lat"]) == (again["at"], again["lat"])
        await rider.send(type="fix", **fix(2, **east_of(SHOP, 50)))
        assert "fresh" == (await watcher.until("position"))["freshness"]


async def test_who_joins_later_is_told_too(
    hub: RunningHub, platform: httpx2.AsyncClient, shared_store: EmbeddedStore
) -> None:
    """On a hub that has seen no fix: the snapshot's position ages as well."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        await rider.send(type="fix", **fix(1, offset=-28))
        await rider.until("ack")
    async with hubs(shared_store) as (other,), other.stream() as watcher:
        joined = await watcher.subscribe(order["orderId"])
        assert "fresh" == joined["snapshot"]["position"]["freshness"]
        assert "stale" == (await watcher.until("position"))["freshness"]


async def test_cadence(
    hub: RunningHub, platform: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody watches, somebody does, the rider is near: the phone is told how often to send."""
    monkeypatch.setattr("hub.services.riders._PACED_IN", 1)
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        assert "watched" == (await rider.until("cadence"))["reason"]
        alone = await rider.until("cadence")
        async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as watcher:
            await watcher.subscribe(order["orderId"])
            watched = await rider.until("cadence")
            await rider.send(type="fix", **fix(1, **east_of(DOOR, 400)))
            near = await rider.until("cadence")
    reasons = [each["reason"] for each in (alone, watched, near)]
    assert reasons == ["unwatched", "watched", "near"]
    assert alone["seconds"] > watched["seconds"] > near["seconds"]
