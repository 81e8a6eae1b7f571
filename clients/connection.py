"""One socket to a hub, kept: it connects, notices silence, renews the token and comes back.

What is said on it is a peer's matter (`UserSession`, `RiderSession`). One task runs it all, so
nothing is sent or received at the same time as anything else.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
)
from websockets.typing import Subprotocol

from clients.backoff import DEFAULT, Window, backoff
from clients.errors import ClosedError, HubMessageError, RefusedError
from clients.tokens import Token, TokenSource, expiry
from schemas.codes import CloseCode, NoticeCode, comes_back
from schemas.messages import SUBPROTOCOLS
from schemas.wire import Codec, UndecodableError, codec_of, decode, encode

__all__ = ["Connection", "Options", "Peer", "socket_url"]

logger = logging.getLogger("clients.connection")

T = TypeVar("T")

_MAX_SIZE: Final = 16 * 2**20  # a snapshot with a long history is larger than what a client says
_BETWEEN_RENEWALS: Final = 1.0  # seconds, at least, should every token come expired
_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})


class Peer(Protocol[T]):
    """A sans-I/O session: see `UserSession`."""

    @property
    def ended(self) -> bool: ...
    def connected(self) -> None: ...
    def disconnected(self) -> None: ...
    def due(self) -> float: ...
    def outgoing(self, now: float) -> list[dict[str, Any]]: ...
    def receive(self, message: Mapping[str, Any], now: float) -> list[T]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Seconds, all of them."""

    codec: Codec = "json"
    chance: Callable[[], float]
    """Answers a number in [0, 1): the jitter."""
    grace: float = 10.0
    """The hub's silence beyond its ping interval that counts as a lost connection."""
    stable_after: float = 10.0
    """A connection that lasted this long starts the backoff anew."""
    renew_before: float = 60.0
    """How long before its `exp` a token is renewed in place."""
    connect: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of `websockets.connect`: `ssl`, `proxy`, ..."""


class _Socket(ClientConnection):
    """Knows when anything last came in, pings included."""

    heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)


class _SilenceError(Exception):
    pass


class Connection(Generic[T]):
    """`run` keeps it open until the peer has ended. `deliver` gets what the peer hands out."""

    def __init__(
        self,
        url: str,
        token: Token,
        peer: Peer[T],
        deliver: Callable[[T], None],
        options: Options,
    ) -> None:
        self.up = False
        """Whether a hub has taken the token of the present socket."""
        self._url = url
        self._tokens = TokenSource(token)
        self._peer = peer
        self._deliver = deliver
        self._options = options
        self._patience = 2 * options.grace
        self._window = DEFAULT
        self._delays: Iterator[float] = backoff(options.chance)
        self._up_since = 0.0
        self._token = ""
        self._renew_at = float("inf")
        self._timer: asyncio.Timeout | None = None

    def wake(self) -> None:
        """The peer has something to say: look at once."""
        timer = self._timer
        if timer is not None and not timer.expired():
            timer.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Raises ClosedError, RefusedError or HubMessageError when coming back makes no sense."""
        while not self._peer.ended:
            try:
                await self._once()
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
                self._judge(error)
                logger.info("connection lost: %s", error)
            except _SilenceError:
                logger.info("connection lost: nothing was heard for too long")
            if not self._peer.ended:
                await asyncio.sleep(self._delay())

    async def _once(self) -> None:
        """Connect and talk until the peer has ended. Raises what breaks the connection."""
        token = await self._tokens.get()
        connecting = connect(
            self._url,
            subprotocols=_subprotocols(self._options.codec),
            additional_headers={"Authorization": f"Bearer {token}"},
            create_connection=_Socket,
            max_size=_MAX_SIZE,
            ping_interval=None,  # the hub pings
            **{"close_timeout": 2, "open_timeout": self._options.grace, **self._options.connect},
        )
        async with connecting as socket:
            assert isinstance(socket, _Socket)
            self._patience = 2 * self._options.grace
            self._plan_renewal(token, None)
            try:
                await self._talk(socket)
            finally:
                self.up = False
                self._peer.disconnected()

    async def _talk(self, socket: _Socket) -> None:
        codec = codec_of(socket.subprotocol)
        while not self._peer.ended:
            await self._send(socket, codec)
            payload = await self._next(socket)
            if payload is None:
                self._check_silence(socket)
                continue
            try:
                message = decode(codec, payload)
            except UndecodableError as error:
                raise HubMessageError(f"not from a hub: {error}") from None
            self._take(message)

    async def _send(self, socket: _Socket, codec: Codec) -> None:
        now = asyncio.get_running_loop().time()
        messages = self._peer.outgoing(now)
        if time.time() >= self._renew_at:
            messages = [*await self._renewal(), *messages]
        async with asyncio.timeout(self._patience):
            for message in messages:
                payload = encode(codec, message)
                await socket.send(payload, text=codec == "json")

    async def _next(self, socket: _Socket) -> bytes | None:
        """The next message; None when it is time to look around instead."""
        loop = asyncio.get_running_loop()
        renewal = loop.time() + self._renew_at - time.time()
        due = min(socket.heard_at + self._patience, self._peer.due(), renewal)
        try:
            async with asyncio.timeout_at(max(due, loop.time())) as self._timer:
                return await socket.recv(decode=False)
        except TimeoutError:
            return None
        finally:
            self._timer = None

    def _check_silence(self, socket: _Socket) -> None:
        if asyncio.get_running_loop().time() >= socket.heard_at + self._patience:
            socket.transport.abort()
            raise _SilenceError

    def _take(self, message: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        kind = message["type"]
        if kind == "welcome":
            self._welcomed(message, now)
            return
        if kind == "notice" and message.get("code") == NoticeCode.DRAINING:
            self._expect_return(Window.read(message.get("reconnect")))
        for update in self._peer.receive(message, now):
            self._deliver(update)

    def _welcomed(self, message: Mapping[str, Any], now: float) -> None:
        try:
            self._patience = float(message["ping"]) + self._options.grace
        except (KeyError, TypeError, ValueError):
            raise HubMessageError("the hub's welcome names no ping interval") from None
        window = Window.read(message.get("reconnect")) or DEFAULT
        if window != self._window:
            self._window, self._delays = window, backoff(self._options.chance, window)
        self.up, self._up_since = True, now
        self._peer.connected()

    def _expect_return(self, window: Window | None) -> None:
        """A draining hub says when to come back: that holds whatever was before."""
        if window is not None:
            self._delays = backoff(self._options.chance, window)
            self._up_since = float("inf")

    def _delay(self) -> float:
        """How long to stay away, after a connection was lost or not made."""
        lasted = asyncio.get_running_loop().time() - self._up_since
        if self._up_since and lasted >= self._options.stable_after:
            self._delays = backoff(self._options.chance, self._window)
        self._up_since = 0.0
        return next(self._delays)

    def _judge(self, error: Exception) -> None:
        """Raise what says that coming back as we are makes no sense."""
        if isinstance(error, ssl.SSLCertVerificationError):
            raise error
        if isinstance(error, (InvalidStatus, InvalidProxyStatus)):
            status = error.response.status_code
            if status not in _TRANSIENT:
                raise RefusedError(status) from error
        if isinstance(error, ConnectionClosed) and error.rcvd is not None:
            code, reason = error.rcvd.code, error.rcvd.reason
            expired = code == CloseCode.TOKEN_EXPIRED and not self._tokens.renewable
            if expired or not comes_back(code):
                raise ClosedError(code, reason) from error

    def _plan_renewal(self, token: str, previous: str | None) -> None:
        """Only a token that can be renewed, tells its end, and is not the last one once more."""
        ends = expiry(token)
        self._renew_at = float("inf")
        if ends is not None and self._tokens.renewable and token != previous:
            left = ends - time.time()
            lead = min(self._options.renew_before, left / 5)
            self._renew_at = time.time() + max(left - lead, _BETWEEN_RENEWALS)
        self._token = token

    async def _renewal(self) -> list[dict[str, Any]]:
        """The message that renews the token in place; none if there is no other token yet."""
        token, previous = await self._tokens.get(), self._token
        self._plan_renewal(token, previous)
        return [] if token == previous else [{"type": "auth", "token": token}]


def socket_url(base: str, path: str) -> str:
    """`http://host:8000` or `wss://host/prefix` and a path -> the WebSocket's address.

    Raises ValueError for what is no such base.
    """
    parts = urlsplit(base)
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ValueError(f"{base!r} is no address of a hub: http, https, ws or wss is wanted")
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))


def _subprotocols(codec: Codec) -> list[Subprotocol]:
    return [Subprotocol(SUBPROTOCOLS[1 if codec == "msgpack" else 0])]
