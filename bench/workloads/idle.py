"""Sockets that are open and hear nothing: what they cost to open, and to hold, in memory."""

import asyncio
from time import perf_counter
from typing import Any

from bench.holders import Holders
from bench.meters import cpu_seconds, kernel_socket_kib, resident_kib, spent
from bench.ours import Ordercast
from bench.target import Target
from bench.workloads.options import Options

__all__ = ["run"]


async def run(options: Options) -> dict[str, Any]:
    """Each socket watches an order of its own."""
    results = []
    async for name, target in options.turns():
        results.append({"target": name, **await _hold(target, options)})
    return {"workload": "idle", "sockets": options.sockets, "results": results}


async def _hold(target: Target, options: Options) -> dict[str, Any]:
    number = options.sockets
    if isinstance(target, Ordercast):
        await target.prepare(number, riding=False)
    else:
        await target.prepare(number)
    parts, holders = target.processes, Holders(target.answers)
    resident, kernel = resident_kib(parts), kernel_socket_kib()
    cpu, start = cpu_seconds(parts), perf_counter()
    await holders.open([target.customer(order) for order in range(number)])
    opened, held = perf_counter() - start, cpu_seconds(parts)
    generator = cpu_seconds({"generator": holders.pids})["generator"] / opened
    await asyncio.sleep(options.hold)
    grown = {name: kib - resident[name] for name, kib in resident_kib(parts).items()}
    return {
        "hubs": sum(part.startswith("hub") for part in parts),
        "opensPerSecond": round(number / opened),
        "cpuMicrosecondsPerOpening": spent(cpu, held, number),
        "generatorBusy": round(generator, 3),
        "residentKibPerSocket": {
            **{name: round(kib / number, 2) for name, kib in grown.items()},
            "all": round(sum(grown.values()) / number, 2),
        },
        "kernelKibOfBothEnds": kernel_socket_kib() - kernel,
        "heldSeconds": options.hold,
        "cpuMicrosecondsPerSecondHeld": spent(held, cpu_seconds(parts), round(options.hold)),
        "lost": await holders.lost(),
    }
