"""Every key and channel of the store.

All that belongs to one order carries its partition's hash tag, `{p000}`..`{p127}`, so that one
script may touch it all, on one server as on a cluster.

    oc:{p}:order:<id>       hash    rev, seq, epoch, state (msgpack); the truth about an order
    oc:{p}:events:<id>      stream  one entry per event, id `seq-0`, field e (JSON)
    oc:{p}:position:<id>:<leg>  string  the last position (msgpack); exists on this leg alone, while
                                    a rider is assigned, empty until the first fix
    oc:{p}:trail:<id>:<leg> string  the way so far on this leg (msgpack); as the position
    oc:{p}:log              stream  every event of the partition, for bridge, audit and sinks
    oc:{p}:cursors          hash    how far each reader of the log has come
    oc:{p}:deadlines        zset    `<orderId>|<deadline>` by due time (Unix ms)
    oc:{p}:exceptions       zset    `<orderId>|<exceptionId>|<code>` of those open, by opening
                                    (Unix ms)
    oc:{p}:live:<status>    zset    the orders in that status, none that is final, by placing
                                    (Unix ms)
    oc:{p}:tally:<n>        hash    status -> how many orders entered it in the n-th five minutes
    oc:{p}:settled          stream  webhook deliveries as they are settled, for the warehouse
    oc:{p}:requests         stream  batches of requests that hubs have answered, for the warehouse
    oc:{p}:<stream>:lost    string  how many found no room in one of these two
    oc:{p}:operations:<id>  list    operations that made no event (late updates), newest first
    oc:{p}:once:<digest>    hash    an Idempotency-Key or externalId and what became of it
    oc:{p}:once-of:<id>     set     the digests of those whose answers tell of the order
    oc:{p}:...              the webhooks' lanes and deliveries: see hub.store.lanes
    oc:{r:<rider>}:...      the rider's orders (set) and fence (counter)
    oc:{x:<digest>}:orders  set     the orders that were placed with an externalId

    oc:{c:<customer>}:...   a customer's orders: see hub.store.customers

    oc:endpoints...         webhook endpoints: see hub.store.endpoints
    oc:restaurant:<id>      string  what the platform told of a restaurant (JSON)
    oc:hubs, oc:workers     hash    those that live
    oc:partners             set     the partners with webhooks
    oc:{audit}:...          the audit log: see hub.store.audit
    oc:lease:<duty>         string  the worker that leads a duty

    channels (sharded pub/sub)
    oc:{p}:c:<id>           an order's events
    oc:{p}:s:<id>           where its rider is
    oc:{r:<rider>}:c        word for the hub that holds the rider's socket
    oc:{h:<hub>}:probe      a hub's proof that its own bus delivers
"""

from binascii import crc_hqx
from functools import lru_cache
from hashlib import sha256
from typing import Final

__all__ = [
    "PARTITIONS",
    "TALLY",
    "TALLY_KEPT",
    "OrderKeys",
    "external",
    "once",
    "once_of",
    "order_keys",
    "partition_of",
    "probe",
    "restaurant",
    "rider",
    "tag",
]

PARTITIONS: Final = 128

TALLY: Final = 300
"""Seconds of one tally."""

TALLY_KEPT: Final = 2 * 3600


def partition_of(order_id: str) -> int:
    """CRC16 (XMODEM, the one of Redis Cluster) of the id, modulo the number of partitions."""
    return crc_hqx(order_id.encode(), 0) % PARTITIONS


def tag(partition: int) -> str:
    """The common head of all keys of a partition."""
    return f"oc:{{p{partition:03d}}}:"


class OrderKeys:
    """The keys of one order."""

    __slots__ = ("_head", "order_id", "partition")

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.partition = partition_of(order_id)
        self._head = tag(self.partition)

    @property
    def order(self) -> str:
        return f"{self._head}order:{self.order_id}"

    @property
    def events(self) -> str:
        return f"{self._head}events:{self.order_id}"

    def position(self, leg: int | str) -> str:
        return f"{self._head}position:{self.order_id}:{leg}"

    def trail(self, leg: int | str) -> str:
        return f"{self._head}trail:{self.order_id}:{leg}"

    @property
    def operations(self) -> str:
        return f"{self._head}operations:{self.order_id}"

    @property
    def log(self) -> str:
        return f"{self._head}log"

    @property
    def deadlines(self) -> str:
        return f"{self._head}deadlines"

    @property
    def exceptions(self) -> str:
        return f"{self._head}exceptions"

    def live(self, status: str) -> str:
        return f"{self._head}live:{status}"

    def tally(self, bucket: int) -> str:
        """Of the `bucket`-th `TALLY` seconds of Unix time."""
        return f"{self._head}tally:{bucket}"

    @property
    def channel(self) -> str:
        return f"{self._head}c:{self.order_id}"

    @property
    def sightings(self) -> str:
        return f"{self._head}s:{self.order_id}"


@lru_cache(maxsize=65_536)
def order_keys(order_id: str) -> OrderKeys:
    return OrderKeys(order_id)


def once(scope: str, digest: str) -> str:
    """Where a thing that must happen once is remembered. `scope`: `key` or `external`."""
    return f"{tag(partition_of(digest))}once:{scope}:{digest}"


def once_of(order_id: str) -> str:
    """The digests of the Idempotency-Keys under which an answer tells of the order."""
    return f"{tag(partition_of(order_id))}once-of:{order_id}"


def external(external_id: str) -> str:
    """Which orders were placed with the platform's own number; it may be any text."""
    return f"oc:{{x:{sha256(external_id.encode()).hexdigest()[:32]}}}:orders"


def rider(rider_id: str, what: str) -> str:
    """`orders`, `fence` or `c` (the channel) of one rider."""
    return f"oc:{{r:{rider_id}}}:{what}"


def probe(hub_id: str) -> str:
    return f"oc:{{h:{hub_id}}}:probe"


def restaurant(restaurant_id: str) -> str:
    return f"oc:restaurant:{restaurant_id}"
