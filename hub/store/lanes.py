"""The lanes of the webhook bridge: what waits for whom, and who has it out.

A lane is one order at one target: a registered endpoint (`ep_...`) or one of the order's two
callback URLs (`confirmed`, `changes`). It is first in, first out by seq, with one delivery out at
a time. A queue is what shares turns: an endpoint, or a callback URL as `origin|digest`.

Beside the keys of hub/store/keys.py, in the order's partition:

    oc:{p}:queues         zset   queue -> when its next lane is due (Unix ms)
    oc:{p}:due:<queue>    zset   lane, `<target>|<orderId>` -> when it is due; while a delivery is
                                 out, the end of its lease, which is also the fence of whoever has
                                 it out
    oc:{p}:book:<orderId> hash   all deliveries of the order: see below
    oc:{p}:books:<partner>  zset order -> when its book was opened (Unix ms); some are gone by now
    oc:{p}:dead:<who>     zset   `<target>|<orderId>|<seq>` of the dead deliveries of an endpoint,
    oc:{p}:held:<who>            or of a partner's callbacks, by their event's time; held ones
    oc:{p}:cursors        hash   field `bridge`: the last log entry that was expanded
    oc:{p}:settled        stream what was settled, where it is noted: t target, o order, p epoch,
                                 w partner, s seq, d as in the book, a the attempt or nothing

The fields of a book; payloads stand in it once, whoever gets them:

    epoch, partner, url   of the order; `url` is its notificationUrl
    e:<seq>               what is told of the event (JSON, as registered endpoints get it)
    t:<seq>               the trace (traceparent) that the event is of, if it is of one
    d:<target>:<seq>      a delivery: state, then created, first attempt, settled (Unix ms), how
                          many attempts were begun, how many of them before the last replay
    a:<target>:<seq>:<n>  attempt n (msgpack: at, took, status, error)
    w:<target>            the seqs that wait, ascending
    q:<target>            the queue of a callback
    m:<target>            there where only the latest is wanted
    open                  how many deliveries wait; when none does any more, the book's days are
                          counted
    aside                 there when something was set aside, which is kept longer
    off                   there when the order's callbacks were answered 410
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgpack

from hub.core.webhooks.bodies import CHANGES, CONFIRMED
from hub.core.webhooks.signature import WebhookId
from hub.store.connection import Connection, Script
from hub.store.keys import partition_of, tag

__all__ = [
    "Claim",
    "Claims",
    "Lanes",
    "News",
    "Room",
    "Settlement",
    "StaleClaimError",
    "State",
    "Target",
]

NAP: Final = 5000
"""Milliseconds after which a queue that was full is looked at again if nobody has woken it."""

KEEP_DELIVERED: Final = 24 * 3_600_000
KEEP_ASIDE: Final = 7 * 24 * 3_600_000
"""Milliseconds that a delivery is kept once it was accepted, or was set aside."""

_KEEP_ATTEMPTS: Final = 100
_ROOM: Final = 10_000
"""Settled deliveries of a partition that wait for the warehouse."""

_STALE: Final = -2
_NO_CURSOR: Final = "-"
_REPLAYABLE: Final = " delivered superseded dead held "
_RECOVERABLE: Final = " dead held "


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    """A newer event of the order was delivered in its place, and named it."""
    DEAD = "dead"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom an event goes to. `held`: it is switched off. `latest`: a newer event may stand for
    older ones that still wait.
    """

    name: str
    queue: str
    held: bool = False
    latest: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """One event and whom it goes to. `url` is the order's notificationUrl, or empty."""

    order_id: str
    epoch: str
    seq: int
    partner: str
    url: str
    payload: bytes
    targets: Sequence[Target]
    trace: str = ""

    def flat(self) -> list[str | int | bytes]:
        flat: list[str | int | bytes] = [self.order_id, self.epoch, self.seq, self.partner]
        flat += (self.url, self.payload, self.trace, len(self.targets))
        for each in self.targets:
            flat += (each.name, each.queue)
            flat += ("held" if each.held else "", "latest" if each.latest else "")
        return flat


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is out: nobody else has it before the lease has passed."""

    partition: int
    queue: str
    target: str
    order_id: str
    fence: int
    seq: int
    stands_for: tuple[int, ...]
    """Older seqs of the lane that are done with this one."""
    attempt: int
    first: float
    """Unix seconds of the first attempt."""
    created: float
    """Unix seconds at which the event was enqueued."""
    off: bool
    """The order's callback URLs are switched off."""
    latest: bool
    """Only the latest of the lane is wanted."""
    epoch: str
    partner: str
    url: str
    payload: bytes
    trace: str
    """The `traceparent` of what made the event, empty where that was not traced."""

    @property
    def lane(self) -> str:
        return f"{self.target}|{self.order_id}"

    @property
    def callback(self) -> bool:
        return self.target in (CONFIRMED, CHANGES)

    @property
    def delivery_id(self) -> str:
        return str(WebhookId(self.order_id, self.epoch, self.seq, self.target))


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
    `latest`: whether only the latest of the lane is wanted from now on, None: as before.
    """

    state: State
    record: Mapping[str, Any] | None = None
    after: float = 0.0
    """Seconds until the next attempt, for PENDING."""
    whole: bool = False
    off: bool = False
    latest: bool | None = None


class Lanes:
    """Each method is one atomic script. Raises UnavailableError.

    `keep`: seconds that a delivery is kept once it was accepted. `noted`: whether what is settled
    is noted for the warehouse.
    """

    def __init__(
        self, connection: Connection, keep: float = KEEP_DELIVERED / 1000, *, noted: bool = False
    ) -> None:
        self._connection = connection
        self._keep = int(keep * 1000)
        self._room = _ROOM if noted else 0
        self._enqueue = Script("lane_enqueue", after="lane_book")
        self._claim = Script("lane_claim", after="lane_book")
        self._settle = Script("lane_settle", after="lane_book")
        self._requeue = Script("lane_requeue", after="lane_book")

    async def enqueue(
        self, partition: int, expected: str, cursor: str, news: Iterable[News]
    ) -> bool:
        """Move the cursor and enqueue, unless another bridge has moved it meanwhile."""
        flat = [part for each in news for part in each.flat()]
        keys = (_queues(partition), f"{tag(partition)}cursors")
        keep = (self._keep, KEEP_ASIDE)
        return bool(await self._connection.run(self._enqueue, keys, expected, cursor, *keep, *flat))

    async def add(self, news: News) -> None:
        """Enqueue what no log tells of. What was enqueued before stays as it is."""
        await self.enqueue(partition_of(news.order_id), _NO_CURSOR, "", [news])

    async def claim(
        self, partition: int, lease: float, room: Room, wake: Sequence[str] = ()
    ) -> Claims:
        named = [part for pair in room.named.items() for part in pair]
        wait, more, found = await self._connection.run(
            self._claim,
            (_queues(partition),),
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
            (_queues(claim.partition),),
            claim.queue,
            claim.lane,
            claim.fence,
            claim.seq,
            " ".join(map(str, claim.stands_for)),
            settlement.state.value,
            int(settlement.after * 1000),
            record,
            self._keep,
            KEEP_ASIDE,
            int(settlement.whole),
            int(settlement.off),
            _KEEP_ATTEMPTS,
            "" if settlement.latest is None else int(settlement.latest),
            self._room,
        )
        if wait == _STALE:
            raise StaleClaimError(claim.delivery_id)
        return None if wait < 0 else wait / 1000

    async def replay(self, which: WebhookId, *, latest: bool = False) -> bool:
        """Send one delivery again; False where it waits anyway, or is not there (any more)."""
        keys = (_queues(partition_of(which.order_id)),)
        where = (which.order_id, which.target, which.seq)
        found = await self._connection.run(self._requeue, keys, _REPLAYABLE, int(latest), *where)
        return bool(found)

    async def recover(
        self, partition: int, endpoint_id: str, since: float, *, latest: bool = False
    ) -> int:
        """Send again what was set aside for an endpoint of events since then (Unix seconds), each
        order's together. Answers how many.
        """
        low, head = str(int(since * 1000)), tag(partition)
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for state in (State.DEAD, State.HELD):
                pipeline.zrangebyscore(f"{head}{state}:{endpoint_id}", low, "+inf")
            dead, held = await pipeline.execute()
        lanes: defaultdict[str, list[int]] = defaultdict(list)
        for member in dead + held:
            _, order_id, seq = member.decode().split("|")
            lanes[order_id].append(int(seq))
        again = 0
        for order_id, seqs in lanes.items():
            flat = [part for seq in sorted(seqs) for part in (order_id, endpoint_id, seq)]
            again += await self._connection.run(
                self._requeue, (_queues(partition),), _RECOVERABLE, int(latest), *flat
            )
        return again

    async def next_due(self, partitions: Sequence[int]) -> dict[int, float]:
        """When (Unix seconds) the next lane is due, for the partitions where anything waits."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in partitions:
                pipeline.zrange(_queues(partition), 0, 0, withscores=True)
            answers = await pipeline.execute()
        return {
            partition: float(first[0][1]) / 1000
            for partition, first in zip(partitions, answers, strict=True)
            if first
        }


class StaleClaimError(Exception):
    """The lease passed and somebody else has the lane; what we did will be done again."""


def _queues(partition: int) -> str:
    return f"{tag(partition)}queues"


def _claim(partition: int, row: Sequence[Any]) -> Claim:
    queue, lane, fence, seq, stands_for, attempt, first, created, off = row[:9]
    latest, epoch, partner, url, payload, trace = row[9:]
    target, _, order_id = lane.decode().partition("|")
    return Claim(
        partition=partition,
        queue=queue.decode(),
        target=target,
        order_id=order_id,
        fence=fence,
        seq=seq,
        stands_for=tuple(map(int, stands_for.split())),
        attempt=attempt,
        first=first / 1000,
        created=created / 1000,
        off=bool(off),
        latest=bool(latest),
        epoch=epoch.decode(),
        partner=partner.decode(),
        url=url.decode(),
        payload=payload,
        trace=(trace or b"").decode(),
    )
