"""`python -m bench.cost`: what a status change costs with everything behind it, and with nothing.

The `change` workload by turns, in one run. *off*: hubs and their store alone. *on*: the hubs note
every request for the warehouse, and a worker beside them fires deadlines, extends and signs the
audit log, learns the estimates and fills the warehouse. Prints one JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import uvloop

from bench.machine import machine
from bench.ours import Ordercast, launch
from bench.processes import GENERATOR_CORE, on_core
from bench.workloads.change import measure
from hub.demo.children import running

__all__ = ["main"]

_HOT: Final = ("hubA", "hubB", "store")
"""Whose time a change takes before its watchers have heard of it."""


@contextlib.asynccontextmanager
async def _servers(directory: Path, *, everything: bool) -> AsyncIterator[Ordercast]:
    warehouse = ("--warehouse", str(directory / "warehouse"), "--warehouse-interval", "5s")
    async with contextlib.AsyncExitStack() as stack:
        flags = warehouse if everything else ()
        target = await stack.enter_async_context(launch(directory, flags=flags))
        if everything:
            worker = await stack.enter_async_context(_worker(directory, warehouse))
            target.processes = {**target.processes, "worker": [worker]}
        yield target


@contextlib.asynccontextmanager
async def _worker(directory: Path, warehouse: tuple[str, ...]) -> AsyncIterator[int]:
    """On the other core: it has a process of its own in every deployment."""
    log = directory / "worker.log"
    (directory / "audit.key").write_text(b64encode(secrets.token_bytes(32)).decode())
    with on_core(GENERATOR_CORE):
        child = running(log, "worker", "--data-dir", str(directory), *warehouse)
    async with child as worker:
        yield worker.pid


async def _round(orders: int, *, everything: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="oc") as directory:
        async with _servers(Path(directory), everything=everything) as target:
            return await measure(target, orders)


async def _run(orders: int, rounds: int) -> dict[str, Any]:
    results: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
    for number in range(rounds):
        for name in ("off", "on") if number % 2 == 0 else ("on", "off"):
            results[name].append(await _round(orders, everything=name == "on"))
    hot = {
        name: median(sum(each["cpuMicrosecondsPerChange"][part] for part in _HOT) for each in all_)
        for name, all_ in results.items()
    }
    p50 = {name: median(each["answerMs"]["p50"] for each in all_) for name, all_ in results.items()}
    return {
        "orders": orders,
        "hotMicrosecondsPerChange": hot,
        "hotRatio": round(hot["on"] / hot["off"], 3),
        "answerP50Ms": p50,
        "results": results,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--out", type=Path, help="keep the result here")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_run(options.orders, options.rounds))
    text = json.dumps({"workload": "cost", "machine": machine(), **found}, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
