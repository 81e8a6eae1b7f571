"""The Track page in a real Chromium, against a real hub."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from hub.transports.pages import BUILT, Pages
from schemas.lifecycle import Role
from tests.hub.harness import (
    DOOR,
    SHOP,
    RunningHub,
    advance,
    assign,
    fix,
    fresh,
    move,
    on_delivery,
    place,
    token,
)
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, faults, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")

Order = dict[str, Any]
ITEMS = [
    {"itemId": "i1", "name": "Mapo tofu", "quantity": 1, "unitPriceCents": 3200},
    {"itemId": "i2", "name": "Noodles", "quantity": 2, "unitPriceCents": 1800},
]
_WINDOW = r"\d\d:\d\d\s?–\s?\d\d:\d\d"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
HALFWAY = {"lat": (SHOP["lat"] + DOOR["lat"]) / 2, "lng": (SHOP["lng"] + DOOR["lng"]) / 2}


def link(order: Order) -> str:
    return f"/track/{order['orderId']}#{order['streamToken']}"


async def fixed(hub: RunningHub, rider: str, **more: Any) -> None:
    """A fix of the rider is taken."""
    client = hub.http(Role.RIDER, sub=rider)
    answer = await client.post(f"/v1/riders/{rider}/positions", json=fix(1, **more))
    assert (200, 1) == (answer.status_code, answer.json()["taken"]), answer.text


async def raised(hub: RunningHub, order: Order, code: str, **more: Any) -> Order:
    answer = await hub.platform.post(
        f"/v1/orders/{order['orderId']}/exceptions", json={"code": code, **more}
    )
    assert 201 == answer.status_code, answer.text
    exception: Order = answer.json()
    return exception


# Each state


async def pending(hub: RunningHub) -> Order:
    return await place(hub.platform, items=ITEMS)


async def preparing(hub: RunningHub) -> Order:
    order = await pending(hub)
    await move(hub.platform, order, "CONFIRMED", estimatedTime=35)
    await advance(hub.platform, order, "PREPARING")
    return order


async def sold_out(hub: RunningHub) -> Order:
    order = await preparing(hub)
    await raised(hub, order, "ITEM_SOLD_OUT", items=["i2"])
    return order


async def riding(hub: RunningHub, **more: Any) -> Order:
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider, items=ITEMS)
    await fixed(hub, rider, **{**HALFWAY, **more})
    return order


async def seen_long_ago(hub: RunningHub) -> Order:
    return await riding(hub, offset=-50)


async def overdue(hub: RunningHub) -> Order:
    order = await riding(hub, offset=-200)
    await raised(hub, order, "DELIVERY_OVERDUE")
    return order


async def delivered(hub: RunningHub) -> Order:
    order = await riding(hub)
    await advance(hub.platform, order, "COMPLETED")
    return order


async def cancelled(hub: RunningHub) -> Order:
    order = await pending(hub)
    await raised(hub, order, "MERCHANT_REJECTED")
    return order


async def going_back(hub: RunningHub) -> Order:
    order = await riding(hub)
    await advance(hub.platform, order, "RETURNING")
    return order


STATES = {
    pending: ("Waiting for the restaurant", "等待商家接单"),
    preparing: ("Your order is being prepared", "商家正在制作"),
    sold_out: ("Your order is being prepared", "商家正在制作"),
    riding: ("Your order is on its way", "骑手正在配送"),
    seen_long_ago: ("Your order is on its way", "骑手正在配送"),
    overdue: ("Your order is on its way", "骑手正在配送"),
    delivered: ("Delivered. Enjoy your meal", "已送达，请慢用"),
    cancelled: ("Your order was cancelled", "订单已取消"),
    going_back: ("Your order is going back to the restaurant", "订单正在退回商家"),
}


@VIEWS
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_every_state_is_said_and_open_to_all(
    hub: RunningHub, show: Open, view: View, state: Callable[[RunningHub], Awaitable[Order]]
) -> None:
    """One heading says it, nothing scrolls sideways, and axe finds nothing wrong."""
    order = await state(hub)
    async with show(link(order), view) as page:
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(STATES[state][view.language == "zh-CN"])
        await expect(page.locator(".sign.door")).to_be_visible()
        await expect(page.locator(".steps li")).not_to_have_count(0)
        assert not await wide(page)
        assert [] == await faults(page)


# What changes


async def test_the_page_follows_its_order(hub: RunningHub, show: Open) -> None:
    """Heading, title, step, and what a screen reader is told, with each event; then it is still."""
    rider = fresh("rider")
    order = await pending(hub)
    async with show(link(order)) as page:
        heading, told = page.get_by_role("heading", level=1), page.locator("[aria-live=polite]")
        here = page.locator("[aria-current=step]")
        await expect(here).to_contain_text("Placed")
        await assign(hub.platform, order, rider)
        await move(hub.platform, order, "CONFIRMED", estimatedTime=25)
        await expect(heading).to_have_text("The restaurant has confirmed")
        await expect(told).to_have_text(
            re.compile(rf"The restaurant has confirmed\. Expected {_WINDOW}")
        )
        await expect(page.locator(".expected")).to_have_text(re.compile(_WINDOW))
        await advance(hub.platform, order, "PREPARING")
        await expect(here).to_contain_text("In the kitchen")
        await advance(hub.platform, order, "ON_DELIVERY")
        await expect(page).to_have_title("Your order is on its way")
        await advance(hub.platform, order, "COMPLETED")
        await expect(heading).to_have_text("Delivered. Enjoy your meal")
        await expect(page.locator(".steps .done")).to_have_count(5)


async def test_the_rider_glides_between_positions(hub: RunningHub, show: Open) -> None:
    """Led on by speed and heading: it moves on without a further message."""
    async with show(link(await riding(hub, speed=15.0, heading=90.0))) as page:
        rider = page.locator(".sign.rider")
        await expect(rider).to_have_attribute("data-worth", "fresh")
        await expect(page.locator(".whereabouts")).to_contain_text("Live position")
        first = await rider.get_attribute("style")
        await expect(rider).not_to_have_attribute("style", first or "")


async def test_the_signs_stand_where_they_are_said_to_be(hub: RunningHub, show: Open) -> None:
    """A sign's picture fills its icon, whose middle the map puts on the place."""
    async with show(link(await riding(hub))) as page:
        for sign in ("shop", "door", "rider"):
            icon = page.locator(f".sign.{sign}")
            await expect(icon).to_be_attached()
            inset = await icon.evaluate(
                "e => [e.firstChild.getBoundingClientRect(), e.getBoundingClientRect()]"
                ".map(({x, y, width, height}) => [x, y, width, height])"
            )
            assert inset[0] == inset[1]


async def test_a_rider_not_seen_lately_is_greyed_and_then_gone(hub: RunningHub, show: Open) -> None:
    """The page says since when; what it is worth comes from its age."""
    async with show(link(await riding(hub, offset=-50))) as page:
        await expect(page.locator(".whereabouts")).to_contain_text("Rider seen 5")
        await expect(page.locator(".sign.rider")).to_have_attribute("data-worth", "stale")
    async with show(link(await riding(hub, offset=-125))) as page:
        await expect(page.locator(".whereabouts")).to_contain_text("last seen 2 minutes ago")
        await expect(page.locator(".sign.rider")).to_have_attribute("data-worth", "lost")


async def test_the_map_follows_when_the_rider_appears(hub: RunningHub, show: Open) -> None:
    """That it moves by itself is no wish to look elsewhere: nothing offers to lead back."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with show(link(order)) as page:
        await expect(page.locator(".sign.shop")).to_be_visible()
        await fixed(hub, rider, **HALFWAY)
        await expect(page.locator(".sign.rider")).to_be_visible()
        await page.evaluate(TWO_FRAMES)
        await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
        await expect(page.get_by_role("button", name="Show all")).to_be_hidden()
        await page.get_by_role("button", name="Zoom in").click()
        await expect(page.get_by_role("button", name="Show all")).to_be_visible()


async def test_another_rider_begins_with_nothing(hub: RunningHub, show: Open) -> None:
    """The former one's position and way are gone with the reassignment."""
    order = await riding(hub)
    async with show(link(order)) as page:
        await expect(page.locator(".sign.rider")).to_be_visible()
        await assign(hub.platform, order, fresh("rider"))
        await expect(page.locator(".sign.rider")).to_have_count(0)
        missing = page.get_by_text("Waiting for the rider's position")
        await expect(missing).to_be_visible()


# The sold-out question


async def test_what_is_sold_out_is_asked_and_answered_by_keyboard(
    hub: RunningHub, show: Open
) -> None:
    """The rest is brought: the question goes, and so does the item."""
    async with show(link(await sold_out(hub))) as page:
        question = page.get_by_role("alert")
        await expect(question).to_contain_text("2× Noodles")
        await question.get_by_role("button", name="Bring the rest").focus()
        await page.keyboard.press("Enter")
        await expect(question).to_have_count(0)
        await expect(page.locator(".details .items")).to_have_text("1× Mapo tofu")


async def test_declining_cancels(hub: RunningHub, show: Open) -> None:
    """And the page says why the order ended."""
    async with show(link(await sold_out(hub))) as page:
        await page.get_by_role("button", name="Cancel the order").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your order was cancelled")
        await expect(page.locator(".summary")).to_contain_text("sold out")


async def test_an_answer_that_does_not_arrive_can_be_given_again(
    hub: RunningHub, show: Open
) -> None:
    """It is said, and the buttons are there."""
    async with show(link(await sold_out(hub))) as page:
        await page.route("**/resolve", lambda route: route.abort())
        accept = page.get_by_role("button", name="Bring the rest")
        await accept.click()
        await expect(page.get_by_role("alert")).to_contain_text("That did not work")
        await page.unroute("**/resolve")
        await accept.click()
        await expect(page.get_by_role("alert")).to_have_count(0)


# Connections


async def test_a_lost_connection_is_said_and_what_was_missed_is_caught_up(
    hub: RunningHub, show: Open
) -> None:
    """What stands there is called old, until it is not."""
    order = await pending(hub)
    open_to_hub = True
    sockets: list[WebSocketRoute] = []

    async def gateway(socket: WebSocketRoute) -> None:
        if not open_to_hub:
            await socket.close(code=1013)
            return
        sockets.append(socket)
        socket.connect_to_server()

    async def prepare(page: Page) -> None:
        await page.route_web_socket("**/v1/stream", gateway)
        await page.route("**/stream", lambda route: route.abort())

    async with show(link(order), prepare=prepare) as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text(STATES[pending][0])
        open_to_hub = False
        await sockets[0].close(code=1012)
        notice = page.get_by_text("Connection lost. Reconnecting… What you see is from")
        await expect(notice).to_be_visible()
        await advance(hub.platform, order, "CONFIRMED")
        open_to_hub = True
        await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "The restaurant has confirmed", timeout=20_000
        )
        await expect(notice).to_have_count(0)


async def test_a_phone_without_a_network_is_said_so(hub: RunningHub, show: Open) -> None:
    """At once, though the socket may not have noticed."""
    async with show(link(await pending(hub))) as page:
        await expect(page.locator(".steps")).to_be_visible()
        await page.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.get_by_text("You are offline.")).to_have_count(0)


async def test_without_a_connection_nothing_is_called_live(hub: RunningHub, show: Open) -> None:
    """Nor looks so on the map, though the last position is young."""
    async with show(link(await riding(hub))) as page:
        whereabouts, rider = page.locator(".whereabouts"), page.locator(".sign.rider")
        await expect(whereabouts).to_contain_text("Live position")
        await expect(rider).to_have_attribute("data-worth", "fresh")
        await page.context.set_offline(True)
        await expect(whereabouts).to_contain_text("Rider seen")
        await expect(rider).to_have_attribute("data-worth", "stale")


async def test_an_order_that_goes_back_is_said_since_when(hub: RunningHub, show: Open) -> None:
    """It is no time of arrival."""
    async with show(link(await going_back(hub))) as page:
        await expect(page.locator(".when")).to_have_text(re.compile(r"^since \d\d:\d\d$"))


@VIEWS
@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("", ("This link is not complete", "链接不完整")),
        ("other", ("There is no such order", "没有此订单")),
        ("expired", ("This link has expired", "链接已过期")),
        ("nonsense", ("This link is not valid", "链接无效")),
    ],
)
async def test_who_may_not_see_it_is_told_why(
    hub: RunningHub, show: Open, view: View, fragment: str, said: tuple[str, str]
) -> None:
    """In words, without a number; and nothing of the order is shown."""
    tokens = {
        "other": token(Role.CUSTOMER, orders=["ord_another"]),
        "expired": token(Role.CUSTOMER, orders=["ord_1"], ttl=-60),
    }
    order = await pending(hub)
    path = f"/track/{order['orderId']}#{tokens.get(fragment, fragment)}"
    async with show(path, view) as page:
        await expect(page.locator(".notice")).to_contain_text(said[view.language == "zh-CN"])
        assert [] == await faults(page)


# Ways to use it


async def test_the_language_is_switched_and_kept(hub: RunningHub, show: Open) -> None:
    """For the document, the texts and the map's labels; also after a reload."""
    async with show(link(await riding(hub))) as page:
        await page.get_by_role("button", name="中文").click()
        for _ in range(2):
            await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
            await expect(page.get_by_role("heading", level=1)).to_have_text("骑手正在配送")
            await expect(page.get_by_role("img", name="骑手")).to_be_visible()
            await page.reload()


async def _focused(page: Page) -> str:
    name: str = await page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    )
    return name


async def test_all_can_be_reached_by_keyboard(hub: RunningHub, show: Open) -> None:
    """In reading order, with a ring around it; the map moves by arrows, and comes back."""
    async with show(link(await sold_out(hub))) as page:
        await expect(page.locator(".sign.shop")).to_be_visible()
        reached = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            reached.append(await _focused(page))
            ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert "solid" == ring
        map_ = "Map with the restaurant, your door and the rider"
        choices = ["Bring the rest", "Cancel the order"]
        assert ["English", "中文", map_, "Zoom in", "Zoom out", *choices] == reached
        await page.locator(".canvas").focus()
        await page.keyboard.press("ArrowLeft")
        back = page.get_by_role("button", name="Show all")
        await back.press("Enter")
        await expect(back).to_be_hidden()


async def test_tiles_come_from_where_the_setting_says(hub: RunningHub, show: Open) -> None:
    """The policy lets them in, and they are told the hub's origin, no more."""
    asked: list[tuple[str, str]] = []

    async def tile(route: Any) -> None:
        asked.append((route.request.url, (await route.request.all_headers()).get("referer", "")))
        await route.fulfill(status=200, content_type="image/svg+xml", body=SVG)

    async def prepare(page: Page) -> None:
        await page.context.route("https://*.tiles.example/**", tile)

    before = hub.state.pages
    url = "https://{s}.tiles.example/{z}/{x}/{y}.png"
    hub.state.pages = Pages(BUILT, {"url": url, "attribution": "Map data: them", "crs": "wgs84"})
    try:
        async with show(link(await pending(hub)), prepare=prepare) as page:
            await expect(page.get_by_text("Map data: them")).to_be_visible()
            await expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    finally:
        hub.state.pages = before
    assert {f"{hub.url}/"} == {referer for _, referer in asked}


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"/>'
