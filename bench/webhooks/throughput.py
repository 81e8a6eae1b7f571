"""How many webhooks one bridge on one core delivers, and what each costs."""

import os
from statistics import median
from typing import Any, Final

from bench.generator import quiet_collector
from bench.processes import GENERATOR_CORE
from bench.webhooks.log import STEPS, fill
from bench.webhooks.receiver import Receiver
from bench.webhooks.report import report
from bench.webhooks.scene import opened
from bench.webhooks.sizes import Sizes
from bench.webhooks.span import Span

__all__ = ["run"]

_WANTED: Final = 3_000
_RISE: Final = 20
"""The first of so many parts of the deliveries is not counted: the bridge is just starting."""

_METHOD: Final = (
    "The partitions' logs are filled first, one event of every order after the other. Then one "
    "bridge, an `ordercast bridge` process with its defaults, is started alone on a core; the "
    "store (its append-only file on, durability everysec) and the receiver share the other one. "
    "Counted from the time when a twentieth was accepted until the last was: deliveries by the "
    "clock (`perSecond`), and CPU of each process by the kernel (`perSecondOfCpu` is of the "
    "bridge's). Where the two differ by much the core was shared with something else."
)


async def run(sizes: Sizes) -> dict[str, Any]:
    results = [await _round(sizes.orders) for _ in range(sizes.rounds)]
    by_clock, by_cpu = (
        median(each[name] for each in results) for name in ("perSecond", "perSecondOfCpu")
    )
    amiss = sum(each["lost"] + each["outOfOrder"] for each in results)
    return report(
        "throughput",
        f"one endpoint, {sizes.orders} orders with {len(STEPS)} events each, one bridge",
        _METHOD,
        results,
        {
            f"deliveries a second >= {_WANTED}": (by_clock, by_clock >= _WANTED),
            f"deliveries a second of the bridge's CPU >= {_WANTED}": (by_cpu, by_cpu >= _WANTED),
            "lost or out of order == 0": (amiss, amiss == 0),
        },
        durability="everysec",
    )


async def _round(orders: int) -> dict[str, Any]:
    async with Receiver() as receiver, opened(store_core=GENERATOR_CORE) as scene:
        await scene.register("well", f"{receiver.origin}/hook")
        names = [f"ord_{number:06d}" for number in range(orders)]
        await fill(scene.connection, names, len(STEPS), "well")
        expected = orders * len(STEPS)
        async with quiet_collector():
            await scene.bridge()
            await receiver.accepted(expected // _RISE)
            first = receiver.tally.accepted
            span = Span({**scene.processes, "receiver": [os.getpid()]})
            await receiver.accepted(expected)
            span.end()
        return {
            **_costs(span, receiver.tally.accepted - first),
            "lost": expected - receiver.tally.accepted,
            **receiver.tally.counts(),
            "residentKib": scene.resident(),
        }


def _costs(span: Span, deliveries: int) -> dict[str, Any]:
    return {
        "deliveries": deliveries,
        "seconds": round(span.seconds, 2),
        "perSecond": round(deliveries / span.seconds),
        "perSecondOfCpu": round(deliveries / span.used["bridge"]),
        "cpuMicrosecondsPerDelivery": span.per(deliveries),
        "busy": span.busy,
    }
