"""The Desk in a real Chromium, against a real hub."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from schemas.documents.examples import examples_of
from schemas.lifecycle import Role
from tests.hub.harness import (
    DOOR,
    SHOP,
    RunningHub,
    advance,
    assign,
    fix,
    fresh,
    on_delivery,
    place,
    token,
)
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, faults, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")

Order = dict[str, Any]
EXAMPLE = examples_of("http", "Proof")[0].data
DESKTOP = View("desktop")


def signed_in(query: str = "", **claims: Any) -> str:
    return f"/desk{query}#{token(Role.PLATFORM, **claims)}"


async def raised(hub: RunningHub, order: Order, code: str, **more: Any) -> Order:
    path = f"/v1/orders/{order['orderId']}/exceptions"
    answer = await hub.platform.post(path, json={"code": code, **more})
    assert 201 == answer.status_code, answer.text
    exception: Order = answer.json()
    return exception


async def ridden(hub: RunningHub) -> Order:
    """An order that is on its way, with a minute of its ride."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider, externalId=fresh("A"))
    client = hub.http(Role.RIDER, sub=rider)
    for seq in range(1, 8):
        share = seq / 10
        place_ = {name: SHOP[name] + (DOOR[name] - SHOP[name]) * share for name in ("lat", "lng")}
        at = fix(seq, offset=10 * (seq - 7), **place_)
        answer = await client.post(f"/v1/riders/{rider}/positions", json=at)
        assert 1 == answer.json()["taken"], answer.text
    return order


async def found(page: Page, text: str) -> None:
    await page.get_by_role("searchbox").fill(text)
    await page.keyboard.press("Enter")


# Looks


@VIEWS
async def test_the_sign_in_is_open_to_all(show: Open, view: View) -> None:
    async with show("/desk", view) as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            re.compile("Sign in|登录调度台")
        )
        assert not await wide(page)
        assert [] == await faults(page)


@VIEWS
async def test_the_board_is_open_to_all(hub: RunningHub, show: Open, view: View) -> None:
    """Figures, exceptions, orders, webhooks and hubs; nothing scrolls sideways, axe is content."""
    order = await place(hub.platform)
    await raised(hub, order, "MERCHANT_TIMEOUT", detail="nobody picks up the phone")
    partner = hub.http(Role.PARTNER, partner=fresh("p"))
    await partner.post("/v1/endpoints", json={"url": "https://example.com/hook"})
    async with show(signed_in(), view) as page:
        for heading in ("Now|当前", "Open exceptions|未处理异常", "Orders|订单", "Webhooks|回调"):
            name = re.compile(f"^({heading})$")
            await expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()
        await expect(page.get_by_text("nobody picks up the phone").first).to_be_visible()
        await expect(page.get_by_role("rowheader", name=hub.state.hub_id)).to_be_visible()
        assert not await wide(page)
        assert [] == await faults(page)


@VIEWS
async def test_an_order_is_open_to_all(hub: RunningHub, show: Open, view: View) -> None:
    order = await ridden(hub)
    await raised(hub, order, "DELIVERY_OVERDUE")
    async with show(signed_in(f"?order={order['orderId']}"), view) as page:
        await expect(page.get_by_role("heading", name=order["orderId"])).to_be_focused()
        await expect(page.locator(".sign.rider")).to_be_visible()
        await expect(page.locator(".log li")).not_to_have_count(0)
        await expect(page.get_by_role("slider")).to_be_visible()
        assert not await wide(page)
        assert [] == await faults(page)


# Who is let in


async def test_the_token_is_kept_for_the_tab_and_out_of_the_address(show: Open) -> None:
    """A reload keeps it; signing out forgets it."""
    async with show(signed_in(), DESKTOP) as page:
        await expect(page.locator(".figures")).to_be_visible()
        assert page.url.endswith("/desk")
        await page.reload()
        await expect(page.locator(".figures")).to_be_visible()
        assert 0 == await page.evaluate(
            "Object.values({...localStorage}).filter((kept) => kept.startsWith('ey')).length"
        )
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Token of role platform")).to_be_visible()
        assert 0 == await page.evaluate("sessionStorage.length")


async def test_a_browser_that_keeps_nothing_is_let_in_too(show: Open) -> None:
    """Until the page is left: with storage forbidden, even asking for it throws."""

    async def forbid(page: Page) -> None:
        await page.add_init_script(
            "for (const name of ['localStorage', 'sessionStorage'])"
            "  Object.defineProperty(window, name, {get() { throw new Error('forbidden'); }});"
        )

    async with show(signed_in(), DESKTOP, prepare=forbid) as page:
        await expect(page.locator(".figures")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Token of role platform")).to_be_visible()


async def test_a_token_is_pasted(show: Open) -> None:
    async with show("/desk", DESKTOP) as page:
        field = page.get_by_label("Token of role platform")
        await field.fill("no token")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("That is no token.")).to_be_visible()
        await field.fill(token(Role.PLATFORM))
        await page.keyboard.press("Enter")
        await expect(page.locator(".figures")).to_be_visible()


@pytest.mark.parametrize(
    ("role", "ttl", "said"),
    [
        (Role.MERCHANT, 3600, "This token is not of role platform."),
        (Role.PLATFORM, -3600, "The token has expired"),
    ],
)
async def test_a_token_that_will_not_do_is_said(
    show: Open, role: Role, ttl: int, said: str
) -> None:
    async with show(f"/desk#{token(role, ttl=ttl, restaurant='r')}", DESKTOP) as page:
        await expect(page.get_by_text(said)).to_be_visible()
        await expect(page.get_by_label("Token of role platform")).to_be_visible()


# The board lives


async def test_counts_follow(hub: RunningHub, show: Open) -> None:
    """An order that is placed shows within seconds, among those of its status."""
    async with show(signed_in(), DESKTOP) as page:
        choice = page.get_by_role("button", name=re.compile(r"^Placed [\d,]+$"))
        before = int((await choice.locator(".count").inner_text()).replace(",", ""))
        order = await place(hub.platform, externalId=fresh("A"))
        await expect(choice.locator(".count")).to_have_text(f"{before + 1:,}")
        await choice.click()
        await expect(choice).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(".row", has_text=order["externalId"])).to_be_visible()
        await advance(hub.platform, order, "CANCELLED")
        await expect(choice.locator(".count")).to_have_text(f"{before:,}")


async def test_an_exception_is_resolved_from_the_board(hub: RunningHub, show: Open) -> None:
    """It goes from the list, and the order has it told as the platform's."""
    order = await place(hub.platform)
    await raised(hub, order, "MERCHANT_TIMEOUT")
    async with show(signed_in(), DESKTOP) as page:
        row = page.locator(".trouble", has_text=order["orderId"])
        await row.get_by_role("button", name="Resolved").click()
        await expect(row).to_have_count(0)
    events = (await hub.platform.get(f"/v1/orders/{order['orderId']}/events")).json()["events"]
    assert ("resolved", "platform") == (
        events[-1]["exception"]["resolution"],
        events[-1]["actor"]["role"],
    )


async def test_to_cancel_is_asked_twice(hub: RunningHub, show: Open) -> None:
    """One press does nothing yet; No leads back."""
    order = await place(hub.platform)
    await raised(hub, order, "DELIVERY_OVERDUE")
    async with show(signed_in(), DESKTOP) as page:
        row = page.locator(".trouble", has_text=order["orderId"])
        await row.get_by_role("button", name="Cancel the order").click()
        await row.get_by_role("button", name="No").click()
        await row.get_by_role("button", name="Cancel the order").click()
        assert (
            "PENDING" == (await hub.platform.get(f"/v1/orders/{order['orderId']}")).json()["status"]
        )
        await row.get_by_role("button", name="Yes, cancel it").click()
        await expect(row).to_have_count(0)
    final = (await hub.platform.get(f"/v1/orders/{order['orderId']}")).json()
    assert ("CANCELLED", "DELIVERY_OVERDUE") == (final["status"], final["reason"])


# An order is looked at


async def test_an_order_is_found_and_followed_by_keyboard(hub: RunningHub, show: Open) -> None:
    """By its external number; events come as they happen; Escape leads back."""
    order = await place(hub.platform, externalId=fresh("A"))
    async with show(signed_in(), View("phone")) as page:
        await found(page, order["externalId"])
        await expect(page.get_by_role("heading", name=order["orderId"])).to_be_focused()
        await expect(page.locator(".log li")).to_have_count(1)
        await assign(hub.platform, order, "rid_7")
        await advance(hub.platform, order, "CONFIRMED")
        await expect(page.locator(".log .name")).to_have_text(
            ["Placed", "Rider assigned", "Confirmed"]
        )
        await expect(page.locator(".facts .status")).to_have_text("Confirmed")
        await expect(page.locator(".facts")).to_contain_text("rid_7")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("searchbox")).to_be_visible()
        assert page.url.endswith("/desk")


async def test_an_order_is_opened_from_a_list(hub: RunningHub, show: Open) -> None:
    """And another beside it; the address has it."""
    orders = [await place(hub.platform, externalId=fresh("A")) for _ in range(2)]
    async with show(signed_in(), DESKTOP) as page:
        for order in orders:
            await page.locator(".row", has_text=order["externalId"]).click()
            await expect(page.get_by_role("heading", name=order["orderId"])).to_be_focused()
            await expect(page.locator(".log li")).to_have_count(1)
            assert page.url.endswith(f"/desk?order={order['orderId']}")


async def test_an_order_that_is_none(show: Open) -> None:
    async with show(signed_in("?order=ord_nothing"), DESKTOP) as page:
        await expect(page.get_by_text("There is no such order")).to_be_visible()
        await found(page, "nothing of the kind")
        await expect(page.get_by_text("No such orders.")).to_be_visible()


async def test_a_ride_is_played_again(hub: RunningHub, show: Open) -> None:
    """By the slider or by Play; live again; gone with the order's end."""
    order = await ridden(hub)
    async with show(signed_in(f"?order={order['orderId']}"), DESKTOP) as page:
        slider, told = page.get_by_role("slider"), page.locator(".player output")
        await expect(told).to_have_text("live")
        await slider.focus()
        await page.keyboard.press("Home")
        await expect(told).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
        start = await told.inner_text()
        await page.get_by_role("button", name="Play").click()
        await expect(told).not_to_have_text(start)
        await expect(page.get_by_role("button", name="Play")).to_be_visible()  # it has ended
        await page.get_by_role("button", name="Live").click()
        await expect(told).to_have_text("live")
        await advance(hub.platform, order, "COMPLETED")
        await expect(page.get_by_text("The way is deleted when an order ends.")).to_be_visible()
        await expect(slider).to_have_count(0)


PROVEN, PENDING = (
    {**EXAMPLE, "pending": []},
    {**EXAMPLE, "pending": [2, 3]},
)


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        (None, "The log's first head is not signed yet."),
        (PENDING, "2 of the events are not under a signed head yet."),
        (PROVEN, "All events are in the audit log"),
    ],
)
async def test_the_proof_is_told(hub: RunningHub, show: Open, proof: Any, said: str) -> None:
    """As the hub answers: here without a worker, and then in its place what one leads to."""
    order = await place(hub.platform)

    async def prepare(page: Page) -> None:
        if proof is not None:
            await page.route("**/proof", lambda route: route.fulfill(json=proof))

    query = f"?order={order['orderId']}"
    async with show(signed_in(query), DESKTOP, prepare=prepare) as page:
        await expect(page.get_by_text(said)).to_be_visible()


# Trouble


async def test_a_hub_that_does_not_answer_is_said(show: Open) -> None:
    """What is known stays; it is said that it may be old, until the hub is back."""
    async with show(signed_in(), DESKTOP) as page:
        await expect(page.locator(".figures")).to_be_visible()
        await page.context.set_offline(True)
        await expect(page.get_by_text("The hub does not answer")).to_be_visible()
        await expect(page.locator(".figures")).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.get_by_text("The hub does not answer")).to_have_count(0)


async def test_a_resolution_that_comes_too_late_is_said(hub: RunningHub, show: Open) -> None:
    """The hub's own words."""
    order = await place(hub.platform)
    exception = await raised(hub, order, "MERCHANT_TIMEOUT")
    async with show(signed_in(), DESKTOP) as page:
        row = page.locator(".trouble", has_text=order["orderId"])
        await expect(row).to_be_visible()
        await page.route("**/v1/exceptions*", lambda route: route.abort())
        path = f"/v1/orders/{order['orderId']}/exceptions/{exception['exceptionId']}/resolve"
        await hub.platform.post(path, json={"resolution": "cancelled"})
        await row.get_by_role("button", name="Resolved").click()
        await expect(row.get_by_role("alert")).to_contain_text("cancelled already")


async def test_the_other_language(show: Open) -> None:
    async with show(signed_in(), DESKTOP) as page:
        await page.get_by_role("button", name="中文").click()
        await expect(page.get_by_role("heading", name="未处理异常")).to_be_visible()
        await expect(page).to_have_title("调度台")
        assert "zh-CN" == await page.evaluate("document.documentElement.lang")
