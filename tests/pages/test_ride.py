"""The Ride page in a real Chromium, against a real hub."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from schemas.lifecycle import Role
from tests.hub.harness import (
    DOOR,
    SHOP,
    RunningHub,
    advance,
    assign,
    eventually,
    fresh,
    move,
    on_delivery,
    place,
    token,
)
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, faults, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")


def link(rider: str) -> str:
    return f"/ride#{token(Role.RIDER, sub=rider)}"


async def start(page: Page) -> None:
    await page.locator(".button.main").click()
    await expect(page.locator(".state.up")).to_be_visible()


async def ride_to(page: Page, lat: float, lng: float) -> None:
    await page.context.set_geolocation({"latitude": lat, "longitude": lng, "accuracy": 9})


async def status_of(hub: RunningHub, order: dict[str, Any]) -> str:
    status: str = (await hub.platform.get(f"/v1/orders/{order['orderId']}")).json()["status"]
    return status


@VIEWS
async def test_a_shift_from_its_start(hub: RunningHub, show: Open, view: View) -> None:
    """Signed in, idle, with orders: nothing scrolls sideways, and axe finds nothing wrong."""
    rider = fresh("rider")
    async with show("/ride", view) as page:
        assert [] == await faults(page)
        await page.locator("#token").fill(token(Role.RIDER, sub=rider))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(rider)
        assert [] == await faults(page)
        await start(page)
        await expect(page.locator(".orders")).to_contain_text(
            "暂无订单" if view.language == "zh-CN" else "No order at the moment"
        )
        order = await place(hub.platform)
        await assign(hub.platform, order, rider)
        await advance(hub.platform, order, "CONFIRMED")
        await on_delivery(hub.platform, rider)
        await expect(page.locator("article")).to_have_count(2)
        await page.locator("summary").first.click()
        assert not await wide(page)
        assert [] == await faults(page)


@pytest.mark.parametrize("entered", ["nonsense", token(Role.CUSTOMER, sub="c")])
async def test_what_is_no_riders_token_is_said_so(show: Open, entered: str) -> None:
    """Before anything is asked of the hub."""
    async with show("/ride") as page:
        await page.locator("#token").fill(entered)
        await page.keyboard.press("Enter")
        await expect(page.locator(".failed")).to_have_text("This is not a rider's access code.")


async def test_the_phones_position_gets_to_the_customer(hub: RunningHub, show: Open) -> None:
    """With what the browser knows of it; and the rider is told how often it is sent."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with (
        hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire,
        show(link(rider)) as page,
    ):
        await wire.subscribe(order["orderId"])
        await start(page)
        position = await wire.until("position")
        assert (SHOP["lat"], SHOP["lng"]) == (position["lat"], position["lng"])
        await expect(page.locator(".facts")).to_contain_text("Accurate to 10 m")
        await expect(page.locator(".facts")).to_contain_text("Sent every")


async def test_it_sends_no_more_often_than_the_hub_wants(hub: RunningHub, show: Open) -> None:
    """Of many fixes in a minute without an order, one goes out."""
    rider = fresh("rider")
    sent: list[dict[str, Any]] = []

    async def listen(page: Page) -> None:
        page.on("websocket", lambda socket: socket.on("framesent", lambda f: sent.append(_read(f))))

    async with show(link(rider), prepare=listen) as page:
        await start(page)
        await expect(page.locator(".facts")).to_contain_text("Sent every 60 seconds")
        await eventually(lambda: [m for m in sent if m["type"] == "fix"])
        for n in range(5):
            await ride_to(page, SHOP["lat"] + n / 1000, SHOP["lng"])
            await page.wait_for_function("() => new Promise(requestAnimationFrame)")
        assert 1 == len([message for message in sent if message["type"] == "fix"])


def _read(frame: str | bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame)
    return message


async def test_without_a_connection_positions_are_kept(hub: RunningHub, show: Open) -> None:
    """It is said, counted, and the newest arrives when there is one again."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    here: list[WebSocketRoute] = []
    away = asyncio.Event()

    async def gateway(socket: WebSocketRoute) -> None:
        if away.is_set():
            await socket.close(code=1013)
            return
        here.append(socket)
        socket.connect_to_server()

    async def prepare(page: Page) -> None:
        await page.route_web_socket("**/v1/riders/*/stream", gateway)

    async with (
        hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire,
        show(link(rider), prepare=prepare) as page,
    ):
        await wire.subscribe(order["orderId"])
        await start(page)
        await wire.until("position")
        away.set()
        await here[-1].close(code=1012)
        await expect(page.locator(".state.down")).to_contain_text("No connection")
        await ride_to(page, SHOP["lat"] + 0.0003, SHOP["lng"])
        await expect(page.locator(".facts")).to_contain_text("Waiting to be sent: ")
        away.clear()
        await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(page.locator(".state.up")).to_be_visible(timeout=20_000)
        await wire.until("position", lambda told: told["lat"] == round(SHOP["lat"] + 0.0003, 5))


async def test_the_buttons_move_the_order(hub: RunningHub, show: Open) -> None:
    """At the restaurant, picked up, at the door, delivered: each when it is pressed."""
    rider = fresh("rider")
    order = await place(hub.platform)
    await assign(hub.platform, order, rider)
    await advance(hub.platform, order, "CONFIRMED", "PREPARING")
    async with (
        hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire,
        show(link(rider), geolocation={"latitude": 31.0, "longitude": 121.0}) as page,
    ):
        await wire.subscribe(order["orderId"])
        await start(page)
        for name, event in {
            "At the restaurant": "courier.at_store",
            "Picked up": "order.on_delivery",
            "At the door": "courier.at_door",
            "Delivered": "order.completed",
        }.items():
            await page.get_by_role("button", name=name).click()
            assert event == (await wire.until("event"))["eventType"]
        await expect(page.locator("article")).to_have_count(0)


async def test_what_was_said_without_a_network_is_sent_later(hub: RunningHub, show: Open) -> None:
    """Also by a page that was closed meanwhile, with the time at which it was said."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with show(link(rider)) as page:
        await start(page)
        await page.context.route("**/status", lambda route: route.abort())
        asked = page.context.wait_for_event("requestfailed")
        await page.get_by_role("button", name="Delivered", exact=True).click()
        await asked
        await expect(page.get_by_role("button", name="Delivered", exact=True)).to_be_disabled()
        kept = json.loads(await page.evaluate("Object.values(localStorage)[0]"))
        await page.context.unroute("**/status")
        await page.reload()
        await expect(page.locator("article")).to_have_count(0)
    assert "COMPLETED" == await status_of(hub, order)
    assert ["delivered"] == [entry["action"] for entry in kept]


async def test_a_no_is_shown_with_its_reason(hub: RunningHub, show: Open) -> None:
    """The platform cancelled while the rider's word was on its way."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)

    async def late(route: Any) -> None:
        await move(hub.platform, order, "CANCELLED")
        await route.continue_()

    async with show(link(rider)) as page:
        await start(page)
        await page.route("**/status", late)
        await page.get_by_role("button", name="Delivered", exact=True).click()
        await expect(page.locator(".notice.bad")).to_contain_text("“Delivered” was refused: ")


async def test_an_order_that_cannot_be_delivered_goes_back(hub: RunningHub, show: Open) -> None:
    """Behind one more press, so that nobody does it by mistake; all by keyboard."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with show(link(rider)) as page:
        await start(page)
        await expect(page.get_by_role("button", name="Take it back")).to_be_hidden()
        await page.locator("summary").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("article")).to_contain_text("Take it back to the restaurant")
    assert "RETURNING" == await status_of(hub, order)


async def test_another_phone_takes_over(hub: RunningHub, show: Open) -> None:
    """This one stops, and says why; it does not fight."""
    rider = fresh("rider")
    async with show(link(rider)) as page:
        await start(page)
        await expect(page.get_by_text("No order at the moment.")).to_be_visible()  # it is the first
        async with hub.rider(rider):
            await expect(page.locator(".notice.bad")).to_contain_text("another phone or tab")
            await expect(page.get_by_role("button", name="Start sharing")).to_be_visible()


async def test_a_phone_that_may_not_tell_its_position_says_so(show: Open) -> None:
    """With what to do about it; and not that something is sent, or kept."""
    async with show(link(fresh("rider")), permissions=[]) as page:
        await start(page)
        await expect(page.locator(".notice.bad")).to_contain_text("may not see your position")
        await expect(page.locator(".facts")).not_to_contain_text("Sent every")
        await page.context.set_offline(True)
        await expect(page.locator(".state.down")).to_have_text("No connection.")


async def test_distances_are_to_where_the_rider_has_to_go(hub: RunningHub, show: Open) -> None:
    """From the phone's own last fix."""
    rider = fresh("rider")
    await on_delivery(hub.platform, rider)
    there = {"latitude": DOOR["lat"] + 0.005, "longitude": DOOR["lng"]}
    async with show(link(rider), geolocation=there) as page:
        await start(page)
        await expect(page.locator(".far")).to_have_text("560 m")
