"""Tell a hub where a rider is: `RiderClient`."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from clients.base import SocketClient
from clients.connection import Connection, Options, socket_url
from clients.inbox import Inbox
from clients.tokens import Token
from clients.updates import Acked, Cadence, Orders, RiderMessage
from clients.uplink import RiderSession
from schemas.model import Crs
from schemas.times import format_time
from schemas.wire import Codec

__all__ = ["RiderClient"]

_UNREAD = 1000
"""Messages kept for a rider's app that does not read them."""


def _newest_of(message: RiderMessage) -> type | None:
    return type(message) if isinstance(message, Acked | Orders | Cadence) else None


class RiderClient(SocketClient[RiderMessage]):
    """Sends fixes as often as the hub wants them, and again those it did not acknowledge.

        async with RiderClient("https://hub.example", "rider-7", token) as client:
            await client.send(31.2304, 121.4737, speed=6.1)

    Iterating over it gives `Orders`, `Cadence`, `Acked`, `Rejected` and `Notice`; an app need not.
    `url`, `token`, `connect` and what is raised are as with `UserClient`; a rider who connects
    from elsewhere ends this client with ClosedError 4509.

    Without a connection up to `capacity` fixes are kept, the newest. `first_seq` is the
    microseconds of the clock unless given: it has to grow from one run of the app to the next.
    """

    def __init__(
        self,
        url: str,
        rider_id: str,
        token: Token,
        *,
        codec: Codec = "json",
        capacity: int = 1000,
        first_seq: int | None = None,
        chance: Callable[[], float] = random.random,
        grace: float = 10.0,
        connect: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = socket_url(url, f"/v1/riders/{quote(rider_id, safe=':')}/stream")
        start = time.time_ns() // 1000 if first_seq is None else first_seq
        self._session = RiderSession(start, capacity)
        self._settled = asyncio.Event()
        self._error: Exception | None = None
        inbox: Inbox[RiderMessage] = Inbox(_newest_of, limit=_UNREAD)
        options = Options(codec=codec, chance=chance, grace=grace, connect=connect or {})
        super().__init__(Connection(self._url, token, self._session, self._deliver, options), inbox)

    def __repr__(self) -> str:
        state = "connected" if self.connected else "away"
        return f"<RiderClient {self._url} {state}, {self.pending} fixes pending>"

    @property
    def orders(self) -> Orders:
        """What the rider carries now, as far as the hub has told."""
        return self._session.orders

    @property
    def cadence(self) -> Cadence:
        return self._session.cadence

    @property
    def pending(self) -> int:
        """Fixes that the hub has neither acknowledged nor rejected yet."""
        return self._session.pending

    @property
    def dropped(self) -> int:
        """Fixes that fell out of the full buffer."""
        return self._session.dropped

    async def send(
        self,
        lat: float,
        lng: float,
        *,
        at: float | None = None,
        heading: float | None = None,
        speed: float | None = None,
        accuracy: float | None = None,
        battery: float | None = None,
        crs: Crs = "wgs84",
        immediately: bool = False,
    ) -> int:
        """Queue a fix and answer its seq; does not wait for a connection.

        `at` is Unix seconds, now unless given; units are those of `schemas.positions.Fix`. Within
        the hub's cadence a newer fix replaces one that waits, `immediately` sends it at once.
        Raises what ended the client, if it has.
        """
        if self._error is not None:
            raise self._error
        told = {
            "heading": heading,
            "speed": speed,
            "accuracy": accuracy,
            "battery": battery,
            "crs": None if crs == "wgs84" else crs,
        }
        fix: dict[str, Any] = {"at": format_time(time.time() if at is None else at)}
        fix |= {"lat": float(lat), "lng": float(lng)}
        fix |= {name: value for name, value in told.items() if value is not None}
        self._settled.clear()
        seq = self._session.add(fix, asyncio.get_running_loop().time(), immediately)
        self._connection.wake()
        return seq

    async def settled(self) -> None:
        """Wait until every fix was acknowledged or rejected. Raises what ended the client."""
        if self.pending:
            await self._settled.wait()
        if self._error is not None:
            raise self._error

    def _deliver(self, message: RiderMessage) -> None:
        self._inbox.put(message)
        if not self.pending:
            self._settled.set()

    def _ended(self, error: Exception | None) -> None:
        self._error = self._error or error
        self._settled.set()
        super()._ended(error)
