"""A real hub with its pages, a real Chromium, and an order on its way to be looked at."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
from playwright.async_api import Browser, async_playwright

from hub.demo.children import running
from hub.services.tokens import Tokens
from hub.transports.pages import BUILT
from schemas.lifecycle import Role
from schemas.times import format_time

__all__ = ["DOOR", "RIDER", "SHOP", "Stage", "chromium", "staged"]

SHOP: Final = (31.2304, 121.4737)
DOOR: Final = (31.2397, 121.4998)
RIDER: Final = "rider-7"
_ITEMS: Final = [
    {"itemId": "i1", "name": "Mapo tofu", "quantity": 1, "unitPriceCents": 3200},
    {"itemId": "i2", "name": "Dan dan noodles", "quantity": 2, "unitPriceCents": 1800},
]
_STEPS: Final = ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
_TOWARDS: Final = _STEPS[:3]
_OTHERS: Final = (4, 3, 4, 2, 3, 1, 4, 2, 0, 3, 4, 2, 1)
"""How many of the steps each other order of an evening has behind it."""
_STEP: Final = 15.0  # seconds between two fixes of the way


@dataclass(slots=True)
class Stage:
    url: str
    browser: Browser
    tokens: Tokens
    client: httpx2.AsyncClient

    async def ask(self, role: Role, method: str, path: str, body: Any, **claims: Any) -> Any:
        """The answer's JSON. Raises httpx2.HTTPStatusError."""
        token = self.tokens.issue(role, ttl=3600, **claims)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.request(method, path, json=body, headers=headers)
        return answer.raise_for_status().json()

    async def order(
        self, *statuses: str, rider: str = RIDER, restaurant: str = "res_1"
    ) -> dict[str, Any]:
        body = {
            "restaurantId": restaurant,
            "items": _ITEMS,
            "address": _place(DOOR) | {"text": "Flat 12, 1 Century Avenue"},
            "paymentMethod": "CASH",
            "pickup": _place(SHOP),
        }
        order: dict[str, Any] = await self.ask(Role.PLATFORM, "POST", "/v1/orders", body)
        path = f"/v1/orders/{order['orderId']}"
        await self.ask(Role.PLATFORM, "PUT", f"{path}/rider", {"riderId": rider})
        for status, minutes in zip(statuses, (35, 25, 12, 0), strict=False):
            told = {"status": status, "timestamp": _now(), "estimatedTime": minutes}
            await self.ask(Role.PLATFORM, "POST", f"{path}/status", told)
        return order

    async def evening(self) -> None:
        """Other orders, at all steps; one of them has something sold out."""
        for number, steps in enumerate(_OTHERS):
            restaurant, rider = f"res_{2 + number % 3}", f"rider-{11 + number}"
            last = await self.order(*_STEPS[:steps], rider=rider, restaurant=restaurant)
        body = {"code": "ITEM_SOLD_OUT", "items": [_ITEMS[0]["itemId"]]}
        path = f"/v1/orders/{last['orderId']}/exceptions"
        await self.ask(Role.PLATFORM, "POST", path, body)

    async def riding(self) -> dict[str, Any]:
        """An order on its way, with some minutes of it behind."""
        order = await self.order(*_TOWARDS)
        way = [_on_the_way(n / 20) for n in range(14)]
        for n, (lat, lng, heading) in enumerate(way):
            at = format_time(time.time() - _STEP * (len(way) - 1 - n))
            fix = {"seq": n, "at": at, "lat": lat, "lng": lng, "speed": 6.0, "heading": heading}
            path = f"/v1/riders/{RIDER}/positions"
            await self.ask(Role.RIDER, "POST", path, fix, sub=RIDER)
        return order

    def track(self, order: dict[str, Any]) -> str:
        return f"{self.url}/track/{order['orderId']}#{order['streamToken']}"

    def ride(self) -> str:
        return f"{self.url}/ride#{self.tokens.issue(Role.RIDER, ttl=3600, sub=RIDER)}"

    def desk(self, order: dict[str, Any]) -> str:
        token = self.tokens.issue(Role.PLATFORM, ttl=3600)
        return f"{self.url}/desk?order={order['orderId']}#{token}"


def _place(point: tuple[float, float]) -> dict[str, float]:
    return {"lat": point[0], "lng": point[1]}


def _now() -> str:
    return format_time(time.time())


def _on_the_way(share: float) -> tuple[float, float, float]:
    """Along the streets: east, north, east. Latitude, longitude, heading."""
    (lat, lng), (to_lat, to_lng) = SHOP, DOOR
    half = lng + (to_lng - lng) / 2
    if share < 0.35:
        return lat, lng + (half - lng) * share / 0.35, 90.0
    if share < 0.6:
        return lat + (to_lat - lat) * (share - 0.35) / 0.25, half, 0.0
    return to_lat, half + (to_lng - half) * (share - 0.6) / 0.4, 90.0


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    flags = ["--no-sandbox", "--enable-precise-memory-info"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    if not (BUILT / "track.html").exists():
        sys.exit("bench.pages: the pages are not built: `make pages`")
    data = Path(tempfile.mkdtemp(prefix="oc"))
    flags = ("--data-dir", str(data), "--port", "0", "--log-level", "warning")
    try:
        async with (
            running(data / "log", "up", *flags) as hub,
            httpx2.AsyncClient(base_url=hub.url, timeout=15) as client,
            chromium() as browser,
        ):
            stage = Stage(hub.url, browser, Tokens((data / "secret").read_text().strip()), client)
            named = {"name": "Golden Wok", "location": _place(SHOP)}
            await stage.ask(Role.PLATFORM, "PUT", "/v1/restaurants/res_1", named)
            yield stage
    finally:
        shutil.rmtree(data, ignore_errors=True)
