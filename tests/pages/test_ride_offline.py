"""The Ride page where there is no network: its service worker in a real Chromium."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from starlette.responses import RedirectResponse
from starlette.routing import Route

from hub.errors import UnavailableError
from hub.transports.pages import BUILT, Pages
from schemas.lifecycle import Role
from tests.hub.harness import SHOP, RunningHub, eventually, fresh, on_delivery, token
from tests.pages.conftest import Open
from tests.pages.views import View

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = View("phone")
_KEPT = """async () => {
  const cache = await caches.open("ordercast.ride");
  return (await cache.keys()).map(({url}) => new URL(url).pathname);
}"""


def link(rider: str) -> str:
    return f"/ride#{token(Role.RIDER, sub=rider)}"


async def kept(page: Page) -> list[str]:
    paths: list[str] = await page.evaluate(_KEPT)
    return paths


async def ready(page: Page) -> None:
    """The worker has what it keeps, and answers the next load."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")


async def reload_offline(page: Page) -> None:
    """With no network at all: what the worker has not kept fails."""
    await page.context.set_offline(True)
    await page.reload()
    assert not await page.evaluate("fetch('/healthz').then(() => true, () => false)")


async def test_a_page_that_is_loaded_again_in_a_dead_spot_is_there(
    hub: RunningHub, show: Open
) -> None:
    """With the orders that were known; the fixes of the meantime are sent when there is one."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with (
        hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire,
        show(link(rider), PHONE) as page,
    ):
        await wire.subscribe(order["orderId"])
        await page.locator(".button.main").click()
        await expect(page.locator("article")).to_have_count(1)
        await wire.until("position")
        await ready(page)
        await reload_offline(page)
        await expect(page.locator(".state.down")).to_contain_text("No connection")
        await expect(page.locator("article")).to_contain_text("1 Century Avenue")
        there = {"latitude": SHOP["lat"] + 0.0003, "longitude": SHOP["lng"], "accuracy": 9}
        await page.context.set_geolocation(there)
        await expect(page.locator(".facts")).to_contain_text("Waiting to be sent: ")
        await page.context.set_offline(False)
        await expect(page.locator(".state.up")).to_be_visible(timeout=20_000)
        await wire.until("position", lambda told: told["lat"] == round(SHOP["lat"] + 0.0003, 5))


async def test_what_is_pressed_after_that_is_sent_too(hub: RunningHub, show: Open) -> None:
    """On the kept order, once there is a network."""
    rider = fresh("rider")
    order = await on_delivery(hub.platform, rider)
    async with show(link(rider), PHONE) as page:
        await page.locator(".button.main").click()
        await expect(page.locator("article")).to_have_count(1)
        await ready(page)
        await reload_offline(page)
        await page.get_by_role("button", name="Delivered", exact=True).click()
        await expect(page.get_by_text("Will be sent when there is a connection.")).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.locator("article")).to_have_count(0, timeout=20_000)
    answer = await hub.platform.get(f"/v1/orders/{order['orderId']}")
    assert "COMPLETED" == answer.json()["status"]


async def test_orders_that_are_not_known_are_not_said_to_be_none(show: Open) -> None:
    """A shift that begins without a network."""
    async with show(link(fresh("rider")), PHONE) as page:
        await ready(page)
        await reload_offline(page)
        await page.locator(".button.main").click()
        unknown = page.get_by_text("Your orders will be shown when there is a connection.")
        await expect(unknown).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.get_by_text("No order at the moment.")).to_be_visible(timeout=20_000)
        await expect(unknown).to_have_count(0)


async def test_the_page_and_its_files_are_kept_and_nothing_else(
    hub: RunningHub, show: Open
) -> None:
    """Nothing of the interface, whatever the page asks for."""
    rider = fresh("rider")
    await on_delivery(hub.platform, rider)
    async with show(link(rider), PHONE) as page:
        await ready(page)
        await page.reload()
        await page.locator(".button.main").click()
        await expect(page.locator("article")).to_have_count(1)
        await page.evaluate("fetch('/v1/restaurants/res_1')")
        paths = await kept(page)
    assert "/ride" in paths
    assert {".js", ".css", ".svg"} == {Path(path).suffix for path in paths} - {""}
    assert ["/ride"] == [path for path in paths if not path.startswith("/pages/")]
    assert "/pages/ride-worker.js" not in paths


@pytest.fixture
def newer(tmp_path: Path, hub: RunningHub) -> Iterator[tuple[Callable[[], None], str]]:
    """Deploys another build: the page says so, and its own script has another name."""
    build = tmp_path / "pages"
    shutil.copytree(BUILT, build)
    (script,) = (path for path in build.glob("ride-*.js") if path.name != "ride-worker.js")
    name = "ride-NEWBUILD.js"
    script.rename(build / name)
    page = (build / "ride.html").read_text().replace(script.name, name)
    (build / "ride.html").write_text(
        page.replace("<title>", '<meta name="build" content="2"><title>')
    )
    before = hub.state.pages

    def deploy() -> None:
        hub.state.pages = Pages(build, None)

    yield deploy, f"/pages/{script.name}"
    hub.state.pages = before


async def test_a_new_build_is_there_at_the_next_load(
    show: Open, newer: tuple[Callable[[], None], str]
) -> None:
    """At once, and then also without a network; the old one's files are gone."""
    deploy, old = newer
    build = "document.querySelector('meta[name=build]')?.content"
    async with show(link(fresh("rider")), PHONE) as page:
        await ready(page)
        assert old in await kept(page)
        await page.reload()
        assert await page.evaluate(build) is None
        deploy()
        await page.reload()
        assert "2" == await page.evaluate(build)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()

        async def replaced() -> bool:
            paths = await kept(page)
            return "/pages/ride-NEWBUILD.js" in paths and old not in paths

        await eventually(replaced)
        await reload_offline(page)
        assert "2" == await page.evaluate(build)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()


class Away(Pages):
    """What a balancer answers with no hub behind it."""

    def file(self, name: str) -> Any:
        raise UnavailableError


async def test_a_hub_in_trouble_does_not_take_the_page_away(hub: RunningHub, show: Open) -> None:
    """503 is no page; the one that is kept is."""
    before = hub.state.pages
    async with show(link(fresh("rider")), PHONE) as page:
        await ready(page)
        hub.state.pages = Away(BUILT, None)
        try:
            assert 503 == (await hub.http().get("/ride")).status_code
            await page.reload()
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
        finally:
            hub.state.pages = before


async def test_a_page_that_has_moved_is_followed(hub: RunningHub, show: Open) -> None:
    """To another host as well: the one that is kept would never find a hub again."""
    moved = Route("/ride", lambda _: RedirectResponse(f"http://localhost:{hub.port}/desk", 308))
    async with show(link(fresh("rider")), PHONE) as page:
        await ready(page)
        hub.app.router.routes.insert(0, moved)
        try:
            await page.reload()
            assert page.url.startswith(f"http://localhost:{hub.port}/desk")
        finally:
            hub.app.router.routes.remove(moved)


async def test_it_can_be_installed(show: Open) -> None:
    """Chromium finds nothing to complain of in the manifest, and can load its icon."""
    async with show(link(fresh("rider")), PHONE) as page:
        cdp = await page.context.new_cdp_session(page)
        told = await cdp.send("Page.getAppManifest")
        assert [] == told["errors"]
        assert told["url"].endswith("/pages/ride.webmanifest")
        found = await cdp.send("Page.getInstallabilityErrors")
        errors = {error["errorId"] for error in found["installabilityErrors"]}
        assert set() == errors - {"in-incognito"}  # as every profile of a test is
