"""Riders in the store: which orders they may have, who holds their socket, where they are."""

import asyncio
from typing import Final

import msgspec

from hub.store.bus import Bus
from hub.store.connection import Connection
from hub.store.keys import OrderKeys, order_keys, rider
from hub.store.link import pack
from schemas.telemetry import Sighting

__all__ = ["Place", "PositionBoard", "RiderIndex"]

_KEEP: Final = 24 * 3600
_pack: Final = msgspec.msgpack.Encoder().encode


class RiderIndex:
    """The orders of a rider: never one too few, perhaps one too many; the order itself decides."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rider_id: str, order_id: str) -> None:
        key = rider(rider_id, "orders")
        ask = self._connection.ask
        await asyncio.gather(ask("SADD", key, order_id), ask("EXPIRE", key, _KEEP))

    async def strike(self, rider_id: str, order_id: str) -> None:
        await self._connection.ask("SREM", rider(rider_id, "orders"), order_id)

    async def remove(self, rider_id: str, order_id: str) -> None:
        """Take an order off a rider, and send word."""
        await self.strike(rider_id, order_id)
        await self.tell(rider_id)

    async def tell(self, rider_id: str) -> None:
        """Word to the hub that holds the rider: look at your orders again."""
        await self._connection.ask("SPUBLISH", rider(rider_id, "c"), b"O")

    async def look(self, rider_id: str) -> tuple[int, list[str]]:
        """The number of the rider's newest session (0 before the first), and their orders."""
        ask = self._connection.ask
        fence, orders = await asyncio.gather(
            ask("GET", rider(rider_id, "fence")), ask("SMEMBERS", rider(rider_id, "orders"))
        )
        return int(fence or 0), sorted(order.decode() for order in orders)

    async def take_over(self, rider_id: str) -> int:
        """A new session of the rider: its number, told to whoever holds an older one."""
        key = rider(rider_id, "fence")
        ask = self._connection.ask
        fence, _ = await asyncio.gather(ask("INCR", key), ask("EXPIRE", key, _KEEP))
        await ask("SPUBLISH", rider(rider_id, "c"), b"F%d" % fence)
        return int(fence)


class PositionBoard:
    """The last position of each order and the way to it, kept and told in the bus's next batch."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def place(self, order_id: str, leg: int) -> "Place":
        return Place(self._bus, order_keys(order_id), leg)


class Place:
    """One order's place on the board, on one leg.

    Its keys exist only on this leg, and while the order has a rider (see the commit script): with
    XX nothing is kept after the end, or of a former rider by a hub that has not heard yet. What
    never changes of the commands is packed once; a fix is told ten thousand times as often as a
    place is made.
    """

    __slots__ = ("_bus", "_keep", "_keys", "_last", "_position", "_tell", "_trail")

    def __init__(self, bus: Bus, keys: OrderKeys, leg: int) -> None:
        self._bus, self._keys = bus, keys
        self._position, self._trail = keys.position(leg), keys.trail(leg)
        self._keep = _before_value("SET", self._position, "XX", "KEEPTTL")
        self._tell = _XX_KEEPTTL + _before_value("SPUBLISH", keys.sightings)
        self._last: bytes | None = None

    def put(self, sighting: Sighting) -> None:
        self._last = packed = _pack(sighting)
        self._put(packed)

    def put_again(self) -> bool:
        """Put what was put last, if anything was."""
        if self._last is not None:
            self._put(self._last)
        return self._last is not None

    def _put(self, packed: bytes) -> None:
        size = len(packed)
        commands = b"%b%d\r\n%b%b%d\r\n%b\r\n" % (
            self._keep,
            size,
            packed,
            self._tell,
            size,
            packed,
        )
        self._bus.tell(self._position, commands)

    def put_off(self, deadline: str, at: float) -> None:
        """A deadline that runs comes no earlier than `at`, Unix seconds."""
        member = f"{self._keys.order_id}|{deadline}"
        key = self._keys.deadlines
        self._bus.tell(key, pack("ZADD", key, "XX", "GT", int(at * 1000), member))

    def put_trail(self, trail: list[list[float]]) -> None:
        """Triples of Unix seconds, lat and lng, oldest first."""
        packed = pack("SET", self._trail, _pack(trail), "XX", "KEEPTTL")
        self._bus.tell(self._trail, packed)


_XX_KEEPTTL: Final = b"\r\n$2\r\nXX\r\n$7\r\nKEEPTTL\r\n"


def _before_value(word: str, key: str, *options: str) -> bytes:
    """`word key VALUE options` in RESP, up to the size of VALUE."""
    whole = pack(word, key, "", *options)
    return whole[: whole.index(b"$0\r\n") + 1]
