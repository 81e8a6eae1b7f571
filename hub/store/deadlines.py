"""Deadlines in the store: which have come, over all partitions."""

from typing import Final

from hub.store.connection import Connection
from hub.store.keys import PARTITIONS, order_keys, tag

__all__ = ["DeadlineStore"]

_BATCH: Final = 100


class DeadlineStore:
    """Deadlines are set and cleared by the order's own commit; here they are only found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def due(self, now: float) -> list[tuple[str, str]]:
        """Pairs of order id and code whose time (Unix seconds) has come, a batch a partition."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                key = f"{tag(partition)}deadlines"
                pipeline.zrangebyscore(key, "-inf", int(now * 1000), start=0, num=_BATCH)
            rows = await pipeline.execute()
        pairs = (member.decode().rsplit("|", 1) for row in rows for member in row)
        return [(order_id, code) for order_id, code in pairs]

    async def forget(self, order_id: str, code: str) -> None:
        """Drop a deadline whose order is gone."""
        async with self._connection.mapped() as client:
            await client.zrem(order_keys(order_id).deadlines, f"{order_id}|{code}")
