"""The webhook bridge: four loops over one store, any number of bridges beside each other."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex
from typing import Final

import structlog

from hub.bridge import metrics
from hub.bridge.addresses import AddressGuard
from hub.bridge.attempts import Attempts, Pace
from hub.bridge.circuits import Circuits
from hub.bridge.dispatcher import Dispatcher
from hub.bridge.failing import Failing
from hub.bridge.log import LogReader
from hub.bridge.members import BEAT, Members
from hub.bridge.sender import Sender, Timeouts
from hub.bridge.turns import Turns
from hub.errors import UnavailableError
from hub.store.bridges import Bridges
from hub.store.connection import Connection
from hub.store.endpoints import EndpointStore
from hub.store.feed import FeedStore
from hub.store.lanes import KEEP_DELIVERED, Lanes
from hub.tasks import end

__all__ = ["Bridge"]

CONCURRENCY: Final = 1024
LEASE_MARGIN: Final = 8.0
GRACE: Final = 3.0
_BLOCK: Final = 2.0  # below the time after which the store's connection counts a command as lost
_POLL: Final = 0.1
_GATHER: Final = 0.010
_SWEEP: Final = 1.0
_TRIM_EVERY: Final = 5
"""Sweeps."""

_BACK_OFF: Final = (0.1, 0.2, 0.5, 1.0)
_log: Final = structlog.get_logger("hub.bridge")


class Bridge:
    """Delivers the log's events until it is stopped, through every absence of the store.

    `pace` and `timeouts` are for tests; the contract names the values.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        guard: AddressGuard,
        concurrency: int = CONCURRENCY,
        name: str | None = None,
        timeouts: Timeouts | None = None,
        lease: float | None = None,
        pace: Pace | None = None,
        keep: float = KEEP_DELIVERED / 1000,
        noted: bool = False,
    ) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"
        timeouts, pace = timeouts or Timeouts(), pace or Pace()
        lease = timeouts.total + LEASE_MARGIN if lease is None else lease
        self._cluster = connection.cluster
        self._lanes = Lanes(connection, keep, noted=noted)
        endpoints, feed = EndpointStore(connection), FeedStore(connection)
        self._bridges = bridges = Bridges(connection)
        self._members = Members(bridges, self.name)
        self._reader = LogReader(connection, self._lanes, endpoints, feed)
        self._sender = Sender(guard, timeouts)
        self._circuits = Circuits(bridges, lease, pace.scale)
        self._failing = Failing(bridges, endpoints, self._lanes, feed, pace.scale)
        turns = Turns(concurrency)
        self._attempts = Attempts(
            endpoints, self._sender, self._circuits, self._failing, turns, pace
        )
        self._dispatcher = Dispatcher(
            self._lanes,
            self._attempts,
            turns,
            lease=lease,
            longest=min(timeouts.total, lease / 2),
        )
        self._sweeps = 0
        self._changed: set[int] = set()
        """Partitions that others may have worked meanwhile."""
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Works until `stop`; cancelled, it leaves what is under way to its lease."""
        async with self._sender:
            loops = [
                asyncio.create_task(self._forever(step), name=f"bridge-{step.__name__}")
                for step in (self._beat, self._read, self._dispatcher.step, self._sweep)
            ]
            try:
                await self._stopping.wait()
                await end(loops)
                with suppress(UnavailableError):
                    await self._members.leave()
                await self._dispatcher.drain(GRACE)
            finally:
                await end(loops)
                await self._dispatcher.drain(0)
                self._reader.close()

    async def stop(self) -> None:
        """Claim nothing more; `run` ends after what is under way has."""
        self._stopping.set()

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """A loop that nothing ends: it backs off while the store is away, and from a bug too."""
        failures = 0
        while True:
            try:
                await step()
                if failures:
                    _log.info("bridge recovered", loop=step.__name__)
                failures = 0
                continue
            except UnavailableError as error:
                if not failures:
                    _log.warning("the store is away", loop=step.__name__, error=str(error))
            except Exception:
                _log.exception("bridge loop failed", loop=step.__name__)
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1

    async def _beat(self) -> None:
        before = self._members.mine
        asked = time.monotonic()
        common = await self._members.beat()
        self._circuits.learn(common.circuits, asked)
        self._failing.learn(common.failing)
        gained, lost = self._members.mine - before, before - self._members.mine
        if gained or lost:
            _log.info("partitions divided", bridge=self.name, mine=len(self._members.mine))
            self._changed |= gained | lost
            self._dispatcher.work(self._members.mine)
            for partition in gained:
                self._dispatcher.poke(partition)
        await asyncio.sleep(BEAT)

    async def _read(self) -> None:
        changed, self._changed = self._changed, set()
        self._reader.forget(changed)
        mine = self._members.mine
        if not mine:
            await asyncio.sleep(_POLL)
            return
        found = await self._reader.read(mine, _POLL if self._cluster else _BLOCK)
        await self._reader.expand(found, self._dispatcher.poke)
        # To wait at 128 logs costs the store more than an entry does: let some more come.
        await asyncio.sleep(_GATHER)

    async def _sweep(self) -> None:
        """What no poke told of: leases of the dead, and replays asked of a hub."""
        mine = sorted(self._members.mine)
        due = await self._lanes.next_due(mine) if mine else {}
        now = time.time()
        for partition, at in due.items():
            if at < now + _SWEEP:
                self._dispatcher.poke(partition, max(0.0, at - now))
        metrics.OVERDUE.set(max((now - at for at in due.values() if at < now), default=0.0))
        self._sweeps += 1
        if self._sweeps % _TRIM_EVERY == 0:
            await self._reader.trim()
        if acks := self._attempts.acks():
            await self._bridges.count(acks, now)
        await asyncio.sleep(_SWEEP)
