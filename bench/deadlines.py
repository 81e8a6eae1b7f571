"""`python -m bench.deadlines`: does every deadline fire once, and when, while workers die?

Orders that are not paid wait in a real store; worker processes fire their deadlines, and one of
them is killed by SIGKILL every so often and started again. Prints one JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from bench.machine import machine
from hub.core.orders.deadlines import Deadline
from hub.core.orders.order import place
from hub.demo.checks import percentile
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore, die_with_parent
from hub.store.keys import PARTITIONS, tag
from hub.store.orders import OrderStore
from hub.tasks import end
from schemas.lifecycle import Role, Status
from schemas.orders import Actor
from schemas.times import parse_time

__all__ = ["main"]

_AT_ONCE: Final = 200
_PLATFORM: Final = Actor(role=Role.PLATFORM)
_REQUEST: Final[dict[str, Any]] = {
    "restaurantId": "res_1",
    "items": [{"itemId": "i", "name": "Noodles", "quantity": 1, "unitPriceCents": 1850}],
    "address": {"text": "1 Century Avenue", "lat": 31.2397, "lng": 121.4998},
    "paymentMethod": "WECHAT",
}
_PATIENCE: Final = 30.0
"""Seconds after the last is due in which all must have fired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    orders: int
    seconds: float
    workers: int
    kill_every: float
    seed: int


async def _fill(store: OrderStore, options: Options, first: float) -> dict[str, float]:
    """Order id to the due time of its deadline, spread evenly from `first` on."""
    due = {
        f"ord_{number}": first + options.seconds * number / options.orders
        for number in range(options.orders)
    }

    async def put(order_id: str, at: float) -> None:
        change = place(order_id, "abcdefgh", _REQUEST, "default", _PLATFORM, time.time())
        await store.commit(0, None, change, {Deadline.PAYMENT_TIMEOUT: at}, ())

    waiting = list(due.items())
    for start in range(0, len(waiting), _AT_ONCE):
        await asyncio.gather(*(put(*each) for each in waiting[start : start + _AT_ONCE]))
    return due


class _Workers:
    """Processes of `ordercast worker`, of which one at a time is killed."""

    def __init__(self, directory: Path, url: str, options: Options) -> None:
        self._directory, self._url, self._options = directory, url, options
        self._running: list[subprocess.Popen[bytes]] = []
        key = b64encode(secrets.token_bytes(32)).decode()
        (directory / "audit.key").write_text(key)
        self.kills = 0

    def start(self) -> None:
        for _ in range(self._options.workers):
            self._running.append(self._begin())

    def _begin(self) -> subprocess.Popen[bytes]:
        environment = {"ORDERCAST_SECRET": "for the bench", "ORDERCAST_REDIS_URL": self._url}
        with (self._directory / "workers.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "worker", "--data-dir", str(self._directory)],
                env={**os.environ, **environment, "ORDERCAST_LOG_LEVEL": "warning"},
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )

    async def harass(self) -> None:
        chance = random.Random(self._options.seed)
        while True:
            await asyncio.sleep(chance.uniform(0.5, 1.5) * self._options.kill_every)
            victim = self._running.pop(chance.randrange(len(self._running)))
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            self.kills += 1
            self._running.append(self._begin())

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


async def _all_fired(connection: Connection, within: float) -> bool:
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        keys = [f"{tag(partition)}deadlines" for partition in range(PARTITIONS)]
        left = sum(await asyncio.gather(*(connection.ask("ZCARD", key) for key in keys)))
        if not left:
            return True
        await asyncio.sleep(0.5)
    return False


async def _count(store: OrderStore, due: dict[str, float]) -> dict[str, Any]:
    """What the orders' own events say."""
    late, fired, repeated, missing = [], 0, 0, 0
    for order_id, at in due.items():
        reading = await store.read(order_id, "abcdefgh", 0)
        assert reading is not None
        ends = [each for each in reading.events if each["status"] == Status.CANCELLED]
        fired += len(ends) == 1
        repeated += len(ends) > 1
        missing += not ends
        late += [parse_time(each["timestamp"]) - at for each in ends]
    late.sort()
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        "firedOnce": fired,
        "firedAgain": repeated,
        "notFired": missing,
        "lateMs": {
            name: round(1000 * (percentile(late, share) or 0.0), 1)
            for name, share in shares.items()
        },
    }


@contextlib.asynccontextmanager
async def _embedded(directory: Path) -> AsyncIterator[tuple[EmbeddedStore, Connection]]:
    store = EmbeddedStore(directory)
    store.start()
    connection = Connection(store.url)
    try:
        yield store, connection
    finally:
        await connection.close()
        store.stop()


async def _run(directory: Path, options: Options) -> dict[str, Any]:
    async with _embedded(directory) as (embedded, connection):
        store = OrderStore(connection, 3600)
        workers = _Workers(directory, embedded.url, options)
        began = time.time()
        head_start = options.orders / 4000 + 10
        due = await _fill(store, options, began + head_start)
        filled = time.time() - began
        workers.start()
        killing = asyncio.create_task(workers.harass())
        try:
            left = max(due.values()) - time.time()
            await _all_fired(connection, left + _PATIENCE)
        finally:
            await end([killing])
            workers.stop()
        result = await _count(store, due)
    return {"filledInSeconds": round(filled, 1), "kills": workers.kills, **result}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.deadlines", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="over which they are due")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=3.0, help="seconds, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the result here")
    arguments = vars(parser.parse_args())
    out = arguments.pop("out")
    options = Options(**arguments)
    with (
        tempfile.TemporaryDirectory(prefix="oc") as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        result = runner.run(_run(Path(directory), options))
    report = {"workload": "deadlines", "machine": machine(), **arguments, **result}
    text = json.dumps(report, indent=2)
    print(text)
    if out is not None:
        out.write_text(text + "\n")


if __name__ == "__main__":
    main()
