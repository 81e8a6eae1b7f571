"""Which exceptions are open, over all partitions. The order's own commit writes it down."""

from heapq import nsmallest
from typing import Final, NamedTuple

from hub.store.connection import Connection
from hub.store.keys import PARTITIONS, tag

__all__ = ["ExceptionIndex", "Opened"]

_SAME_MOMENT: Final = 1000
"""Exceptions of one partition and one millisecond that a page passes over at most."""


class Opened(NamedTuple):
    """Ordered by time (Unix ms), then by id."""

    at: int
    exception_id: str
    order_id: str


class ExceptionIndex:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, after: Opened | None, limit: int) -> list[Opened]:
        """The oldest `limit` behind `after`."""
        start = after.at if after else 0
        most = limit + (_SAME_MOMENT if after else 0)
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                key = f"{tag(partition)}exceptions"
                pipeline.zrangebyscore(key, start, "+inf", start=0, num=most, withscores=True)
            rows = await pipeline.execute()
        found = (_opened(member, score) for row in rows for member, score in row)
        return nsmallest(limit, (each for each in found if after is None or each[:2] > after[:2]))


def _opened(member: bytes, score: float) -> Opened:
    order_id, exception_id, _ = member.decode().split("|")
    return Opened(int(score), exception_id, order_id)
