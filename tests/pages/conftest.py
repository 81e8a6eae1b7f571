"""A real Chromium, and a real hub that serves the built pages."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from hub.store.embedded import EmbeddedStore
from tests.hub.harness import PATIENCE, RunningHub, hubs
from tests.pages.views import View, opened

expect.set_options(timeout=PATIENCE * 1000)

Open = Callable[..., AbstractAsyncContextManager[Page]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """`CHROMIUM` is its path. Tests run as root in containers, where its sandbox can't."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hub(shared_store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(shared_store) as (hub,):
        yield hub


@pytest_asyncio.fixture(loop_scope="session")
async def show(browser: Browser, hub: RunningHub) -> Open:
    """Open a page of the hub: `async with show("/ride", view) as page`."""

    def show(
        path: str, view: View | None = None, **options: object
    ) -> AbstractAsyncContextManager[Page]:
        return opened(browser, f"{hub.url}{path}", view or View(), **options)

    return show
