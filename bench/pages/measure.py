"""Weight, first paint, shifts, long tasks, and the memory of an hour of positions."""

import asyncio
import gzip
import json
import re
import time
from statistics import median
from typing import Any, Final

from playwright.async_api import CDPSession, WebSocketRoute

from bench.pages.stage import DOOR, SHOP, Stage
from hub.transports.pages import BUILT
from schemas.times import format_time

__all__ = ["load", "memory", "weights"]

_OBSERVE: Final = """
window.seen = {lcp: 0, cls: 0, longTasks: []};
const watch = (type, note) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note))
    .observe({type, buffered: true});
watch('largest-contentful-paint', (entry) => { seen.lcp = entry.startTime; });
watch('layout-shift', (entry) => { if (!entry.hadRecentInput) seen.cls += entry.value; });
watch('longtask', (entry) => { seen.longTasks.push(entry.duration); });
"""
_PHONE: Final = {"width": 390, "height": 844}


def weights() -> dict[str, dict[str, int]]:
    """Bytes by gzip, of each page and of the map that Track loads after its first paint."""
    found = {}
    for page in sorted(BUILT.glob("*.html")):
        names = re.findall(r'(?:src|href)="/pages/([^"]+\.(?:js|css))"', page.read_text())
        found[page.stem] = {"html": _zipped(page.name), **_by_kind(names)}
    found["map"] = _by_kind([path.name for path in BUILT.glob("map-*")])
    return found


def _by_kind(names: list[str]) -> dict[str, int]:
    kinds = ("js", "css")
    return {kind: sum(_zipped(n) for n in names if n.endswith(f".{kind}")) for kind in kinds}


def _zipped(name: str) -> int:
    return len(gzip.compress((BUILT / name).read_bytes(), mtime=0))


async def load(stage: Stage, slowdown: int, rounds: int) -> dict[str, float]:
    """Medians of `rounds` first visits of an order on its way, the processor slowed down."""
    order = await stage.riding()
    seen = []
    for _ in range(rounds):
        context = await stage.browser.new_context(viewport=_PHONE)
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        await page.add_init_script(_OBSERVE)
        await page.goto(stage.track(order))
        await page.locator(".sign.rider").wait_for()
        await asyncio.sleep(2)  # until what is to shift has shifted
        seen.append(await page.evaluate("window.seen"))
        await context.close()
    return {
        "slowdown": slowdown,
        "lcpMs": round(median(each["lcp"] for each in seen)),
        "cls": round(median(each["cls"] for each in seen), 4),
        "longTasks": median(len(each["longTasks"]) for each in seen),
        "longestTaskMs": round(median(max(each["longTasks"], default=0) for each in seen)),
    }


async def memory(stage: Stage, positions: int, rate: float) -> dict[str, Any]:
    """The heap after collecting garbage, while `positions` come at `rate` a second.

    They stand between hub and page on the page's real socket: a hub takes no more than five
    fixes a second of a rider, and one position for each 15 m.
    """
    order = await stage.riding()
    sockets: list[WebSocketRoute] = []

    def between(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    context = await stage.browser.new_context(viewport=_PHONE)
    page = await context.new_page()
    await page.route_web_socket("**/v1/stream", between)
    await page.goto(stage.track(order))
    await page.locator(".sign.rider").wait_for()
    cdp = await context.new_cdp_session(page)
    samples = [await _heap(cdp, 0)]
    for n in range(1, positions + 1):
        sockets[0].send(json.dumps(_position(order["orderId"], n)))
        await asyncio.sleep(1 / rate)
        if n % (positions // 6) == 0:
            samples.append(await _heap(cdp, n))
    await context.close()
    return {"positions": positions, "samples": samples}


def _position(order_id: str, n: int) -> dict[str, Any]:
    """Back and forth between shop and door, a full turn in ten minutes of one a second."""
    share = abs(n % 600 - 300) / 300
    (lat, lng), (to_lat, to_lng) = SHOP, DOOR
    place = {"lat": lat + (to_lat - lat) * share, "lng": lng + (to_lng - lng) * share}
    about = {"at": format_time(time.time()), "freshness": "fresh", "speed": 8.0, "heading": 67.0}
    return {"type": "position", "orderId": order_id, **place, **about}


async def _heap(cdp: CDPSession, after: int) -> dict[str, float]:
    await cdp.send("HeapProfiler.collectGarbage")
    used = await cdp.send("Runtime.getHeapUsage")
    counters = await cdp.send("Memory.getDOMCounters")
    return {
        "after": after,
        "heapMiB": round(used["usedSize"] / 2**20, 2),
        "nodes": counters["nodes"],
        "listeners": counters["jsEventListeners"],
    }
