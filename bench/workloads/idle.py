"""Sockets that are open and hear nothing: what they cost to open, and to hold, in memory."""

import asyncio
import os
from time import perf_counter
from typing import Any

from bench.generator import open_all
from bench.meters import cpu_seconds, kernel_socket_kib, resident_kib, spent
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
    await target.prepare(number)
    parts, generator = target.processes, {"generator": [os.getpid()]}
    resident, kernel = resident_kib(parts), kernel_socket_kib()
    cpu, own, start = cpu_seconds(parts), cpu_seconds(generator), perf_counter()
    lines = await open_all(
        [(target.customer(order), _ignored) for order in range(number)], target.answers
    )
    opened, after = perf_counter() - start, cpu_seconds(parts)
    busy = (cpu_seconds(generator)["generator"] - own["generator"]) / opened
    held = cpu_seconds(parts)
    await asyncio.sleep(options.hold)
    grown = {name: kib - resident[name] for name, kib in resident_kib(parts).items()}
    report = {
        "opened": len(lines),
        "opensPerSecond": round(number / opened),
        "cpuMicrosecondsPerOpening": spent(cpu, after, number),
        "generatorBusy": round(busy, 3),
        "residentKibPerSocket": {name: round(kib / number, 2) for name, kib in grown.items()},
        "kernelKibOfBothEnds": kernel_socket_kib() - kernel,
        "heldSeconds": options.hold,
        "lostMeanwhile": sum(line.lost for line in lines),
        "cpuMicrosecondsPerSecondHeld": spent(held, cpu_seconds(parts), round(options.hold)),
    }
    for line in lines:
        line.close()
    return report


def _ignored(payload: bytes) -> None:
    """Nothing is to come."""
