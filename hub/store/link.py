"""One raw connection to one Redis server: what is sent in a tick goes out as one write.

redis-py stays the client for what is rare or needs care (a cluster's redirections, a script that
the server does not know). What is hot goes here: with redis-py, the relay of a rider's fix cost
two to three times as much, and a script's call five times.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
import structlog
from hiredis import PushNotification
from redis.asyncio.connection import parse_url

from hub.errors import UnavailableError

__all__ = ["Address", "Link", "address_of_url", "connect", "pack"]

Address = tuple[str, ...]
"""What `connect` takes: ("unix", path) or ("tcp"|"tls", host, port)."""

_CONNECT_TIMEOUT: Final = 1.0
_ANSWER_TIMEOUT: Final = 4.0
_HELLO: Final = ("HELLO", "3")
_DEFAULT_USER: Final = "default"

log = structlog.get_logger("hub.store")

OnMessage = Callable[[bytes, bytes], None]
OnSubscription = Callable[[bytes, bytes], None]


def _ignore(channel: bytes, payload: bytes) -> None:
    """For links that only take commands."""


def address_of_url(url: str) -> tuple[Address, tuple[str, ...]]:
    """Where a URL points, and its credentials as AUTH takes them."""
    parts: dict[str, Any] = dict(parse_url(url.replace("+cluster", "")))
    credentials = tuple(parts[name] for name in ("username", "password") if parts.get(name))
    if "path" in parts:
        return ("unix", parts["path"]), credentials
    scheme = "tls" if url.startswith("rediss") else "tcp"
    return (scheme, parts.get("host", "localhost"), str(parts.get("port", 6379))), credentials


def pack(*command: Any) -> bytes:
    """A command in RESP."""
    packed: bytes = hiredis.pack_command(command)
    return packed


def _auth(credentials: tuple[str, ...]) -> tuple[str, ...]:
    if not credentials:
        return ()
    user = credentials[0] if len(credentials) == 2 else _DEFAULT_USER
    return ("AUTH", user, credentials[-1])


class _Pushes:
    """In the queue of answers: channels that the server is to tell about, one after the other."""

    __slots__ = ("channels", "told")

    def __init__(self, channels: tuple[bytes, ...]) -> None:
        self.channels = channels
        self.told = 0


class Link(asyncio.Protocol):
    """`on_message(channel, payload)` for each message, `on_subscription(word, channel)` for each
    `ssubscribe` and `sunsubscribe` that the server tells, asked for or not; a refusal is told as
    the latter. A server that owes an
    answer for four seconds counts as lost.

    It speaks RESP3, where messages are told apart from answers: so an order's channel and its
    state are asked for in one go, and the server does one after the other.
    """

    def __init__(
        self, on_message: OnMessage = _ignore, on_subscription: OnSubscription = _ignore
    ) -> None:
        self._on_message = on_message
        self._on_subscription = on_subscription
        self._reader = hiredis.Reader()
        self._out: list[bytes] = []
        self._replies: deque[asyncio.Future[Any] | _Pushes] = deque()
        self._answered = 0
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self.lost = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by isinstance

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        if not self.lost.done():
            self.lost.set_result(None)
        while self._replies:
            waiting = self._replies.popleft()
            if not isinstance(waiting, _Pushes):
                self._fail(waiting)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        gets = self._reader.gets
        while (reply := gets()) is not False:
            if type(reply) is not PushNotification:
                self._settle(reply)
            elif reply[0] == b"smessage":
                self._on_message(reply[1], reply[2])
            else:
                self._pushed(reply)

    def _pushed(self, push: Any) -> None:
        self._answered += 1
        owed = self._replies[0] if self._replies else None
        if isinstance(owed, _Pushes) and push[1] in owed.channels:
            owed.told += 1
            if owed.told == len(owed.channels):
                self._replies.popleft()
        self._on_subscription(push[0], push[1])

    def _settle(self, reply: Any) -> None:
        self._answered += 1
        waiting = self._replies.popleft() if self._replies else None
        if isinstance(waiting, _Pushes):
            self._refused(waiting, reply)
        elif waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def _refused(self, pushes: _Pushes, reply: Any) -> None:
        """For instance because the slot has moved."""
        log.warning("subscription refused", error=str(reply))
        for channel in pushes.channels:
            self._on_subscription(b"sunsubscribe", channel)

    @staticmethod
    def _fail(waiting: asyncio.Future[Any]) -> None:
        if not waiting.done():
            waiting.set_exception(UnavailableError("the connection to the store was lost"))

    def subscribe(self, word: bytes, *channels: bytes) -> None:
        """Queue an SSUBSCRIBE or SUNSUBSCRIBE, whose answers are pushes, one for each channel."""
        if self._transport is not None:
            self._replies.append(_Pushes(channels))
            self.write(pack(word, *channels))

    def write(self, packed: bytes) -> None:
        """Queue a command, packed already, on a mute link."""
        if self._transport is None:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packed)

    def ask(self, *command: Any) -> asyncio.Future[Any]:
        """Queue a command; its answer, a hiredis.ReplyError included, comes with the future."""
        waiting: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None:
            self._fail(waiting)
            return waiting
        self.write(pack(*command))
        self._replies.append(waiting)
        if self._watch is None:
            self._watch_from_now()
        return waiting

    def _watch_from_now(self) -> None:
        """One timer for all: a command of its own each would cost more than most commands."""
        self._watch = self._loop.call_later(_ANSWER_TIMEOUT, self._still_answers, self._answered)

    def _still_answers(self, answered: int) -> None:
        self._watch = None
        if not self._replies:
            return
        if self._answered == answered:
            self.close()
        else:
            self._watch_from_now()

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    @property
    def up(self) -> bool:
        return self._transport is not None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def retire(self) -> None:
        """Close when whoever has it has had an answer, or never will."""
        self._loop.call_later(_ANSWER_TIMEOUT, self.close)


async def connect(
    address: Address,
    credentials: tuple[str, ...],
    make: Callable[[], Link] = Link,
    *,
    mute: bool = False,
) -> Link:
    """A link that is up and authenticated; a mute one answers nothing from then on.

    Raises UnavailableError.
    """
    loop = asyncio.get_running_loop()

    link: Link | None = None
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            if address[0] == "unix":
                _, link = await loop.create_unix_connection(make, address[1])
            else:
                tls = address[0] == "tls" or None
                _, link = await loop.create_connection(make, address[1], int(address[2]), ssl=tls)
            # A server that hangs takes connections all the same; only its answer counts.
            reply = await link.ask(*_HELLO, *_auth(credentials))
            if isinstance(reply, hiredis.ReplyError):
                raise UnavailableError(str(reply))
            if mute:
                link.write(pack("CLIENT", "REPLY", "OFF"))
            return link
    except BaseException as error:
        if link is not None:
            link.close()
        if isinstance(error, OSError | TimeoutError):
            raise UnavailableError(f"{':'.join(address)}: {error}") from error
        raise
