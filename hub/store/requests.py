"""What hubs have answered, on its way to the warehouse: see hub.core.warehouse for the values."""

from collections.abc import Sequence
from typing import Any, Final

import msgpack

from hub.store.connection import Connection, Script
from hub.store.keys import partition_of, tag

__all__ = ["MAX_BATCH", "RequestStream"]

MAX_BATCH: Final = 1000
"""Requests in an entry."""

_ROOM: Final = 2000
"""Entries of a partition that wait for the warehouse. Each hub writes one a second."""

_APPEND: Final = Script("append_capped")


class RequestStream:
    """One hub's. Raises UnavailableError."""

    def __init__(self, connection: Connection, hub_id: str) -> None:
        self._connection = connection
        self._hub_id = hub_id
        self._key = f"{tag(partition_of(hub_id))}requests"

    async def append(self, batch: Sequence[Sequence[Any]]) -> bool:
        """Up to `MAX_BATCH` requests; False where there is no room for them."""
        fields = ("h", self._hub_id, "b", msgpack.packb(batch))
        keys = [self._key, f"{self._key}:lost"]
        return bool(await self._connection.run(_APPEND, keys, _ROOM, len(batch), *fields))
