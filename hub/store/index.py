"""Which orders live, by status, and how many. The orders' own commits write it down."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, NamedTuple

from hub.store.connection import Connection, Script
from hub.store.keys import PARTITIONS, TALLY, external, tag
from schemas.lifecycle import FINAL, Status

__all__ = ["LIVE", "Census", "OrderIndex", "Placed"]

LIVE: Final = tuple(status for status in Status if status not in FINAL)
"""The statuses of orders that are under way."""

_HOUR: Final = 3600 // TALLY
_COUNT: Final = Script("count")
_SAME_MOMENT: Final = 1000
"""Orders of one partition, status and millisecond that a page passes over at most."""


class Placed(NamedTuple):
    """Ordered by time (Unix ms), then by id."""

    at: int
    order_id: str


@dataclass(frozen=True, slots=True)
class Census:
    """`entered`: how many orders entered a status since `since`; `opened`: when the oldest open
    exception was (Unix seconds).
    """

    live: Counter[str]
    entered: Counter[str]
    since: float
    exceptions: Counter[str]
    opened: float | None


class OrderIndex:
    """Raises UnavailableError. `retention`: seconds that an order is kept after a change."""

    def __init__(self, connection: Connection, retention: int) -> None:
        self._connection = connection
        self._retention = retention

    async def note_external(self, external_id: str, order_id: str) -> None:
        """Let an order be found by the platform's own number."""
        key, ask = external(external_id), self._connection.ask
        await asyncio.gather(ask("SADD", key, order_id), ask("EXPIRE", key, self._retention))

    async def by_external(self, external_id: str) -> list[str]:
        """Each partner may have used the same number."""
        found = await self._connection.ask("SMEMBERS", external(external_id))
        return sorted(order_id.decode() for order_id in found)

    async def page(
        self, statuses: Iterable[Status], after: Placed | None, limit: int
    ) -> list[Placed]:
        """The newest `limit` placed before `after`."""
        below = after.at if after else "+inf"
        most = limit + (_SAME_MOMENT if after else 0)
        keys = [f"{tag(each)}live:{status}" for status in statuses for each in range(PARTITIONS)]
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrevrangebyscore(key, below, "-inf", start=0, num=most, withscores=True)
            rows = await pipeline.execute()
        found = (Placed(int(at), order_id.decode()) for row in rows for order_id, at in row)
        return nlargest(limit, (each for each in found if after is None or each < after))

    async def census(self, now: float) -> Census:
        """As of `now`, with the tallies of the last hour, and of some minutes before."""
        first = int(now // TALLY) - _HOUR
        tallies = range(first, first + _HOUR + 2)  # a hub's clock may be ahead
        horizon = int((now - self._retention) * 1000)
        counted = await asyncio.gather(
            *(self._count(partition, tallies, horizon) for partition in range(PARTITIONS))
        )
        census = Census(Counter(), Counter(), first * float(TALLY), Counter(), None)
        oldest = []
        for live, entered, codes, opened in counted:
            census.live.update(dict(zip(LIVE, live, strict=True)))
            census.entered.update(_pairs(entered))
            census.exceptions.update(_pairs(codes))
            oldest += [opened / 1000] if opened >= 0 else []
        return Census(
            census.live, census.entered, census.since, census.exceptions, min(oldest, default=None)
        )

    async def _count(self, partition: int, tallies: Iterable[int], horizon: int) -> Any:
        head = tag(partition)
        keys = [f"{head}exceptions", *(f"{head}live:{status}" for status in LIVE)]
        keys += [f"{head}tally:{bucket}" for bucket in tallies]
        return await self._connection.run(_COUNT, keys, len(LIVE), f"{head}order:", horizon)


def _pairs(flat: Sequence[Any]) -> dict[str, int]:
    return {name.decode(): number for name, number in zip(flat[::2], flat[1::2], strict=True)}
