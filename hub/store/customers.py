"""What the store knows of a customer: their orders, and erasures that were asked for.

oc:{c:<customer>}:orders    zset    order -> when it was placed (Unix ms)
oc:{c:<customer>}:erased    string  the last erasure that is done (JSON)
oc:erasures                 hash    customer -> an erasure under way (JSON)
"""

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hub.store.connection import Connection, Script
from schemas.wire import dumps, loads_own

__all__ = ["CustomerIndex", "Erasures", "Job"]

_PENDING: Final = "oc:erasures"
_KEEP_DONE: Final = 30 * 24 * 3600
"""Seconds that an erasure can be asked about once it is done."""

_REPLACE: Final = Script("hash_replace")


class CustomerIndex:
    """The orders of a customer: never one too few, perhaps one too many. Raises UnavailableError.

    `keep`: seconds that the store keeps an order after its last change.
    """

    def __init__(self, connection: Connection, keep: int) -> None:
        self._connection = connection
        self._keep = keep

    async def add(self, customer_id: str, order_id: str, now: float) -> None:
        key, ask, keep = _orders(customer_id), self._connection.ask, 2 * self._keep
        await asyncio.gather(
            ask("ZADD", key, int(now * 1000), order_id),
            ask("ZREMRANGEBYSCORE", key, "-inf", int((now - keep) * 1000)),
            ask("EXPIRE", key, keep),
        )

    async def of(self, customer_id: str) -> list[str]:
        found = await self._connection.ask("ZRANGE", _orders(customer_id), 0, -1)
        return [order_id.decode() for order_id in found]

    async def strike(self, customer_id: str, orders: tuple[str, ...]) -> None:
        if orders:
            await self._connection.ask("ZREM", _orders(customer_id), *orders)


@dataclass(frozen=True, slots=True)
class Job:
    """An erasure; times are Unix seconds. `stored`: the store has nothing personal any more;
    `written`: nor has the warehouse; `waiting`: for whom the store's part waits.
    """

    customer_id: str
    requested: float
    orders: tuple[str, ...]
    stored: bool = False
    written: bool = False
    events: int = 0
    rows: int = 0
    done: float | None = None
    waiting: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        return self.stored and self.written


class Erasures:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def request(self, job: Job) -> None:
        """One that is under way for the customer begins anew with this."""
        await self._connection.ask("HSET", _PENDING, job.customer_id, _packed(job))

    async def pending(self) -> list[Job]:
        found = await self._connection.ask("HVALS", _PENDING)
        return sorted(map(_job, found), key=lambda job: job.requested)

    async def find(self, customer_id: str) -> Job | None:
        """The one under way, or the last that is done."""
        packed = await self._connection.ask("HGET", _PENDING, customer_id)
        packed = packed or await self._connection.ask("GET", _done(customer_id))
        return _job(packed) if packed else None

    async def note(self, job: Job, now: float, **progress: Any) -> Job | None:
        """Write down how far a job is; None where it was begun anew meanwhile."""
        following = replace(job, **progress)
        packed = _packed(following)
        if following.finished:
            told = _packed(replace(following, done=now))
            await self._connection.ask("SET", _done(job.customer_id), told, "EX", _KEEP_DONE)
            packed = b""
        keys, before = [_PENDING], _packed(job)
        replaced = await self._connection.run(_REPLACE, keys, job.customer_id, before, packed)
        return following if replaced else None


def _packed(job: Job) -> bytes:
    """The same bytes for the same job; what waits for nobody is as it was packed before."""
    fields = asdict(job)
    if not job.waiting:
        del fields["waiting"]
    return dumps(fields)


def _job(packed: bytes) -> Job:
    fields = loads_own(packed)
    orders, waiting = (tuple(fields.get(name, ())) for name in ("orders", "waiting"))
    return Job(**{**fields, "orders": orders, "waiting": waiting})


def _orders(customer_id: str) -> str:
    return f"oc:{{c:{customer_id}}}:orders"


def _done(customer_id: str) -> str:
    return f"oc:{{c:{customer_id}}}:erased"
