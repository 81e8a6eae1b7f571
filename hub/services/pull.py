"""The feed of a partner who would rather pull than be called (contract 6)."""

from collections.abc import Sequence
from typing import Any

from hub.core.webhooks.bodies import payload_of
from hub.store.connection import Connection
from hub.store.feed import FeedItem, FeedStore
from schemas.wire import loads_own

__all__ = ["Pull"]


class Pull:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._feed = FeedStore(connection)

    async def read(
        self, partner: str, *, limit: int = 100, after: str | None = None
    ) -> tuple[Sequence[dict[str, Any]], str | None]:
        """What registered endpoints get, each with its `cursor`, oldest first; and where to go
        on. Without `after` it goes on from the last acknowledgement.
        """
        items, following = await self._feed.read(partner, after, limit)
        return [{**_told(item), "cursor": item.cursor} for item in items], following

    async def ack(self, partner: str, cursor: str) -> str:
        """All up to the cursor is done with; answers where the acknowledgement stands, which is
        further on if it was there before.
        """
        return await self._feed.ack(partner, cursor)


def _told(item: FeedItem) -> dict[str, Any]:
    if item.event is None:
        return item.told or {}
    told: dict[str, Any] = loads_own(payload_of(item.event))
    return told
