"""Erasing a customer's personal data: asked for by a hub, done by the worker, kept across kills."""

import asyncio
import time
from typing import Any, Final

from hub.core.privacy.erasure import (
    erased_event,
    erased_order,
    erased_payload,
    erased_record,
    erased_state,
)
from hub.errors import ConflictError, NotFoundError
from hub.store.connection import Connection
from hub.store.customers import CustomerIndex, Erasures, Job
from hub.store.orders import OrderStore
from hub.store.remains import Remains
from schemas.customers import Erasure, ErasureState, ErasureWait
from schemas.wire import dumps, loads_own

__all__ = ["Customers"]

_AT_ONCE: Final = 64
_NAMED: Final = 100
"""Orders that a refusal names."""


class Customers:
    """All methods raise UnavailableError. `retention`: seconds that orders are kept; `warehouse`:
    whether there is one to erase from.
    """

    def __init__(
        self, connection: Connection, orders: OrderStore, retention: int, *, warehouse: bool
    ) -> None:
        self._orders = orders
        self._index = CustomerIndex(connection, retention)
        self._erasures = Erasures(connection)
        self._remains = Remains(connection)
        self._warehouse = warehouse

    async def erase(self, customer_id: str) -> Erasure:
        """Have all of a customer's orders erased. Raises ConflictError while one is under way."""
        orders = await self._index.of(customer_id)
        live: list[str] = []
        for start in range(0, len(orders), _AT_ONCE):
            stored = await asyncio.gather(
                *(self._orders.load(each) for each in orders[start : start + _AT_ONCE])
            )
            live += [each.state.order_id for each in stored if each and not each.state.final]
        if live:
            named = ", ".join(live[:_NAMED])
            raise ConflictError(f"not finished yet: {named}", orders=live[:_NAMED])
        job = Job(customer_id, time.time(), tuple(orders), written=not self._warehouse)
        await self._erasures.request(job)
        return _shown(job)

    async def look(self, customer_id: str) -> Erasure:
        """Raises NotFoundError where none was asked for, or it is long done."""
        job = await self._erasures.find(customer_id)
        if job is None:
            raise NotFoundError(f"no erasure of {customer_id}")
        return _shown(job)

    async def work(self) -> None:
        """Go on with what was asked for. What others still need, a webhook that waits, or an
        entry of the log that is not read by all, is for the next time.
        """
        for job in await self._erasures.pending():
            if not job.stored:
                await self._work(job)

    async def _work(self, job: Job) -> None:
        read_by_all = await self._remains.drop_entries(job.orders)
        left = [await self._erase_order(order_id) for order_id in job.orders]
        events = [told for told, _ in left if told is not None]
        waits = {ErasureWait.LOG: not read_by_all, ErasureWait.WEBHOOKS: any(w for _, w in left)}
        waiting = tuple(each.value for each, waits_for in waits.items() if waits_for)
        if not waiting and len(events) == len(left):
            await self._index.strike(job.customer_id, job.orders)
            await self._erasures.note(job, time.time(), stored=True, events=sum(events), waiting=())
        elif waiting != job.waiting:
            await self._erasures.note(job, time.time(), waiting=waiting)

    async def _erase_order(self, order_id: str) -> tuple[int | None, int]:
        """How many of its events told something personal, None where it has changed meanwhile;
        and how many of its webhooks still wait.
        """
        told = await self._erase_history(order_id)
        await self._remains.rewrite_answers(order_id, _erased_answer)
        return told, await self._remains.rewrite_webhooks(order_id, erased_payload)

    async def _erase_history(self, order_id: str) -> int | None:
        """What the order itself keeps."""
        stored = await self._orders.load(order_id)
        if stored is None:
            return 0
        reading = await self._orders.read(order_id, stored.state.epoch, 0)
        if reading is None:
            return 0
        events = [erased_event(each) for each in reading.events]
        state = erased_state(stored.state)
        if state != stored.state:
            operations = map(erased_record, await self._orders.operations(order_id))
            if not await self._remains.replace(stored.rev, state, events, operations):
                return None
        return sum("erased" in each for each in events)


def _erased_answer(body: bytes) -> bytes:
    """What was made, in its wire form: an order, or an exception of one."""
    told: dict[str, Any] = loads_own(body)
    if "exceptionId" in told:
        return dumps({name: each for name, each in told.items() if name != "detail"})
    return dumps(erased_order(told)) if "address" in told else body


def _shown(job: Job) -> Erasure:
    return Erasure(
        customer_id=job.customer_id,
        state=ErasureState.PENDING if job.done is None else ErasureState.DONE,
        waiting_for=_waiting(job),
        requested_at=job.requested,
        done_at=job.done,
        orders=len(job.orders),
        events=job.events,
        rows=job.rows,
    )


def _waiting(job: Job) -> list[ErasureWait]:
    if job.done is not None:
        return []
    if job.stored:
        return [ErasureWait.WAREHOUSE]
    return list(map(ErasureWait, job.waiting)) or [ErasureWait.WORKER]
