"""What it costs that a great many deliveries wait for an endpoint that is dead."""

import asyncio
from typing import Any, Final

from bench.webhooks.latency import METHOD
from bench.webhooks.log import fill
from bench.webhooks.receiver import Receiver, dead_origin
from bench.webhooks.report import report
from bench.webhooks.scene import Scene, opened
from bench.webhooks.sizes import Sizes
from bench.webhooks.span import Span
from bench.webhooks.well import Well

__all__ = ["run"]

_RATIO: Final = 1.5
_PART: Final = 10
_MORE: Final = 3
_METHOD: Final = (
    f"{METHOD} First the healthy endpoint alone. Then the log is filled with the first event of "
    "as many orders of another partner as deliveries are to wait (of one order each, the most "
    "lanes that they can make); its one endpoint is registered, and nothing listens there. When "
    "the bridge has them all in their lanes and the log is trimmed, `bytesPerDelivery` is the "
    "growth of the store's used_memory (INFO) by each: event, lane, and the place in the feed. "
    "Then they wait, with nothing else to do; then the healthy endpoint is measured beside them. "
    "`bytesPerFurtherEndpoint` is by how much more the store grows for each event of a tenth as "
    f"many orders if the partner has {_MORE} dead endpoints, by each beyond the first."
)


async def run(sizes: Sizes) -> dict[str, Any]:
    result = await _watched(sizes)
    few = max(1, sizes.waiting // _PART)
    one, more = [await _grown(few, endpoints) for endpoints in (1, _MORE)]
    result["bytesPerFurtherEndpoint"] = round((more - one) / few / (_MORE - 1))
    turns = [result["alone"], result["beside"]]
    alone, beside = (each["ms"]["p99"] for each in turns)
    ratio = round(beside / alone, 2)
    amiss = sum(each["lost"] + each["outOfOrder"] + each["refused"] for each in turns)
    return report(
        "backlog",
        f"{sizes.waiting} deliveries of as many orders wait for one dead endpoint",
        _METHOD,
        [result],
        {
            f"p99 beside / p99 alone <= {_RATIO}": (ratio, ratio <= _RATIO),
            "lost, out of order or refused == 0": (amiss, amiss == 0),
        },
        durability="everysec",
    )


async def _watched(sizes: Sizes) -> dict[str, Any]:
    async with Receiver() as receiver, opened() as scene:
        well = Well(scene, receiver, await scene.hub(), callbacks=False)
        await well.register()
        await scene.bridge()
        alone, _ = await well.measured(sizes.beside, sizes.seconds)
        with dead_origin() as dead:
            resident, stored = [scene.resident()], await scene.store_bytes()
            await _pile_up(scene, sizes.waiting, [dead])
            resident.append(scene.resident())
            grown = await scene.store_bytes() - stored
            waiting = await _waited(scene, sizes.hold)
            beside, _ = await well.measured(sizes.beside, sizes.seconds)
        names = ("before", "whenAllWait", "atTheEnd")
        return {
            "waiting": sizes.waiting,
            "bytesPerDelivery": round(grown / sizes.waiting),
            "residentKib": dict(zip(names, (*resident, scene.resident()), strict=True)),
            "busyWhileWaiting": waiting,
            "alone": alone,
            "beside": beside,
        }


async def _waited(scene: Scene, seconds: float) -> dict[str, float]:
    """The share of a core that each process takes meanwhile."""
    span = Span(scene.processes)
    await asyncio.sleep(seconds)
    return span.end().busy


async def _grown(orders: int, endpoints: int) -> int:
    """Bytes in the store, of the first event of so many orders at so many dead endpoints."""
    async with opened() as scene:
        await scene.bridge()
        with dead_origin() as dead:
            before = await scene.store_bytes()
            await _pile_up(scene, orders, [dead] * endpoints)
            return await scene.store_bytes() - before


async def _pile_up(scene: Scene, orders: int, origins: list[str]) -> None:
    for origin in origins:
        await scene.register("late", f"{origin}/hook")
    await fill(scene.connection, [f"ord_{number:06d}" for number in range(orders)], 1, "late")
    await scene.read_through()
