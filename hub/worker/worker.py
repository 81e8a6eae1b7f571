"""Fires deadlines. Any number of workers may run: the order's own revision lets one win."""

import asyncio
import time
from typing import Final

import structlog

from hub.errors import OrdercastError, UnavailableError
from hub.orders import Orders
from hub.store.deadlines import DeadlineStore

__all__ = ["Worker"]

_PACE: Final = 0.5
_AWAY: Final = 1.0

log = structlog.get_logger("hub.worker")


class Worker:
    def __init__(self, deadlines: DeadlineStore, orders: Orders) -> None:
        self._deadlines = deadlines
        self._orders = orders

    async def run(self) -> None:
        """Until cancelled. While the store is away it waits; nothing due is lost by that."""
        while True:
            try:
                await self._fire_due()
                await asyncio.sleep(_PACE)
            except UnavailableError as error:
                log.warning("store away", error=str(error))
                await asyncio.sleep(_AWAY)

    async def _fire_due(self) -> None:
        for order_id, code in await self._deadlines.due(time.time()):
            try:
                changed = await self._orders.expire(order_id, code)
            except UnavailableError:
                raise
            except OrdercastError as error:
                log.error("deadline not fired", order=order_id, code=code, error=str(error))
                continue
            if changed is None or not changed.applied:
                await self._deadlines.forget(order_id, code)
            else:
                log.info("deadline fired", order=order_id, code=code)
