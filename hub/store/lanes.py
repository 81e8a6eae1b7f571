"""The lanes of the webhook bridge: what waits for whom, and who has it out.

A lane is one order at one target: a registered endpoint (`ep_...`) or one of the order's two
callback URLs (`confirmed`, `changes`). It is first in, first out by seq, with one delivery out at
a time. A queue is what shares turns: an endpoint, or a callback URL as `origin|digest`.

Beside the keys of hub/store/keys.py, in the order's partition:

    oc:{p}:queues            zset    queue -> when its next lane is due (Unix ms)
    oc:{p}:due:<queue>       zset    lane -> when it is due; while a delivery is out, the end of
                                     its lease, which is also the fence of whoever has it out
    oc:{p}:lane:<lane>       zset    delivery id -> seq, for a lane `<target>|<orderId>`
    oc:{p}:delivery:<id>     hash    order, seq, event, target, queue, partner, url (callbacks
                                     only), body, state (pending, delivered, dead, held), created,
                                     first, settled (Unix ms), attempts (how many were begun) and
                                     `attempt:<n>` (msgpack: at, took, status, error) of each
    oc:{p}:aside:<who>       zset    dead and held deliveries of an endpoint, or of a callback
                                     lane, by the time (Unix ms) they were set aside
    oc:{p}:off:<orderId>     string  the order's callback URLs answered 410
    oc:{p}:cursors           hash    field `bridge`: the last log entry that was expanded

and one key for all:

    oc:bridges               zset    live bridges by their last sign of life (Unix ms)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgpack

from hub.store.connection import Connection, Script
from hub.store.keys import tag

__all__ = [
    "BRIDGES",
    "Claim",
    "Claims",
    "Delivery",
    "Lanes",
    "Room",
    "Settlement",
    "StaleClaimError",
    "State",
]

BRIDGES: Final = "oc:bridges"

NAP: Final = 5000
"""Milliseconds after which a queue that was full is looked at again if nobody has woken it."""

KEEP_DELIVERED: Final = 2 * 3_600_000
KEEP_ASIDE: Final = 7 * 24 * 3_600_000
"""Milliseconds that a delivery is kept once it was accepted, or was set aside."""

_STALE: Final = -2


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one target. `url` is empty for a registered endpoint."""

    delivery_id: str
    order_id: str
    seq: int
    event_type: str
    target: str
    queue: str
    partner: str
    url: str
    body: bytes
    held: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is out: nobody else has it before the lease has passed."""

    partition: int
    queue: str
    lane: str
    fence: int
    delivery_id: str
    attempt: int
    first: float
    """Unix seconds of the first attempt."""
    off: bool
    """The order's callback URLs are switched off."""
    order_id: str
    seq: int
    event_type: str
    target: str
    partner: str
    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claims:
    wait: float | None
    """Seconds until the next lane of the partition is due, None when there is none."""
    more: list[str]
    """Queues that held more than there was room for."""
    items: list[Claim]


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be out: in all, per queue, per origin, and where it differs, by name."""

    total: int
    queue: int
    origin: int
    named: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Settlement:
    """`record` tells of the attempt, None where none was made.

    `whole`: for everything that waits in the lane. `off`: switches the order's callbacks off.
    """

    state: State
    record: Mapping[str, Any] | None = None
    after: float = 0.0
    """Seconds until the next attempt, for PENDING."""
    whole: bool = False
    off: bool = False


class Lanes:
    """Each method is one atomic script. Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._enqueue = Script("lane_enqueue")
        self._claim = Script("lane_claim")
        self._settle = Script("lane_settle")
        self._beat = Script("lane_beat")

    async def enqueue(
        self, partition: int, expected: str, cursor: str, deliveries: Iterable[Delivery]
    ) -> bool:
        """Move the cursor and enqueue, unless another bridge has moved it meanwhile."""
        flat: list[str | int | bytes] = []
        for each in deliveries:
            flat += (each.delivery_id, each.order_id, each.seq, each.event_type, each.target)
            flat += (each.queue, each.partner, each.url, each.body, int(each.held))
        head = tag(partition)
        keys = (f"{head}cursors", f"{head}queues")
        done = await self._connection.run(self._enqueue, keys, expected, cursor, KEEP_ASIDE, *flat)
        return bool(done)

    async def claim(
        self, partition: int, lease: float, room: Room, wake: Sequence[str] = ()
    ) -> Claims:
        named = [part for pair in room.named.items() for part in pair]
        wait, more, found = await self._connection.run(
            self._claim,
            (f"{tag(partition)}queues",),
            int(lease * 1000),
            room.total,
            room.queue,
            room.origin,
            NAP,
            len(wake),
            *wake,
            *named,
        )
        return Claims(
            wait=None if wait < 0 else wait / 1000,
            more=[queue.decode() for queue in more],
            items=[_claim(partition, row) for row in found],
        )

    async def settle(self, claim: Claim, settlement: Settlement) -> float | None:
        """Seconds until the lane is due again, None when nothing waits in it.

        Raises StaleClaimError when the lease was lost: then nothing was changed.
        """
        record = b"" if settlement.record is None else msgpack.packb(dict(settlement.record))
        wait = await self._connection.run(
            self._settle,
            (f"{tag(claim.partition)}queues",),
            claim.queue,
            claim.lane,
            claim.fence,
            claim.delivery_id,
            settlement.state.value,
            int(settlement.after * 1000),
            record,
            KEEP_DELIVERED,
            KEEP_ASIDE,
            int(settlement.whole),
            int(settlement.off),
        )
        if wait == _STALE:
            raise StaleClaimError(claim.delivery_id)
        return None if wait < 0 else wait / 1000

    async def beat(self, name: str, silence: float) -> list[str]:
        """Tell that `name` lives; answers all bridges heard of within `silence` seconds."""
        names = await self._connection.run(self._beat, (BRIDGES,), name, int(silence * 1000))
        return [each.decode() for each in names]

    async def leave(self, name: str) -> None:
        async with self._connection.mapped() as client:
            await client.zrem(BRIDGES, name)

    async def next_due(self, partitions: Sequence[int]) -> dict[int, float]:
        """When (Unix seconds) the next lane is due, for the partitions where anything waits."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in partitions:
                pipeline.zrange(f"{tag(partition)}queues", 0, 0, withscores=True)
            answers = await pipeline.execute()
        return {
            partition: float(first[0][1]) / 1000
            for partition, first in zip(partitions, answers, strict=True)
            if first
        }


class StaleClaimError(Exception):
    """The lease passed and somebody else has the lane; what we did will be done again."""


def _claim(partition: int, row: Sequence[Any]) -> Claim:
    queue, lane, fence, delivery_id, attempt, first, off, order_id, seq = row[:9]
    event_type, target, partner, url, body = row[9:]
    return Claim(
        partition=partition,
        queue=queue.decode(),
        lane=lane.decode(),
        fence=fence,
        delivery_id=delivery_id.decode(),
        attempt=attempt,
        first=int(first) / 1000,
        off=bool(off),
        order_id=order_id.decode(),
        seq=int(seq),
        event_type=event_type.decode(),
        target=target.decode(),
        partner=partner.decode(),
        url=url.decode(),
        body=body,
    )
