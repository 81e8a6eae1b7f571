"""Fires deadlines. Any number of workers may: the order's own revision lets one win."""

import time

import structlog

from hub.errors import OrdercastError, UnavailableError
from hub.orders import Orders
from hub.store.deadlines import DeadlineStore

__all__ = ["Deadlines"]

log = structlog.get_logger("hub.worker")


class Deadlines:
    """A duty of every worker."""

    pace = 0.5

    def __init__(self, store: DeadlineStore, orders: Orders) -> None:
        self._store = store
        self._orders = orders

    async def step(self) -> None:
        for order_id, code in await self._store.due(time.time()):
            try:
                changed = await self._orders.expire(order_id, code)
            except UnavailableError:
                raise
            except OrdercastError as error:
                log.error("deadline not fired", order=order_id, code=code, error=str(error))
                continue
            if changed is None or not changed.applied:
                await self._store.forget(order_id, code)
            else:
                log.info("deadline fired", order=order_id, code=code)
