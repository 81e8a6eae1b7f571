"""A store of its own with a hub's parts on it, orders, and the audit log over them."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from hub.app import Hub
from hub.core.audit.heads import Signer
from hub.core.callers.claims import Claims
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.log import Log
from hub.worker.audit import Auditor
from hub.worker.keys import Keys
from schemas.lifecycle import Role, Status
from schemas.orders import OrderRequest, OrderStatusUpdate
from schemas.wire import dumps, loads

__all__ = ["EVENTS", "KEY", "Scene", "scene"]

KEY: Final = Signer.read("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA")
EVENTS: Final = 7
"""Of each order, a rider's assignment among them."""

_PLATFORM: Final = Claims(role=Role.PLATFORM, sub="shop", expires=float("inf"))
_STEPS: Final = (Status.CONFIRMED, Status.PREPARING, Status.ON_DELIVERY, Status.COMPLETED)
_AT_ONCE: Final = 64


class Scene:
    def __init__(self, store: EmbeddedStore, hub: Hub, log: Log) -> None:
        self.store = store
        self.hub = hub
        self.connection = hub.connection
        self.auditor = Auditor(log, hub.audit_store, Keys(KEY), 0.0)

    async def orders(self, count: int) -> list[str]:
        """So many finished orders, in groups with a head after each; their ids."""
        ids: list[str] = []
        while len(ids) < count:
            group = min(1000, -(-count // 4), count - len(ids))
            turns = asyncio.Semaphore(_AT_ONCE)
            ids += await asyncio.gather(*(self._order(turns, len(ids) + n) for n in range(group)))
            await self.auditor.step()
        return ids

    async def _order(self, turns: asyncio.Semaphore, number: int) -> str:
        async with turns:
            request = OrderRequest.read(
                {
                    "restaurantId": f"res_{number % 50}",
                    "items": [
                        {"itemId": "i", "name": "Tofu", "quantity": 1, "unitPriceCents": 3200}
                    ],
                    "address": {"text": "1 Century Avenue", "lat": 31.2397, "lng": 121.4998},
                    "paymentMethod": "CASH",
                }
            )
            orders = self.hub.orders
            placed = await orders.place(request, _PLATFORM, f"{number:020x}")
            order_id = placed.state.order_id
            await orders.assign_rider(order_id, f"rid_{number % 300}", _PLATFORM)
            for status in _STEPS:
                update = OrderStatusUpdate(status=status, timestamp=time.time(), estimated_time=20)
                await orders.change_status(order_id, update, _PLATFORM)
                if status is Status.PREPARING:
                    await orders.mark_ready(order_id, _PLATFORM)
            return order_id

    async def proof(self, order_id: str, since: int | None = None) -> dict[str, Any]:
        """As a hub answers it."""
        answered = await self.hub.audit.proof(order_id, _PLATFORM, since)
        told: dict[str, Any] = loads(dumps(answered))
        return told


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="oc") as directory:
        store = EmbeddedStore(Path(directory))
        store.start()
        connection = Connection(store.url)
        log = Log(connection, "audit")
        try:
            hub = Hub(Settings.load(secret="of the bench"), connection)
            yield Scene(store, hub, log)
        finally:
            log.close()
            await connection.close()
            store.stop()
