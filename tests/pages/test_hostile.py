"""What others wrote - names, addresses, reasons - is text on the pages, whatever is in it."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from schemas.lifecycle import Role
from tests.hub.harness import DOOR, RunningHub, advance, assign, fresh, move, place, token
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")

HTML = "<img src=x onerror='hit()'><script>hit()</script><a href=javascript:hit()>x</a>"
ENTITIES = "&lt;b&gt; &amp; \"'` ${hit()} {{hit()}}"
REVERSED = "\u202egnorw\u2066 eht \u2067way"
EMOJI = "\U0001f469\U0001f3fd\u200d\U0001f680" + "e" + "\u0301\u0316" * 20
SEPARATED = "a\u2028b\u2029c\u0007d\ufeff\ufffd"
LONG = "W" * 180
SPREAD = (HTML, ENTITIES, REVERSED, EMOJI, SEPARATED, LONG)
ALL = " ".join((HTML, ENTITIES, REVERSED, EMOJI, SEPARATED))
NAME = "R" * 9_900 + HTML


async def watched(page: Page) -> None:
    """`hit` is what none of it may call."""
    await page.add_init_script("window.hits = []; window.hit = () => hits.push(new Error().stack);")
    restaurant = json.dumps({"restaurantId": "res_1", "name": NAME})

    async def named(route: Any) -> None:
        await route.fulfill(content_type="application/json", body=restaurant)

    await page.route("**/v1/restaurants/*", named)


async def harmless(page: Page) -> None:
    """Nothing ran, nothing was made of it, and nothing is wider than the screen."""
    assert [] == await page.evaluate("window.hits")
    assert 0 == await page.locator("main :is(img[src=x], script, a[href^=javascript])").count()
    assert not await wide(page)


async def hostile(hub: RunningHub, rider: str) -> dict[str, Any]:
    order = await place(
        hub.platform,
        externalId=f"{fresh('x')[-24:]}{HTML[:38]}",
        items=[
            {"itemId": f"i{n}", "name": text[:200], "quantity": 1, "unitPriceCents": 1}
            for n, text in enumerate(SPREAD)
        ],
        address={"text": ALL[:500], "contact": f"javascript:hit() {LONG}"[:200], **DOOR},
    )
    await assign(hub.platform, order, rider)
    await advance(hub.platform, order, "CONFIRMED", "PREPARING")
    path = f"/v1/orders/{order['orderId']}/exceptions"
    raised = {"code": "DELIVERY_OVERDUE", "detail": ALL[:500]}
    assert 201 == (await hub.platform.post(path, json=raised)).status_code
    return order


@VIEWS
async def test_a_customer_sees_text(hub: RunningHub, show: Open, view: View) -> None:
    """Also the reason of the end."""
    order = await hostile(hub, fresh("rider"))
    link = f"/track/{order['orderId']}#{order['streamToken']}"
    async with show(link, view, prepare=watched) as page:
        await expect(page.locator(".details")).to_contain_text("<script>hit()</script>")
        await expect(page.locator(".details dd").first).to_contain_text("RRRR")
        await expect(page.locator(".details .items li")).to_have_count(len(SPREAD))
        await harmless(page)
        await move(hub.platform, order, "CANCELLED", reason=ALL[:500])
        await expect(page.locator(".summary")).to_contain_text("<script>hit()</script>")
        await harmless(page)


@VIEWS
async def test_a_rider_sees_text(hub: RunningHub, show: Open, view: View) -> None:
    """A contact that is no number is nothing to press."""
    rider = fresh("rider")
    await hostile(hub, rider)
    async with show(f"/ride#{token(Role.RIDER, sub=rider)}", view, prepare=watched) as page:
        await page.locator(".button.main").click()
        await expect(page.locator("article")).to_contain_text("<script>hit()</script>")
        await expect(page.locator(".contact")).to_contain_text("javascript:hit()")
        assert 0 == await page.locator(".contact a").count()
        await harmless(page)


@VIEWS
async def test_a_dispatcher_sees_text(hub: RunningHub, show: Open, view: View) -> None:
    """In the lists, in the order that is opened, and in its log."""
    order = await hostile(hub, fresh("rider"))
    partner = hub.http(Role.PARTNER, partner=f"{REVERSED}{HTML}")
    await partner.post("/v1/endpoints", json={"url": "https://example.com/%3Cscript%3E?q=<b>"})
    link = f"/desk#{token(Role.PLATFORM)}"
    async with show(link, view, prepare=watched) as page:
        row = page.locator(".trouble", has_text=order["orderId"])
        await expect(row).to_contain_text("<script>hit()</script>")
        await expect(page.locator(".row", has_text="<img src=x").first).to_be_visible()
        await harmless(page)
        await row.get_by_role("button", name=order["orderId"], exact=True).click()
        await expect(page.locator(".facts")).to_contain_text("<script>hit()</script>")
        await harmless(page)


async def test_a_name_that_turns_the_writing_round_turns_nothing_else_round(
    hub: RunningHub, show: Open
) -> None:
    """Of two items in one line, the second stands to the right of the first, and reads as ever."""
    items = [
        {"itemId": "i1", "name": "\u202eturned", "quantity": 1, "unitPriceCents": 1},
        {"itemId": "i2", "name": "Rice", "quantity": 2, "unitPriceCents": 1},
    ]
    order = await place(hub.platform, items=items)
    link = f"/desk?order={order['orderId']}#{token(Role.PLATFORM)}"
    async with show(link, View("desktop")) as page:
        turned, rice = page.locator(".facts bdi").first, page.locator(".facts bdi").nth(1)
        await expect(rice).to_have_text("Rice")
        left, right = await turned.bounding_box(), await rice.bounding_box()
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] < right["x"]


@VIEWS
async def test_a_number_is_there_to_be_called(hub: RunningHub, show: Open, view: View) -> None:
    """Written as it was given, called without its spaces."""
    rider = fresh("rider")
    address = {"text": "1 Century Avenue", "contact": "+86 138 0000-0000", **DOOR}
    order = await place(hub.platform, address=address)
    await assign(hub.platform, order, rider)
    async with show(f"/ride#{token(Role.RIDER, sub=rider)}", view) as page:
        await page.locator(".button.main").click()
        number = page.locator(".contact a")
        await expect(number).to_contain_text("+86 138 0000-0000")
        assert "tel:+8613800000000" == await number.get_attribute("href")
