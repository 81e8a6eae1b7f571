"""The rendered documents in a real Chromium: all of each, from here alone."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from schemas.documents import document
from schemas.lifecycle import Role
from tests.hub.harness import RunningHub, place, token
from tests.pages.conftest import Open
from tests.pages.views import VIEWS, View, faults, wide

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESKTOP = View("desktop")
SWAGGERS = ("nested-interactive",)
"""Swagger UI has the link to an operation inside the button that opens it; no style parts them."""


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
async def test_the_http_document_is_open_to_all(show: Open, view: View) -> None:
    """With an operation that is opened, its form and examples, and with the dialog for a token."""
    async with show("/docs", view) as page:
        block = page.locator("#operations-orders-createOrder")
        await block.locator(".opblock-summary-control").click()
        await expect(block.get_by_label("Request body")).to_be_visible()
        await expect(block.locator("pre.microlight").first).to_be_visible()
        assert [] == await faults(page, but=SWAGGERS)
        assert not await wide(page)
        await page.get_by_role("button", name="Authorize", exact=True).click()
        await expect(page.get_by_label("auth-bearer-value")).to_be_visible()
        assert [] == await faults(page, within=".modal-ux")


@VIEWS
async def test_the_sockets_document_is_open_to_all(show: Open, view: View) -> None:
    """With a schema that is unfolded; its contents are opened by keyboard."""
    async with show("/docs/sockets", view) as page:
        heading = page.get_by_role("heading", level=1, name="Ordercast")
        await expect(heading).to_be_visible()
        await page.get_by_role("button", name="Expand all").nth(1).click()
        assert [] == await faults(page)
        await page.get_by_role("button", name="Contents").press("Enter")
        contents = page.locator(".sidebar--content").get_by_role("link", name="userToHub.auth")
        await expect(contents).to_be_visible()
        assert [] == await faults(page)


async def test_the_sockets_document_is_dark_by_night(show: Open) -> None:
    """Its own grounds, not only the bar's."""
    grounds = {}
    for scheme in ("light", "dark"):
        async with show("/docs/sockets", View("desktop", scheme)) as page:
            box = page.locator("#api .bg-white").first
            await expect(box).to_be_visible()
            grounds[scheme] = await box.evaluate("e => getComputedStyle(e).backgroundColor")
    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 27, 33)"} == grounds


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
