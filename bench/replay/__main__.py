"""Replay true orders and trips through two hubs: `python -m bench.replay --orders 2000 --speed 60`.

Prints one JSON object; exit status 1 if an event was lost, skipped or repeated, or an order failed.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import aiohttp
import uvloop

from bench.meters import Lateness, cpu_seconds, percentiles
from bench.replay.lives import Load
from bench.replay.sockets import Tally
from bench.replay.trace import DataError, OrderTrace, load
from hub.demo.children import running
from hub.services.tokens import Tokens
from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role

__all__ = ["main"]

_DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
_PROGRESS: Final = 10.0
_AT_ONCE: Final = 32
_BUSY: Final = 0.85
"""The share of a core from which on the generator itself is the limit."""

_LATE: Final = 10.0
"""So many milliseconds late at p99, or more, it is the limit too, or the machine is."""


async def replay(traces: Sequence[OrderTrace], speed: float) -> dict[str, Any]:
    async with _hubs() as (hub_a, hub_b, issue, pids):
        pids = {**pids, "generator": os.getpid()}
        async with aiohttp.ClientSession(connector=_pool()) as http:
            on = Load(hub_a, hub_b, issue, http, speed, Tally(), {})
            lateness, before, start = Lateness(), cpu_seconds(pids), perf_counter()
            await _lives(on, traces, lateness)
            wall, after = perf_counter() - start, cpu_seconds(pids)
            stored = await _stored(on)
    cpu = {name: after[name] - before[name] for name in pids}
    return _report(on, stored, cpu, wall, lateness)


def _pool() -> aiohttp.TCPConnector:
    """Idle connections are given up before the hub does, which would break a request off."""
    return aiohttp.TCPConnector(limit=128, keepalive_timeout=2)


@contextlib.asynccontextmanager
async def _hubs() -> AsyncIterator[tuple[str, str, Any, dict[str, int]]]:
    """A store and two hubs on it, as processes; with them, what issues tokens, and their ids."""
    directory = Path(tempfile.mkdtemp(prefix="ocb"))
    secret = secrets.token_urlsafe(32)
    (directory / "secret").write_text(secret)
    store = EmbeddedStore(directory)
    store.start()
    flags = ("--data-dir", str(directory), "--port", "0", "--log-level", "warning")
    log = directory / "hubs.log"
    try:
        async with (
            running(log, "serve", *flags, "--drain-seconds", "1") as hub_a,
            running(log, "serve", *flags, "--drain-seconds", "1") as hub_b,
        ):
            assert store.pid is not None
            pids = {"hubA": hub_a.pid, "hubB": hub_b.pid, "store": store.pid}
            yield hub_a.url, hub_b.url, Tokens(secret).issue, pids
    finally:
        store.stop()
        sys.stderr.write(log.read_text()[-2000:])
        shutil.rmtree(directory, ignore_errors=True)


async def _lives(on: Load, traces: Sequence[OrderTrace], lateness: Lateness) -> None:
    """Until the last order's stream has ended: then all queues are empty."""
    beside = [asyncio.create_task(lateness.watch()), asyncio.create_task(_tell_progress(on))]
    gc.collect()
    gc.disable()  # a full collection would stop the generator, and look like lag
    try:
        await asyncio.gather(*(on.live(number, trace) for number, trace in enumerate(traces)))
    finally:
        gc.enable()
        for task in beside:
            task.cancel()


async def _tell_progress(on: Load) -> None:
    while True:
        await asyncio.sleep(_PROGRESS)
        done = sum(customer.finished.is_set() for customer in on.placed.values())
        tally = on.tally
        sys.stderr.write(
            f"{len(on.placed)} orders placed, {done} finished, {tally.fixes} fixes,"
            f" {tally.events} events and {tally.positions} positions received\n"
        )


async def _stored(on: Load) -> dict[str, int]:
    """How many events the store holds of each order."""
    token = on.issue(Role.PLATFORM, ttl=3600.0, sub="replay")
    headers = {"Authorization": f"Bearer {token}"}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(order_id: str) -> int:
        url = f"{on.hub_a}/v1/orders/{order_id}/events"
        async with gate, on.http.get(url, headers=headers) as response:
            return len((await response.json())["events"])

    return dict(zip(on.placed, await asyncio.gather(*map(read, on.placed)), strict=True))


def _report(
    on: Load, stored: dict[str, int], cpu: dict[str, float], wall: float, lateness: Lateness
) -> dict[str, Any]:
    tally = on.tally
    deliveries = tally.events + tally.positions
    late = percentiles(lateness.seconds)
    share = cpu["generator"] / wall
    return {
        "orders": len(stored),
        "speed": on.speed,
        "seconds": round(wall, 1),
        "events": {
            "stored": sum(stored.values()),
            "received": tally.events,
            "inFirstSnapshots": tally.covered,
        },
        "fixes": {
            "sent": tally.fixes,
            "messages": tally.messages,
            "taken": tally.fixes - tally.rejected.total() - tally.unacked,
            "rejected": dict(tally.rejected),
            "positionsReceived": tally.positions,
        },
        "deliveries": deliveries,
        "lost": sum(max(0, stored[one] - customer.seq) for one, customer in on.placed.items()),
        "holes": tally.holes,
        "repeats": tally.repeats,
        "lagMs": _lags(tally),
        "cpuMicrosecondsPerDelivery": {
            name: round(seconds / max(1, deliveries) * 1e6, 1) for name, seconds in cpu.items()
        },
        "cpuShareOfACore": {name: round(seconds / wall, 3) for name, seconds in cpu.items()},
        "generatorIsTheLimit": share > _BUSY or late.get("p99", 0.0) > _LATE,
        "generatorLateMs": late,
        "unexpected": dict(tally.unexpected),
        "failures": tally.failures[:20],
    }


def _lags(tally: Tally) -> dict[str, Any]:
    """From `send` to `receive`; a status change is sent when its request is."""
    events = [lag for lags in tally.event_lags.values() for lag in lags]
    return {
        "events": percentiles(events),
        "positions": percentiles(tally.position_lags),
        "all": percentiles(events + tally.position_lags),
        "byEvent": {kind: percentiles(lags) for kind, lags in sorted(tally.event_lags.items())},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Replay true orders and trips through two hubs.")
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--speed", type=float, default=60, help="times faster than recorded (60)")
    parser.add_argument("--data", type=Path, default=_DATA, help="directory of the recordings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="on one line")
    given = parser.parse_args(arguments)
    try:
        traces = load(given.data, given.orders, given.seed)
    except DataError as error:
        sys.exit(f"bench.replay: {error}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(replay(traces, given.speed))
    print(json.dumps(report, indent=None if given.json else 2))
    broken = report["lost"] or report["holes"] or report["repeats"] or report["failures"]
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
