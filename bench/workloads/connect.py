"""A customer comes: token, subscription, snapshot; or comes back, and gets 20 missed events."""

import asyncio
import os
from time import perf_counter
from typing import Any, Final, cast

from bench.generator import Line, open_all, quiet_collector
from bench.meters import cpu_seconds, percentiles, spent
from bench.ours import Ordercast
from bench.target import Dial, Target
from bench.workloads.options import Options

__all__ = ["run"]

_MISSED: Final = 20
_AT_ONCE: Final = 16
_LINGER: Final = 2.5
"""Seconds after which the hub has let go of an order that nobody watches."""


async def run(options: Options) -> dict[str, Any]:
    """Every token is new to the hub, and every order."""
    results = []
    async for name, target in options.turns():
        await target.prepare(options.orders)
        result: dict[str, Any] = {"target": name}
        numbers = range(options.orders)
        await _open(target, [target.customer(number) for number in numbers[:100]])
        result["fresh"] = await _open(target, [target.customer(number) for number in numbers])
        if name == Ordercast.name:
            hubs = cast("Ordercast", target)
            epochs = await hubs.make_events(_MISSED)
            after = ',"after":{"epoch":"%s","seq":%d}'
            dials = [
                hubs.watch(number, (after % (epochs[number][0], epochs[number][1])).encode())
                for number in numbers
            ]
            result["resumed"] = await _open(target, dials)
        results.append(result)
    return {"workload": "connect", "missed": _MISSED, "results": results}


async def _open(target: Target, dials: list[Dial]) -> dict[str, Any]:
    await asyncio.sleep(_LINGER)
    parts = {**target.processes, "generator": [os.getpid()]}
    async with quiet_collector():
        before, start = cpu_seconds(parts), perf_counter()
        lines = await open_all([(dial, _ignored) for dial in dials], target.answers, _AT_ONCE)
        wall, after = perf_counter() - start, cpu_seconds(parts)
    _close(lines)
    servers = {name: seconds for name, seconds in before.items() if name != "generator"}
    return {
        "connections": len(dials),
        "perSecond": round(len(dials) / wall),
        "ms": percentiles([line.took for line in lines]),
        "cpuMicrosecondsPerConnection": spent(servers, after, len(dials)),
        "generatorBusy": round((after["generator"] - before["generator"]) / wall, 3),
    }


def _close(lines: list[Line]) -> None:
    for line in lines:
        line.close()


def _ignored(payload: bytes) -> None:
    """Nothing is to come."""
