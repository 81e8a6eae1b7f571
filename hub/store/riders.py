"""Riders in the store: which orders they may have, who holds their socket, where they are."""

from typing import Final

import msgspec

from hub.store.bus import Bus
from hub.store.connection import Connection
from hub.store.keys import OrderKeys, rider
from schemas.telemetry import Sighting

__all__ = ["PositionBoard", "RiderIndex"]

_KEEP: Final = 24 * 3600
_pack: Final = msgspec.msgpack.Encoder().encode


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
    """The last position of each order and the way to it, kept and told in the bus's next batch.

    The keys exist only while the order has a rider (see the commit script): with XX nothing is
    kept after the end.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def put(self, keys: OrderKeys, sighting: Sighting) -> None:
        packed = _pack(sighting)
        self._bus.tell("SET", keys.position, packed, "XX", "KEEPTTL")
        self._bus.tell("SPUBLISH", keys.channel, b"P" + packed)

    def put_trail(self, keys: OrderKeys, trail: list[list[float]]) -> None:
        self._bus.tell("SET", keys.trail, _pack(trail), "XX", "KEEPTTL")
