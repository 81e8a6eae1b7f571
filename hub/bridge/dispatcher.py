"""Claims what is due in the bridge's partitions and sees each attempt through."""

import asyncio
import time
from collections import defaultdict
from typing import Final

import structlog

from hub.bridge import metrics
from hub.bridge.attempts import Attempts
from hub.bridge.turns import Turns, origin_of
from hub.errors import UnavailableError
from hub.store.lanes import Claim, Claims, Lanes, Settlement, StaleClaimError

__all__ = ["Dispatcher"]

_AT_ONCE: Final = 4
"""Partitions asked at the same time; each may take its part of the turns that are free."""

_ASLEEP_MAX: Final = 1000
"""Full queues of one origin that are remembered, to be woken by the next free turn; the store
looks at the others again by itself, only later."""

_SETTLE_PAUSE: Final = 0.25
_log: Final = structlog.get_logger("hub.bridge")


class Dispatcher:
    """`poke` says that a partition may have something due; `step` claims and starts attempts.

    `lease`: seconds that a claim is ours; `longest`: seconds that an attempt may take.
    """

    def __init__(
        self, lanes: Lanes, attempts: Attempts, turns: Turns, *, lease: float, longest: float
    ) -> None:
        self._lanes = lanes
        self._attempts = attempts
        self._lease = lease
        self._longest = longest
        self._turns = turns
        self._mine: frozenset[int] = frozenset()
        self._due: dict[int, float] = {}  # partition -> when to ask it, on the loop's clock
        self._asleep: dict[str, dict[tuple[int, str], None]] = {}  # by origin, or by queue
        self._awake: defaultdict[int, set[str]] = defaultdict(set)  # full queues with turns again
        self._tasks: set[asyncio.Task[None]] = set()
        self._claiming: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def poke(self, partition: int, after: float = 0.0) -> None:
        """Ask the partition in `after` seconds, or sooner if that was already the plan."""
        at = time.monotonic() + after
        if partition in self._mine and at < self._due.get(partition, float("inf")):
            self._due[partition] = at
            self._changed.set()

    def work(self, partitions: frozenset[int]) -> None:
        """Look after these from now on and after no others; what is under way goes on."""
        self._mine = partitions
        for partition in self._due.keys() - partitions:
            del self._due[partition]
        for partition in self._awake.keys() - partitions:
            del self._awake[partition]

    async def step(self) -> None:
        """Wait until something is due and there are turns for it, then start the attempts."""
        while not (now_due := self._now_due()) or not self._turns.free:
            await self._wait()
        for partition in now_due:
            self._due.pop(partition)
        try:
            while now_due and self._turns.free:
                chunk, now_due = now_due[:_AT_ONCE], now_due[_AT_ONCE:]
                # Shielded: what is claimed when we are stopped is to be delivered, not dropped.
                self._claiming = asyncio.create_task(self._claim(chunk))
                await asyncio.shield(self._claiming)
        finally:
            for partition in now_due:
                self.poke(partition)

    async def drain(self, grace: float) -> None:
        """Let what is under way end, for `grace` seconds; the leases of the rest pass."""
        await asyncio.gather(*filter(None, [self._claiming]), return_exceptions=True)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _now_due(self) -> list[int]:
        now = time.monotonic()
        return [partition for partition, at in self._due.items() if at <= now]

    async def _wait(self) -> None:
        """Until a poke, a turn given back, or the time of the next due partition."""
        self._changed.clear()
        soonest = min(self._due.values(), default=None) if self._turns.free else None
        wait = None if soonest is None else max(0.0, soonest - time.monotonic())
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _claim(self, partitions: list[int]) -> None:
        room, asked = self._turns.room(len(partitions)), time.monotonic()
        found = await asyncio.gather(
            *(
                self._lanes.claim(each, self._lease, room, sorted(self._awake.pop(each, ())))
                for each in partitions
            ),
            return_exceptions=True,
        )
        failure: BaseException | None = None
        for partition, claims in zip(partitions, found, strict=True):
            if isinstance(claims, BaseException):
                failure = claims
                self.poke(partition)
            else:
                self._take(partition, claims, asked + self._lease)
        if failure is not None:
            raise failure

    def _take(self, partition: int, claims: Claims, until: float) -> None:
        for queue in claims.more:
            asleep = self._asleep.setdefault(origin_of(queue) or queue, {})
            if len(asleep) < _ASLEEP_MAX:
                asleep[partition, queue] = None
        if claims.wait is not None:
            self.poke(partition, claims.wait)
        for claim in claims.items:
            self._start(claim, until)

    def _start(self, claim: Claim, until: float) -> None:
        self._turns.take(claim.queue)
        metrics.IN_FLIGHT.set(self._turns.taken)
        task = asyncio.create_task(self._see_through(claim, until))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._end(done, claim.queue))

    def _end(self, task: asyncio.Task[None], queue: str) -> None:
        self._tasks.discard(task)
        self._turns.give(queue)
        metrics.IN_FLIGHT.set(self._turns.taken)
        self._wake(origin_of(queue) or queue)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("attempt broke off", exc_info=error)

    def _wake(self, owner: str) -> None:
        """A turn is free: let the queue that has waited for it longest have it."""
        asleep = self._asleep.pop(owner, {})
        while asleep:
            partition, queue = next(iter(asleep))
            del asleep[partition, queue]
            if partition in self._mine:
                self._awake[partition].add(queue)
                self.poke(partition)
                break
        if asleep:
            self._asleep[owner] = asleep

    async def _see_through(self, claim: Claim, until: float) -> None:
        """`until`, on the loop's clock: the end of the lease."""
        try:
            settlement = await self._attempts.make(claim, until - self._longest)
            wait = await self._settle(claim, settlement, until)
        except UnavailableError as error:
            _log.warning(
                "attempt not settled, it will be made again",
                order_id=claim.order_id,
                delivery_id=claim.delivery_id,
                error=str(error),
            )
        except StaleClaimError:
            _log.warning("lease lost", order_id=claim.order_id, delivery_id=claim.delivery_id)
        else:
            if wait is not None:
                self.poke(claim.partition, wait)
            return
        self.poke(claim.partition, max(0.0, until - time.monotonic()))

    async def _settle(self, claim: Claim, settlement: Settlement, until: float) -> float | None:
        """While the lease lasts it is worth trying: what is not settled is sent twice."""
        while True:
            try:
                return await self._lanes.settle(claim, settlement)
            except UnavailableError:
                if time.monotonic() + _SETTLE_PAUSE >= until:
                    raise
                await asyncio.sleep(_SETTLE_PAUSE)
