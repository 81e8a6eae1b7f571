"""Riders in the store: which orders they may have, who holds their socket, where they are."""

from collections.abc import Mapping
from typing import Any, Final

import msgpack

from hub.store.bus import Bus
from hub.store.connection import Connection
from hub.store.keys import order_keys, rider

__all__ = ["PositionBoard", "RiderIndex"]

_KEEP: Final = 24 * 3600


class RiderIndex:
    """The orders of a rider: never one too few, perhaps one too many; the order itself decides."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rider_id: str, order_id: str) -> None:
        key = rider(rider_id, "orders")
        async with self._connection.mapped() as client:
            await client.sadd(key, order_id)
            await client.expire(key, _KEEP)

    async def strike(self, rider_id: str, order_id: str) -> None:
        async with self._connection.mapped() as client:
            await client.srem(rider(rider_id, "orders"), order_id)

    async def remove(self, rider_id: str, order_id: str) -> None:
        """Take an order off a rider, and send word."""
        await self.strike(rider_id, order_id)
        await self.tell(rider_id)

    async def orders(self, rider_id: str) -> list[str]:
        async with self._connection.mapped() as client:
            return sorted(m.decode() for m in await client.smembers(rider(rider_id, "orders")))

    async def tell(self, rider_id: str) -> None:
        """Word to the hub that holds the rider: look at your orders again."""
        async with self._connection.mapped() as client:
            await client.execute_command("SPUBLISH", rider(rider_id, "c"), b"O")

    async def fence(self, rider_id: str) -> int:
        """The number of the rider's newest session, 0 before the first."""
        async with self._connection.mapped() as client:
            return int(await client.get(rider(rider_id, "fence")) or 0)

    async def take_over(self, rider_id: str) -> int:
        """A new session of the rider: its number, told to whoever holds an older one."""
        key = rider(rider_id, "fence")
        async with self._connection.mapped() as client:
            fence = int(await client.incr(key))
            await client.expire(key, _KEEP)
            await client.execute_command("SPUBLISH", rider(rider_id, "c"), b"F%d" % fence)
        return fence


class PositionBoard:
    """The last position of each order, kept and told in the bus's next batch."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def put(self, position: Mapping[str, Any], trail: list[list[float]]) -> None:
        """Keep `position` with its `trail`, and tell it.

        The key exists only while the order has a rider (see the commit script): with XX nothing
        is kept after the end.
        """
        keys = order_keys(position["orderId"])
        kept = msgpack.packb({**position, "trail": trail})
        self._bus.tell(keys.position, "SET", keys.position, kept, "XX", "KEEPTTL")
        self._bus.tell(keys.channel, "SPUBLISH", keys.channel, b"P" + msgpack.packb(dict(position)))
