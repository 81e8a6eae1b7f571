"""A customer with a phone: watches one order to its end, and may lose the connection once."""

import asyncio

from clients.session import Cursor
from clients.updates import Finished
from clients.user import UserClient
from hub.demo.records import OrderRecord, Records

__all__ = ["Customer"]


class Customer:
    """`url` is the hub's that the phone found; `away` says when it is lost, and for how long."""

    def __init__(
        self, url: str, record: OrderRecord, records: Records, away: tuple[float, float] | None
    ) -> None:
        self._url = url
        self._record = record
        self._records = records
        self._away = away
        self._client: UserClient | None = None

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.connected

    async def watch(self) -> None:
        """Until the order's stream has ended. Raises RuntimeError when it ended before that."""
        away = self._away
        cursor = await self._connection(None, away[0] if away else None)
        if away is not None and not self._record.ended:
            await asyncio.sleep(away[1])
            self._records.resumptions += 1
            await self._connection(cursor, None)
        if not self._record.ended:
            raise RuntimeError(f"the stream of {self._record.order_id} ended before its order")

    async def _connection(self, cursor: Cursor | None, lost_after: float | None) -> Cursor | None:
        """One connection's worth; answers where to go on. What had come when it broke is read."""
        self._record.catching_up = True
        async with UserClient(self._url, self._record.token) as client:
            self._client = client
            await client.subscribe(self._record.order_id, after=cursor)
            lost = asyncio.create_task(_lose(client, lost_after)) if lost_after else None
            try:
                async for update in client:
                    self._records.take(self._record, update)
                    if isinstance(update, Finished):
                        break
            finally:
                if lost is not None:
                    lost.cancel()
            return client.cursors.get(self._record.order_id)


async def _lose(client: UserClient, after: float) -> None:
    await asyncio.sleep(after)
    await client.aclose()
