"""One kill after the other, under load, and what became of every delivery meanwhile."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from bench.webhooks.child import STEPS
from bench.webhooks.log import STEPS as EVENTS
from bench.webhooks.log import Event, append
from bench.webhooks.pairs import Pair, pair
from bench.webhooks.receiver import Receiver
from bench.webhooks.scene import Scene, opened, until
from bench.webhooks.well import FIRST
from hub.errors import UnavailableError
from hub.store.keys import PARTITIONS
from hub.store.lanes import Lanes
from hub.tasks import end

__all__ = ["KINDS", "STORE", "Kills", "Outcome", "opened_kills"]

STORE: Final = "store"
KINDS: Final = (*STEPS, STORE)
_TICK: Final = 0.02
_NEW_ORDERS: Final = 1
"""Placed in each tick; each goes one event further in each."""

_DELIVERIES: Final = 2 * len(EVENTS)
"""Of an order: its events at the endpoint, its changes and its confirmation at its own URL."""

_SLOWEST: Final = 0.03
"""Seconds that the partner's server takes for an answer, at most: some are always under way."""

_LATEST: Final = 40
_AFTER: Final = 40
_WITHIN: Final = 15.0
"""Seconds without any delivery after which what has not come is lost."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one kill did. `at`: the delivery at which it happened, and `again` whether it came
    again; of the store's there is none.
    """

    kind: str
    at: str
    again: bool
    deliveries: int
    lost: int
    counts: dict[str, int]


class Kills:
    """Everything that was under way at one kill is through before the next."""

    def __init__(self, scene: Scene, receiver: Receiver, bridges: Pair, seed: int) -> None:
        self._scene = scene
        self._receiver = receiver
        self._bridges = bridges
        self._chance = random.Random(seed)
        self._lanes = Lanes(scene.connection)
        self._rounds = 0
        self.waiting = 0
        """Rounds at whose end something was still waiting."""

    async def one(self, kind: str) -> Outcome:
        tally = self._receiver.tally
        before, accepted = tally.counts(), tally.accepted
        feed = _Feed(self._scene, f"{self._receiver.origin}/orders", self._rounds)
        self._rounds += 1
        feeding = asyncio.create_task(feed.run())
        at = await (self._kill_store() if kind == STORE else self._kill_bridge(kind))
        await self._receiver.accepted(tally.accepted + _AFTER)
        feed.stop()
        await feeding
        expected = accepted + feed.orders * _DELIVERIES
        await self._receiver.accepted(expected, _WITHIN)
        self.waiting += not await until(self._through, _WITHIN)
        return Outcome(
            kind,
            at,
            tally.repeated[at] > 0,
            feed.orders * _DELIVERIES,
            expected - tally.accepted,
            {name: now - before[name] for name, now in tally.counts().items()},
        )

    async def _kill_bridge(self, step: str) -> str:
        victim = self._chance.choice(self._bridges.working)
        victim.say(f"{step} {self._chance.randint(1, _LATEST)}")
        at = await victim.ended()
        await self._bridges.replace(victim)
        return at

    async def _kill_store(self) -> str:
        """Some way into the load; it is started again by who keeps it."""
        await self._receiver.accepted(
            self._receiver.tally.accepted + self._chance.randint(1, 2 * _LATEST)
        )
        pid = self._scene.store.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        async def replaced() -> bool:
            return self._scene.store.pid != pid

        await until(replaced, _WITHIN)
        return ""

    async def _through(self) -> bool:
        """Whether no lane has anything left."""
        try:
            return not await self._lanes.next_due(range(PARTITIONS))
        except UnavailableError:
            return False


class _Feed:
    """Orders one after the other, each with its events in ticks of their own, until stopped."""

    def __init__(self, scene: Scene, url: str, number: int) -> None:
        self.orders = 0
        self._scene = scene
        self._url = url
        self._number = number
        self._open: list[tuple[str, int]] = []
        self._stopped = False

    def stop(self) -> None:
        """Place no more; those that are under way are seen through."""
        self._stopped = True

    async def run(self) -> None:
        while not self._stopped or self._open:
            if not self._stopped:
                self._open += [(self._name(), 1) for _ in range(_NEW_ORDERS)]
            await self._append([Event(o, seq, "well", self._url) for o, seq in self._open])
            self._open = [(o, seq + 1) for o, seq in self._open if seq < len(EVENTS)]
            await asyncio.sleep(_TICK)

    def _name(self) -> str:
        self.orders += 1
        return f"ord_{self._number:04d}_{self.orders:05d}"

    async def _append(self, events: list[Event]) -> None:
        """Again until it is answered: what is told of twice is enqueued once."""
        while True:
            with contextlib.suppress(UnavailableError):
                return await append(self._scene.connection, events)
            await asyncio.sleep(_TICK)


@contextlib.asynccontextmanager
async def opened_kills(seed: int) -> AsyncIterator[Kills]:
    """Two bridges, a partner's server, and a store that is started again when it ends."""
    async with Receiver(FIRST) as receiver, opened() as scene:
        await scene.register("well", f"{receiver.origin}/hook")
        keeping = asyncio.create_task(scene.store.keep())
        try:
            async with pair(scene.directory) as bridges:
                receiver.end = bridges.kill
                receiver.pause = lambda: _SLOWEST * random.random()
                yield Kills(scene, receiver, bridges, seed)
        finally:
            await end([keeping])
