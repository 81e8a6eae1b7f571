"""Events as a hub's commit writes them into the partitions' logs, past the hub."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgpack

from hub.store.connection import Connection
from hub.store.keys import partition_of, tag
from schemas.lifecycle import EventType, Status
from schemas.wire import dumps

__all__ = ["STEPS", "Event", "append", "fill"]

STEPS: Final = (
    (EventType.CREATED, Status.PENDING),
    (EventType.CONFIRMED, Status.CONFIRMED),
    (EventType.PREPARING, Status.PREPARING),
    (EventType.COMPLETED, Status.COMPLETED),
)
"""An order's events; the first has seq 1."""

_AT_ONCE: Final = 2_000


class Event(NamedTuple):
    """`url` is the order's notificationUrl."""

    order_id: str
    seq: int
    partner: str
    url: str | None = None

    @property
    def fields(self) -> dict[str, str | bytes]:
        kind, status = STEPS[self.seq - 1]
        told = {
            "orderId": self.order_id,
            "epoch": "benchmrk",
            "seq": self.seq,
            "eventType": kind.value,
            "status": status.value,
            "timestamp": "2026-11-22T19:05:43.120Z",
            "actor": {"role": "platform", "sub": "bench"},
            "estimatedTime": 30,
            "prevHash": "0" * 64,
            "hash": "0" * 64,
        }
        whom = {"partner": self.partner, "url": self.url}
        return {"o": self.order_id, "e": dumps(told), "w": msgpack.packb(whom)}


async def append(connection: Connection, events: Iterable[Event]) -> None:
    """All of them in one round trip. Raises UnavailableError; then some may have been written."""
    async with connection.mapped() as client:
        pipeline = client.pipeline(transaction=False)
        for event in events:
            pipeline.xadd(f"{tag(partition_of(event.order_id))}log", event.fields)
        await pipeline.execute()


async def fill(connection: Connection, orders: Sequence[str], steps: int, partner: str) -> None:
    """The first `steps` events of each order, one step of all orders after the other."""
    for seq in range(1, steps + 1):
        for start in range(0, len(orders), _AT_ONCE):
            batch = orders[start : start + _AT_ONCE]
            await append(connection, [Event(order, seq, partner) for order in batch])
