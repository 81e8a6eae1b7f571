"""The README's pictures: the pages of a real hub, small."""

from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.async_api import Page

from bench.pages.stage import SHOP, Stage

__all__ = ["take"]

_COLOURS: Final = 96
_PHONE: Final = (390, 844)
_DESKTOP: Final = (1180, 720)
_DESK: Final = (1280, 960)


async def take(stage: Stage, directory: Path) -> list[Path]:
    """Track by day and by night, on a phone and wide; Ride; Desk on an evening."""
    await stage.evening()
    order = await stage.riding()
    track = stage.track(order)
    views: dict[str, tuple[str, tuple[int, int], str, str]] = {
        "track-phone": (track, _PHONE, "light", "en-GB"),
        "track-phone-dark": (track, _PHONE, "dark", "zh-CN"),
        "track-wide": (track, _DESKTOP, "light", "en-GB"),
        "ride-phone": (stage.ride(), _PHONE, "light", "en-GB"),
        "desk-wide": (stage.desk(order), _DESK, "light", "en-GB"),
    }
    taken = []
    for name, view in views.items():
        path = directory / f"{name}.png"
        await _shoot(stage, path, *view)
        _shrink(path)
        taken.append(path)
    return taken


async def _shoot(
    stage: Stage, path: Path, url: str, size: tuple[int, int], scheme: Any, language: str
) -> None:
    context = await stage.browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale=language,
        reduced_motion="reduce",
        geolocation={"latitude": SHOP[0] + 0.004, "longitude": SHOP[1], "accuracy": 8},
        permissions=["geolocation"],
    )
    page = await context.new_page()
    await page.goto(url)
    await _settled(page)
    await page.screenshot(path=path)
    await context.close()


async def _settled(page: Page) -> None:
    if "/ride" in page.url:
        await page.locator(".button.main").click()
        await page.locator("article").first.wait_for()
        await page.get_by_text("Accurate").wait_for()
    elif "/desk" in page.url:
        await page.locator(".row").first.wait_for()
        await page.locator(".sign.rider").wait_for()
        await page.locator(".log li").nth(3).wait_for()
    else:
        await page.locator(".sign.rider").wait_for()
        await page.locator(".details dt").nth(3).wait_for()


def _shrink(path: Path) -> None:
    image = Image.open(path).convert("RGB")
    dithered = image.quantize(_COLOURS, dither=Image.Dither.NONE)
    dithered.save(path, optimize=True)
