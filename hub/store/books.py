"""Deliveries as they are looked at: read from the books of hub/store/lanes.py, never changed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from hub.core.webhooks.signature import WebhookId
from hub.store.connection import Connection, Script
from hub.store.keys import PARTITIONS, partition_of, tag
from hub.store.lanes import State
from schemas.wire import loads_own

__all__ = ["Attempt", "Book", "Books", "Kept", "Place", "Standing"]

_DELIVERY: Final = "d:"
_EVENTS: Final = "e:"
_STANDING: Final = Script("standing")
_SAMPLE: Final = 50
"""Orders of a partition that are looked at for the oldest event: with more it may be older."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`at` in Unix seconds, `took` in seconds."""

    number: int
    at: float
    took: float
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery as it is kept; times are Unix seconds, 0.0 for never. `attempts` counts those
    that were begun, all replays together.
    """

    which: WebhookId
    state: State
    created: float
    first: float
    settled: float
    attempts: int
    event_type: str
    queue: str


@dataclass(frozen=True, slots=True)
class Book:
    """All deliveries of one order, by seq and target."""

    order_id: str
    partner: str
    url: str
    items: Sequence[Kept]


@dataclass(frozen=True, slots=True)
class Standing:
    """Orders with something waiting for an endpoint; of them those that wait for a retry, or are
    out just now; its dead and held deliveries.
    """

    waiting: int
    retrying: int
    dead: int
    held: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a list of all partitions: by time (Unix ms), the latest first;
    of the same time by name, the last first, as the store has it.
    """

    at: int
    name: str

    @property
    def order(self) -> tuple[int, str]:
        return self.at, self.name


class Books:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_order(self, order_id: str) -> Book | None:
        return (await self.of_orders([order_id]))[0]

    async def of_orders(self, order_ids: Sequence[str]) -> list[Book | None]:
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for order_id in order_ids:
                pipeline.hgetall(_key(order_id))
            found = await pipeline.execute() if order_ids else []
        return [_book(*each) for each in zip(order_ids, found, strict=True)]

    async def attempts(self, which: WebhookId, number: int) -> list[Attempt]:
        """Those of the last `number` attempts whose records are kept."""
        numbers = range(max(1, number - 99), number + 1)
        if not numbers:
            return []
        names = [f"a:{which.target}:{which.seq}:{each}" for each in numbers]
        async with self._connection.mapped() as client:
            found = await client.hmget(_key(which.order_id), names)
        pairs = zip(numbers, found, strict=True)
        return [Attempt(each, **msgpack.unpackb(packed)) for each, packed in pairs if packed]

    async def next_due(self, items: Iterable[Kept]) -> list[float | None]:
        """When (Unix seconds) the lanes of these are due."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for each in items:
                head = tag(partition_of(each.which.order_id))
                lane = f"{each.which.target}|{each.which.order_id}"
                pipeline.zscore(f"{head}due:{each.queue}", lane)
            found = await pipeline.execute()
        return [None if score is None else score / 1000 for score in found]

    async def of_partner(self, partner: str, after: Place | None, number: int) -> list[Place]:
        """The orders of which the partner has a book, the latest first, after a place."""
        return await self._list(f"books:{partner}", after, number)

    async def aside(
        self, state: State, endpoint_id: str, after: Place | None, number: int
    ) -> list[Place]:
        """`<target>|<orderId>|<seq>` of what is dead, or held, for an endpoint."""
        return await self._list(f"{state}:{endpoint_id}", after, number)

    async def standings(
        self, names: Sequence[str], now: float
    ) -> tuple[Standing, dict[str, Standing]]:
        """How the deliveries of callbacks stand, which of them wait in all, and how those of each
        name do, over all partitions. The names are endpoints, or partners: of these, what was set
        aside of their orders' callbacks.
        """
        found = await asyncio.gather(
            *(
                self._connection.run(_STANDING, [f"{tag(each)}queues"], int(now * 1000), *names)
                for each in range(PARTITIONS)
            )
        )
        sums = list(map(sum, zip(*found, strict=True)))
        callbacks, *each = (Standing(*sums[i : i + 4]) for i in range(0, len(sums), 4))
        return callbacks, dict(zip(names, each, strict=True))

    async def oldest(self, endpoint_id: str) -> float | None:
        """When (Unix seconds) the oldest event came that waits for an endpoint."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipeline.zrange(f"{tag(partition)}due:{endpoint_id}", 0, _SAMPLE - 1)
            found = await pipeline.execute()
        return await self._oldest([lane.decode() for rows in found for lane in rows])

    async def _oldest(self, lanes: Sequence[str]) -> float | None:
        """When (Unix seconds) the oldest event came that waits in these lanes."""
        orders = [lane.split("|") for lane in lanes]
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for target, order_id in orders:
                pipeline.hget(_key(order_id), f"w:{target}")
            waits = await pipeline.execute() if orders else []
            pipeline = client.pipeline(transaction=False)
            pairs = [(*each, w) for each, w in zip(orders, waits, strict=True) if w]
            for target, order_id, seqs in pairs:
                seq = seqs.split(b" ")[0].decode()
                pipeline.hget(_key(order_id), f"d:{target}:{seq}")
            firsts = await pipeline.execute() if pairs else []
        times = [int(each.split(b" ")[1]) for each in firsts if each]
        return min(times) / 1000 if times else None

    async def _list(self, name: str, after: Place | None, number: int) -> list[Place]:
        """Of one sorted set in every partition. A batch of events has one time, hence all of the
        place's own time are read besides.
        """
        below = "+inf" if after is None else f"({after.at}"
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                key = f"{tag(partition)}{name}"
                pipeline.zrevrangebyscore(key, below, "-inf", start=0, num=number, withscores=True)
                if after is not None:
                    pipeline.zrangebyscore(key, after.at, after.at, withscores=True)
            answers = await pipeline.execute()
        places = [Place(int(at), name.decode()) for rows in answers for name, at in rows]
        places.sort(key=lambda place: place.order, reverse=True)
        return [each for each in places if after is None or each.order < after.order][:number]


def _key(order_id: str) -> str:
    return f"{tag(partition_of(order_id))}book:{order_id}"


def _book(order_id: str, fields: Mapping[bytes, bytes]) -> Book | None:
    if not fields:
        return None
    plain = {name.decode(): value for name, value in fields.items()}
    epoch = plain["epoch"].decode()
    items = [_kept(order_id, epoch, name, plain) for name in plain if name.startswith(_DELIVERY)]
    items.sort(key=lambda each: (each.which.seq, each.which.target))
    return Book(order_id, plain["partner"].decode(), plain["url"].decode(), items)


def _kept(order_id: str, epoch: str, name: str, fields: Mapping[str, bytes]) -> Kept:
    _, target, seq = name.split(":")
    state, created, first, settled, attempts, _ = fields[name].decode().split(" ")
    event: dict[str, Any] = loads_own(fields[f"{_EVENTS}{seq}"])
    return Kept(
        which=WebhookId(order_id, epoch, int(seq), target),
        state=State(state),
        created=int(created) / 1000,
        first=int(first) / 1000,
        settled=int(settled) / 1000,
        attempts=int(attempts),
        event_type=event["eventType"],
        queue=fields.get(f"q:{target}", target.encode()).decode(),
    )
