"""`python -m bench NAME`: run one workload, and print it as one JSON object.

Runs on the generator's core; the servers have the other one.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import ours
from bench.generator import raise_file_limit
from bench.machine import machine
from bench.peers import PEERS
from bench.processes import GENERATOR_CORE, on_core
from bench.workloads import change, connect, day, fanout, growth, idle, orders
from bench.workloads.options import Options

__all__ = ["main"]

Workload = Callable[[Options], Awaitable[dict[str, Any]]]

WORKLOADS: Final[dict[str, Workload]] = {
    "orders": orders.run,
    "fanout": fanout.run,
    "idle": idle.run,
    "connect": connect.run,
    "change": change.run,
    "growth": growth.run,
    "day": day.run,
}
TARGETS: Final = {"ordercast": ours.launch, **PEERS}
OURS: Final = ("change", "growth", "day")
"""Workloads that no peer has: they have no orders."""


async def _run(name: str, options: Options) -> dict[str, Any]:
    report = await WORKLOADS[name](options)
    about = {"machine": machine(), "notHere": options.missing}
    return {**report, "loopStops": options.loop_stops, **about}


def _options(given: argparse.Namespace) -> Options:
    names = list(TARGETS) if given.targets == "all" else given.targets.split(",")
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        sys.exit(f"bench: no target {unknown[0]}; there are {', '.join(TARGETS)}")
    launches = {name: TARGETS[name] for name in names}
    if given.workload in OURS:
        launches = {"ordercast": ours.launch}
    elif given.workload != "fanout":
        launches.pop("bare-send", None)  # it can do nothing else
    if "ordercast" in launches:
        launches["ordercast"] = partial(ours.launch, hubs=given.hubs)
    return Options(launches, given.rounds, given.seconds, given.orders, given.sockets, given.hold)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("workload", choices=[*WORKLOADS, "all"])
    parser.add_argument("--targets", default="ordercast", help="with commas between, or `all`")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each target (2)")
    parser.add_argument("--seconds", type=float, default=4, help="length of a step (4)")
    parser.add_argument("--orders", type=int, default=2_000, help="or readers (2000)")
    parser.add_argument("--sockets", type=int, default=10_000, help="of `idle` (10000)")
    parser.add_argument("--hubs", type=int, default=2, help="of Ordercast (2)")
    parser.add_argument("--hold", type=float, default=60, help="seconds of `idle` (60)")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    given = parser.parse_args(arguments)
    if given.workload == "all":
        _all(given)
    else:
        _one(given)


def _one(given: argparse.Namespace) -> None:
    raise_file_limit()
    os.environ.pop("ORDERCAST_REDIS_URL", None)  # the bench has a store of its own
    with on_core(GENERATOR_CORE), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(given.workload, _options(given)))
    text = json.dumps(report, indent=None if given.json else 2)
    if given.out is not None:
        given.out.write_text(json.dumps(report, indent=1) + "\n")
    print(text)


def _all(given: argparse.Namespace) -> None:
    """Each workload in a process of its own, into bench/results; then the report of them."""
    results = Path(__file__).parent / "results"
    passed_on = ("--targets", given.targets, "--rounds", str(given.rounds))
    many = ("--sockets", "45000", "--hubs", "4", "--hold", "300")
    runs: dict[str, tuple[str, ...]] = {name: (name, *passed_on) for name in WORKLOADS}
    runs["idle-45000"] = ("idle", "--rounds", "1", *many)
    for name, words in runs.items():
        out = ("--out", str(results / f"{name}.json"))
        subprocess.run((sys.executable, "-m", "bench", *words, *out), check=True)
    subprocess.run((sys.executable, "-m", "bench.report"), check=True)


if __name__ == "__main__":
    main()
