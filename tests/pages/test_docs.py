"""The rendered documents in a real Chromium: all of each, from here alone."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from schemas.documents import document
from schemas.lifecycle import Role
from tests.hub.harness import RunningHub, place, token
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESKTOP = View("desktop")


@VIEWS
async def test_every_operation_is_shown(hub: RunningHub, show: Open, view: View) -> None:
    """As many as the document has; nothing is asked of anybody else."""
    asked: list[str] = []

    async def listen(page: Page) -> None:
        page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))

    operations = sum(len(each) for each in document("openapi")["paths"].values())
    async with show("/docs", view, prepare=listen) as page:
        await expect(page.locator("[id^=operations-] .opblock-summary-method")).to_have_count(
            operations + len(document("openapi")["webhooks"])
        )
        assert not await wide(page)
    assert {f"127.0.0.1:{hub.port}"} == {each for each in asked if each}


async def test_a_request_is_tried_on_the_hub(hub: RunningHub, show: Open) -> None:
    """With a token, on this very hub; the answer is the hub's."""
    order = await place(hub.platform)
    async with show("/docs", DESKTOP) as page:
        await page.get_by_role("button", name="Authorize", exact=True).click()
        await page.get_by_label("auth-bearer-value").fill(token(Role.PLATFORM))
        await page.get_by_role("button", name="Apply credentials").first.click()
        await page.locator(".auth-container .btn-done").first.click()
        block = page.locator("#operations-orders-getOrder")
        await block.locator(".opblock-summary-control").click()
        await block.get_by_placeholder("orderId").fill(order["orderId"])
        await block.get_by_role("button", name="Execute").click()
        answer = block.locator(".live-responses-table")
        await expect(answer.locator(".response-col_status").last).to_contain_text("200")
        await expect(answer).to_contain_text(order["epoch"])
        await page.reload()
        open_lock = block.get_by_role("button", name="authorization button unlocked")
        await expect(open_lock).to_be_visible()  # it was kept for that page alone


@VIEWS
async def test_every_message_of_the_sockets_is_shown(show: Open, view: View) -> None:
    """Under a policy that lets no code be made at run time."""
    async with show("/docs/sockets", view) as page:
        for name in document("asyncapi")["channels"]:
            address = document("asyncapi")["channels"][name]["address"]
            await expect(page.get_by_text(address).first).to_be_visible()
        shown = await page.locator("#api").inner_text()
        for name in document("asyncapi")["components"]["messages"]:
            assert name.lower() in shown.lower(), name
        assert not await wide(page)


async def test_one_leads_to_the_other(show: Open) -> None:
    async with show("/docs", DESKTOP) as page:
        await page.get_by_role("link", name="WebSocket", exact=True).click()
        await expect(page.get_by_role("link", name="HTTP", exact=True)).to_be_visible()
        assert page.url.endswith("/docs/sockets")
        current = page.locator("[aria-current=page]")
        await expect(current).to_have_text("WebSocket")


async def test_the_documents_are_the_hubs_own(hub: RunningHub) -> None:
    """What is rendered is what is served."""
    served = (await hub.http().get("/openapi.json")).json()
    assert json.loads(json.dumps(document("openapi"))) == served
