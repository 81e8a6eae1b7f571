"""The live hub instances: each signs in every few seconds and is forgotten when it does not."""

import json
from typing import Any, Final

from hub.store.connection import Connection
from hub.store.keys import HUBS
from schemas.times import format_time

__all__ = ["Roster"]

ALIVE: Final = 15.0


class Roster:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sign_in(self, hub_id: str, about: dict[str, Any], now: float) -> None:
        async with self._connection.mapped() as client:
            await client.hset(HUBS, hub_id, json.dumps({"hub": hub_id, "seen_at": now, **about}))

    async def sign_out(self, hub_id: str) -> None:
        async with self._connection.mapped() as client:
            await client.hdel(HUBS, hub_id)

    async def hubs(self, now: float) -> list[dict[str, Any]]:
        """The hubs seen within 15 s; the others are struck off."""
        async with self._connection.mapped() as client:
            rows = [json.loads(row) for row in (await client.hgetall(HUBS)).values()]
            gone = [row["hub"] for row in rows if row["seen_at"] < now - ALIVE]
            if gone:
                await client.hdel(HUBS, *gone)
        living = sorted(
            (row for row in rows if row["hub"] not in gone), key=lambda r: str(r["hub"])
        )
        return [
            {n: v for n, v in row.items() if n != "seen_at"}
            | {"seenAt": format_time(row["seen_at"])}
            for row in living
        ]
