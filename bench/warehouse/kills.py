"""Two workers and the store, killed one after the other under load; then rows against events."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from bench.ours import order_request
from bench.processes import SERVER_CORE, on_core
from bench.warehouse.child import STEPS
from bench.webhooks.scene import Scene, opened, until
from hub.core.callers.claims import Claims
from hub.core.warehouse import entry_of
from hub.demo.children import stop
from hub.errors import UnavailableError
from hub.store.embedded import die_with_parent
from hub.store.keys import PARTITIONS
from hub.store.log import READERS, Log
from hub.store.tails import Tail, last_of
from hub.tasks import end
from hub.worker.warehouse import READER
from schemas.lifecycle import Role, Status
from schemas.orders import OrderStatusUpdate

__all__ = ["KINDS", "Feed", "kills", "read"]

STORE: Final = "store"
ANY: Final = "any"
KINDS: Final = (*STEPS, ANY, STORE)
_STATUSES: Final = (Status.CONFIRMED, Status.PREPARING, Status.ON_DELIVERY, Status.COMPLETED)
_CLAIMS: Final = Claims(role=Role.PLATFORM, sub="bench", expires=0)
_AT_ONCE: Final = 16
_WITHIN: Final = 60.0
_LATEST: Final = 6
"""A step is met for the last time so many commits after a worker is told."""


class Feed:
    """Orders that go all their way, a few at a time, through every absence of the store."""

    def __init__(self, scene: Scene) -> None:
        self.orders: list[str] = []
        self._scene = scene
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    async def run(self) -> None:
        await asyncio.gather(*(self._run() for _ in range(_AT_ONCE)))

    async def _run(self) -> None:
        while not self._stopped:
            await self.one()
            await asyncio.sleep(0.02)

    async def one(self) -> None:
        name = secrets.token_hex(10)
        orders, request = self._scene.here.orders, order_request(len(self.orders), None)
        placed = await _again(partial(orders.place, request, _CLAIMS, name))
        self.orders.append(placed.state.order_id)
        for status in _STATUSES:
            update = OrderStatusUpdate(status=status, timestamp=time.time())
            await _again(partial(orders.change_status, placed.state.order_id, update, _CLAIMS))


async def _trim(scene: Scene) -> None:
    """As bridge and audit do that have read all: the log holds only what the warehouse needs."""
    logs = {reader: Log(scene.connection, reader) for reader in READERS}
    tail = Tail(scene.connection, "log")
    reached = dict.fromkeys(range(PARTITIONS), 0)
    while True:
        with contextlib.suppress(UnavailableError):
            found = await tail.read(reached, 1000)
            reached |= {partition: last_of(entries) for partition, entries in found.items()}
            for log in logs.values():
                await log.keep({partition: entry_of(reached[partition]) for partition in found})
            await logs[READERS[0]].trim(found)
        await asyncio.sleep(0.02)


async def _again(work: Any) -> Any:
    while True:
        with contextlib.suppress(UnavailableError):
            return await work()
        await asyncio.sleep(0.02)


class _Workers:
    """Two at a time; who dies is replaced."""

    def __init__(self, scene: Scene, root: Path) -> None:
        self._directory = scene.directory
        self._root = root
        self._log: IO[bytes] = (scene.directory / "workers.log").open("ab")
        self.running: list[Process] = []

    async def start(self) -> None:
        with on_core(SERVER_CORE):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.warehouse.child"),
                *(str(self._directory), str(self._root)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=self._log,
                preexec_fn=die_with_parent,
            )
        assert process.stdout is not None
        await process.stdout.readline()
        self.running.append(process)

    async def kill(self, step: str, chance: random.Random) -> None:
        """Both at any time; or whoever comes to a step first, while both are told."""
        if step == ANY:
            await asyncio.sleep(chance.random())
            for each in self.running:
                with contextlib.suppress(ProcessLookupError):  # it came to an earlier step
                    each.kill()
        else:
            self._tell(f"{step} {chance.randint(1, _LATEST)}")
        waits = [asyncio.create_task(each.wait()) for each in self.running]
        how = asyncio.ALL_COMPLETED if step == ANY else asyncio.FIRST_COMPLETED
        await asyncio.wait(waits, timeout=_WITHIN, return_when=how)
        await end(waits)
        dead = [each for each in self.running if each.returncode is not None]
        assert dead, f"no worker came to {step}"
        self.running = [each for each in self.running if each.returncode is None]
        self._tell("none 0")
        for _ in dead:
            await self.start()

    def _tell(self, line: str) -> None:
        for each in self.running:
            assert each.stdin is not None
            if not each.stdin.is_closing():  # the other may have come to its step as well
                each.stdin.write(f"{line}\n".encode())

    async def stop(self) -> None:
        for each in self.running:
            await stop(each)
        self._log.close()


async def kills(number: int, seed: int) -> dict[str, Any]:
    """`number` kills, each kind in turn, under load; what is in the tables afterwards."""
    chance = random.Random(seed)
    async with opened() as scene, _keeping(scene):
        root = scene.directory / "warehouse"
        workers, feed = _Workers(scene, root), Feed(scene)
        beside: list[asyncio.Task[None]] = []
        try:
            await workers.start()
            await workers.start()
            await until(lambda: _begun(scene), _WITHIN)
            feeding = asyncio.create_task(feed.run())
            beside += (feeding, asyncio.create_task(_trim(scene)))
            done: Counter[str] = Counter()
            for turn in range(number):
                kind = KINDS[turn % len(KINDS)]
                await (_kill_store(scene, chance) if kind == STORE else workers.kill(kind, chance))
                done[kind] += 1
            feed.stop()
            await feeding
            told = await _told(scene, feed.orders)
            whole = await until(lambda: _has(root, len(told)), _WITHIN)
        finally:
            await end(beside)
            await workers.stop()
        return {"kills": dict(done), **_compared(told, feed.orders, root), "inTime": whole}


async def _begun(scene: Scene) -> bool:
    """Whether the warehouse has a cursor everywhere: from then on the log waits for it."""
    return all((await Log(scene.connection, READER).cursors(range(PARTITIONS))).values())


@contextlib.asynccontextmanager
async def _keeping(scene: Scene) -> AsyncIterator[None]:
    keeping = asyncio.create_task(scene.store.keep())
    try:
        yield
    finally:
        await end([keeping])


async def _kill_store(scene: Scene, chance: random.Random) -> None:
    await asyncio.sleep(chance.random())
    pid = scene.store.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        return scene.store.pid != pid

    await until(replaced, _WITHIN)


async def _told(scene: Scene, orders: list[str]) -> list[tuple[str, int, str]]:
    """Every event that the orders have: order, seq and hash."""
    told = []
    for order_id in orders:
        reading = await scene.here.order_store.read(order_id)
        assert reading is not None
        history = await scene.here.order_store.read(order_id, reading.state.epoch, 0)
        assert history is not None
        told += [(order_id, event["seq"], event["hash"]) for event in history.events]
    return told


def read(root: Path, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
    from deltalake import DeltaTable

    found = DeltaTable(str(root / table)).to_pyarrow_table(columns=list(columns))
    return zip(*(found.column(each).to_pylist() for each in columns), strict=True)


async def _has(root: Path, number: int) -> bool:
    """Whether the tables are as long, and no longer grow in the other."""
    rows = await asyncio.to_thread(lambda: len(list(read(root, "events", "seq"))))
    if rows < number:
        return False
    await asyncio.sleep(2.0)  # what would come twice comes now
    return True


def _compared(told: list[tuple[str, int, str]], orders: list[str], root: Path) -> dict[str, Any]:
    rows = Counter(read(root, "events", "order_id", "seq", "hash"))
    ended = Counter(read(root, "orders", "order_id", "status"))
    return {
        "events": len(told),
        "rows": rows.total(),
        "missing": len(set(told) - set(rows)),
        "unknown": len(set(rows) - set(told)),
        "repeated": rows.total() - len(rows),
        "ordersFinished": len(orders),
        "orderRows": ended.total(),
        "ordersMissing": len({(each, "COMPLETED") for each in orders} - set(ended)),
        "ordersRepeated": ended.total() - len(ended),
    }
