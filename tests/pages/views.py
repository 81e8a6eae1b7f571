"""How a page is looked at: size, scheme, language; and what must hold on each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, Page

from tests.hub.harness import SHOP

__all__ = ["VIEWS", "View", "faults", "opened", "wide"]

_AXE: Final = Path(__file__).parents[2] / "clients/js/node_modules/axe-core/axe.min.js"
_SIZES: Final = {"phone": (390, 844), "desktop": (1280, 800)}
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AT_SHOP: Final = {"latitude": SHOP["lat"], "longitude": SHOP["lng"], "accuracy": 9}
_OFFLINE: Final = "net::ERR_"


@dataclass(frozen=True)
class View:
    size: Literal["phone", "desktop"] = "phone"
    scheme: Literal["light", "dark"] = "light"
    language: str = "en-GB"

    def __str__(self) -> str:
        return f"{self.size} {self.scheme} {self.language}"


_FOUR: Final = (
    View("phone", "light", "en-GB"),
    View("phone", "dark", "zh-CN"),
    View("desktop", "light", "zh-CN"),
    View("desktop", "dark", "en-GB"),
)
"""Each pair of size, scheme and language is among them."""

VIEWS: Final = pytest.mark.parametrize("view", _FOUR, ids=str)


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    view: View,
    prepare: Callable[[Page], Awaitable[None]] | None = None,
    **options: Any,
) -> AsyncIterator[Page]:
    """A page in a profile of its own, prepared before it goes to `url`. What it complains of in the
    console fails the test; that it can't load something is told there too, and is for the test to
    judge.
    """
    width, height = _SIZES[view.size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=view.scheme,
        locale=view.language,
        **{"geolocation": _AT_SHOP, "permissions": ["geolocation"], **options},
    )
    complaints: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _note(complaints, message.type, message.text))
    if prepare is not None:
        await prepare(page)
    await page.goto(url)
    yield page
    await context.close()
    assert [] == complaints, complaints


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind in ("error", "warning") and "Failed to load" not in text and _OFFLINE not in text:
        complaints.append(text)


async def faults(page: Page, but: Iterable[str] = (), within: str = "html") -> list[str]:
    """What axe finds wrong for those who see, hear or press differently; the rules `but` aside."""
    await page.evaluate(_AXE.read_text())
    options = {"runOnly": _TAGS, "rules": {rule: {"enabled": False} for rule in but}}
    found = await page.evaluate(
        "([within, options]) => axe.run(within, options).then(({violations}) => violations)",
        [within, options],
    )
    return [
        f"{each['id']}: {node['html']}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


async def wide(page: Page) -> bool:
    """Whether one has to scroll sideways."""
    scrolls: bool = await page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return scrolls
