"""How fast a backlog gets into the tables, and how long the event loop stands still for it."""

import asyncio
import time
from typing import Any, Final

from bench.warehouse.kills import Feed, read
from bench.webhooks.scene import Scene, opened
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.store.connection import Connection
from hub.tasks import end
from hub.worker.sources import sources
from hub.worker.warehouse import Warehouse

__all__ = ["rate"]

_AT_ONCE: Final = 64
_TICK: Final = 0.001
_NAMES: Final = Pseudonyms("bench")


async def rate(orders: int) -> dict[str, Any]:
    """Orders of five events each; those into an empty warehouse, and nothing to do after it."""
    async with opened() as scene:
        await _filled(scene, orders)
        connection = Connection(scene.store.url)
        root = scene.directory / "warehouse"
        filled = sources(scene.here.order_store, _NAMES)
        duty = Warehouse(str(root), connection, filled, _NAMES, 0.0)
        whole, cpu, stops = await _timed(duty)
        idle, idle_cpu, _ = await _timed(duty)
        await connection.close()
        rows = {table: len(list(read(root, table, "day"))) for table in ("events", "orders")}
        size = sum(each.stat().st_size for each in (root / "events").rglob("*.parquet"))
        return {
            "rows": rows,
            "seconds": round(whole, 2),
            "rowsPerSecond": round(sum(rows.values()) / whole),
            "cpuMicrosecondsPerRow": round(cpu / sum(rows.values()) * 1e6, 1),
            "bytesPerEvent": round(size / rows["events"], 1),
            "loopStopsMs": {
                "p99": round(stops[int(len(stops) * 0.99)] * 1000, 1),
                "most": round(stops[-1] * 1000, 1),
            },
            "nothingToDo": {"seconds": round(idle, 3), "cpuSeconds": round(idle_cpu, 3)},
        }


async def _filled(scene: Scene, orders: int) -> None:
    feed = Feed(scene)
    for start in range(0, orders, _AT_ONCE):
        await asyncio.gather(*(feed.one() for _ in range(min(_AT_ONCE, orders - start))))


async def _timed(duty: Warehouse) -> tuple[float, float, list[float]]:
    """A step: seconds, seconds of all its threads' CPU, and how late a millisecond's ticks were."""
    stops: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            stops.append(time.perf_counter() - due)

    ticking = asyncio.create_task(tick())
    began, cpu = time.perf_counter(), time.process_time()
    await duty.step()
    took = time.perf_counter() - began, time.process_time() - cpu
    await end([ticking])
    return *took, sorted(stops) or [0.0]
