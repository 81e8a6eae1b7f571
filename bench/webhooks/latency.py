"""How long a status change takes to the partner's server, at a steady rate."""

from typing import Any, Final

from bench.webhooks.receiver import Receiver
from bench.webhooks.report import report
from bench.webhooks.scene import opened
from bench.webhooks.sizes import Sizes
from bench.webhooks.well import Well

__all__ = ["METHOD", "run"]

_WANTED: Final = 100.0

METHOD: Final = (
    "A hub, a bridge and the store (append-only file on, durability everysec) share the servers' "
    "core; the generator, which is the partner's server too, has the other. Orders go from "
    "PENDING to COMPLETED over HTTP, open loop. `ms` is from the moment before a change is sent "
    "to the moment after its webhook's answer was written, `msFromAnswer` from the change's own "
    "answer: below zero where the webhook was faster. One clock. `generatorIsTheLimit`: it sent "
    "over 10 ms late at p99; then the machine was busy, and the lags are not to be quoted."
)


async def run(sizes: Sizes) -> dict[str, Any]:
    results = [await _round(sizes) for _ in range(sizes.rounds)]
    slowest = max(each["ms"]["p99"] for each in results)
    amiss = sum(each["lost"] + each["outOfOrder"] + each["refused"] for each in results)
    return report(
        "latency",
        f"status changes at {sizes.rate:g}/s in all, one endpoint",
        METHOD,
        results,
        {
            f"p99 ms < {_WANTED:g}": (slowest, slowest < _WANTED),
            "lost, out of order or refused == 0": (amiss, amiss == 0),
        },
        durability="everysec",
    )


async def _round(sizes: Sizes) -> dict[str, Any]:
    async with Receiver() as receiver, opened() as scene:
        well = Well(scene, receiver, await scene.hub(), callbacks=False)
        await well.register()
        await scene.bridge()
        told, _ = await well.measured(sizes.rate, sizes.seconds)
        return told
