"""Those that live: each signs in every few seconds and is forgotten when it does not."""

import json
from typing import Any, Final

from hub.store.connection import Connection
from schemas.times import format_time

__all__ = ["Roster"]

ALIVE: Final = 15.0


class Roster:
    """Of one kind of process, `hub` or `worker`. Raises UnavailableError."""

    def __init__(self, connection: Connection, kind: str = "hub") -> None:
        self._connection = connection
        self._kind = kind
        self._key = f"oc:{kind}s"

    async def sign_in(self, name: str, about: dict[str, Any], now: float) -> None:
        row = json.dumps({self._kind: name, "seen_at": now, **about})
        async with self._connection.mapped() as client:
            await client.hset(self._key, name, row)

    async def sign_out(self, name: str) -> None:
        async with self._connection.mapped() as client:
            await client.hdel(self._key, name)

    async def living(self, now: float) -> list[dict[str, Any]]:
        """Those seen within 15 s; the others are struck off."""
        async with self._connection.mapped() as client:
            rows = [json.loads(row) for row in (await client.hgetall(self._key)).values()]
            gone = [row[self._kind] for row in rows if row["seen_at"] < now - ALIVE]
            if gone:
                await client.hdel(self._key, *gone)
        living = (row for row in rows if row[self._kind] not in gone)
        return [
            {n: v for n, v in row.items() if n != "seen_at"}
            | {"seenAt": format_time(row["seen_at"])}
            for row in sorted(living, key=lambda row: str(row[self._kind]))
        ]
