"""Fires deadlines. Any number of workers may: a claim keeps the others away for a second, and
the order's own revision lets one win.
"""

import asyncio
import random
from typing import Final

import structlog

from hub.errors import OrdercastError, UnavailableError
from hub.services.exceptions import Exceptions
from hub.store.deadlines import Claimed, DeadlineStore
from hub.store.keys import PARTITIONS

__all__ = ["Deadlines"]

_AT_ONCE: Final = 8
"""Partitions. What is claimed at a time must be fired well within its lease."""

_BATCH: Final = 32

log = structlog.get_logger("hub.worker")


class Deadlines:
    """A duty of every worker."""

    pace = 0.25

    def __init__(self, store: DeadlineStore, exceptions: Exceptions) -> None:
        self._store = store
        self._exceptions = exceptions

    async def step(self) -> None:
        """Fire what has come, in all partitions; each worker goes its own way through them."""
        waiting = random.sample(range(PARTITIONS), PARTITIONS)

        async def work() -> None:
            while waiting:
                await self._fire_all(waiting.pop())

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _fire_all(self, partition: int) -> None:
        while True:
            claimed = await self._store.claim(partition, _BATCH)
            await asyncio.gather(*map(self._fire, claimed))
            if len(claimed) < _BATCH:
                return

    async def _fire(self, claimed: Claimed) -> None:
        try:
            fired = await self._exceptions.expire(claimed.order_id, claimed.deadline)
        except UnavailableError:
            raise
        except OrdercastError as error:
            log.error("deadline not fired", order=claimed.order_id, error=str(error))
            return
        if fired:
            log.info("deadline fired", order=claimed.order_id, deadline=claimed.deadline)
        else:
            await self._store.forget(claimed)
