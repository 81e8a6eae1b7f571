"""Watch orders live: `UserClient`."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clients.base import SocketClient
from clients.connection import Connection, Options, socket_url
from clients.inbox import Inbox
from clients.session import Cursor, UserSession
from clients.tokens import Token
from clients.updates import Estimate, Notice, Position, Update
from schemas.model import Crs
from schemas.wire import Codec

__all__ = ["UserClient"]


def _newest_of(update: Update) -> tuple[type, str] | None:
    if isinstance(update, Position | Estimate):
        return type(update), update.order_id
    return None


def _fence_of(update: Update) -> Iterable[tuple[type, str]]:
    if isinstance(update, Notice | Position | Estimate):
        return ()
    return (Position, update.order_id), (Estimate, update.order_id)


class UserClient(SocketClient[Update]):
    """An asynchronous iterator of what happens to some orders, over lost connections.

        async with UserClient("https://hub.example", token, orders=["ord_1"]) as client:
            async for update in client:
                print(update)

    Per order, events come with no hole and no repeat: `Snapshot` first, then each `Event`. It
    ends by itself once every watched order is finished, refused or unsubscribed, unless it
    `stays`. A reader may be slow: events wait, positions give way to newer ones.

    `url` is the hub's base address, http(s) or ws(s). `token` is a string, or an async callable
    that is asked before each connection and shortly before the token's `exp`. `connect` holds
    further arguments of `websockets.connect`, such as `ssl` or `proxy`.

    The iterator raises ClosedError when the hub closed with a code that forbids coming back,
    RefusedError when the handshake was refused, HubMessageError when no hub answers there, and
    whatever the token callable raised.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        orders: Iterable[str] = (),
        codec: Codec = "json",
        stays: bool = False,
        chance: Callable[[], float] = random.random,
        grace: float = 10.0,
        connect: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = socket_url(url, "/v1/stream")
        self._session = UserSession(chance, stays)
        inbox: Inbox[Update] = Inbox(_newest_of, _fence_of)
        options = Options(codec=codec, chance=chance, grace=grace, connect=connect or {})
        connection = Connection(self._url, token, self._session, inbox.put, options)
        super().__init__(connection, inbox)
        for order_id in orders:
            self._session.subscribe(order_id)

    def __repr__(self) -> str:
        state = "connected" if self.connected else "away"
        return f"<UserClient {self._url} {state}, {len(self._session.orders)} orders>"

    @property
    def cursors(self) -> Mapping[str, Cursor | None]:
        """Where each watched order stands; kept, it lets another process go on from there."""
        return self._session.orders

    async def subscribe(
        self, order_id: str, *, after: Cursor | None = None, crs: Crs = "wgs84"
    ) -> None:
        """Watch an order; the answer comes as a `Snapshot` or `Refused` of the iteration.

        `after` asks for every event since then first. Coordinates come in `crs`. Does not wait
        for a connection.
        """
        self._session.subscribe(order_id, after, crs)
        self._connection.wake()

    async def unsubscribe(self, order_id: str) -> None:
        self._session.unsubscribe(order_id)
        self._connection.wake()
