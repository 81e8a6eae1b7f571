"""The bus: sharded pub/sub over the server, or over each node of the cluster.

A node's connection is supervised: it never dies silently. It is made again with jitter, every
channel is subscribed anew, and only then is the node called restored, so that whoever listens
can compare what it knows with the store.

The hub's commands go by the same connection, so that a subscription and what is read after it
are one round trip. What is told goes by a second one, on which the server answers nothing: an
answer nobody waits for would wake two processes for each message of a quiet hub.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from hiredis import ReplyError

from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.link import Address, Link, connect
from hub.tasks import end

__all__ = ["Bus"]

_BATCH: Final = 512
_RETRY_MIN: Final = 0.05
_RETRY_MAX: Final = 2.0
_CONFIRM_TIMEOUT: Final = 5.0

Listener = Callable[[bytes], None]
"""Called with the payload of each message of a channel, in order."""

log = structlog.get_logger("hub.bus")


class Bus:
    """`on_lost()` and `on_restored()` tell when a node's connection breaks, and when it and all
    its subscriptions are there again.
    """

    def __init__(
        self,
        connection: Connection,
        on_lost: Callable[[], None],
        on_restored: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._nodes: dict[Address, _Node] = {}
        self._only: _Node | None = None
        """The node, where the store is one server."""

    async def start(self) -> None:
        """Connect to the store; nodes that join a cluster later follow as channels need them."""
        for address in await self._known():
            await self._node(address).connected.wait()
        if not self._connection.cluster:
            self._only = self._node(self._connection.home)

    async def stop(self) -> None:
        for node in self._nodes.values():
            await node.stop()

    @property
    def up(self) -> bool:
        return all(node.connected.is_set() for node in self._nodes.values())

    def reset(self) -> None:
        """Drop every connection, to be made anew: they are up, but nothing comes."""
        for node in self._nodes.values():
            node.reset()

    async def subscribe(self, listeners: Mapping[str, Listener]) -> None:
        """Listen to channels of one slot; return once the server has confirmed them all.

        A channel has one listener. Raises UnavailableError while the server is away.
        """
        confirmed = await self.begin(listeners)
        try:
            async with asyncio.timeout(_CONFIRM_TIMEOUT):
                await asyncio.shield(confirmed)
        except TimeoutError:
            raise UnavailableError("the store does not confirm") from None

    async def begin(self, listeners: Mapping[str, Listener]) -> asyncio.Future[None]:
        """`subscribe` that does not wait: the future is done when the server has confirmed.

        On one server, a command given now is done after it.
        """
        node = self._node_of(next(iter(listeners)))
        if not node.attempted.is_set():
            await node.attempted.wait()
        return node.begin({name.encode(): each for name, each in listeners.items()})

    def unsubscribe(self, *channels: str) -> None:
        self._node_of(channels[0]).unsubscribe(*(name.encode() for name in channels))

    def tell(self, key: str, packed: bytes) -> None:
        """Commands on `key`, packed, whose answers nobody needs.

        They go with all others of this tick; while the node is away they are dropped.
        """
        (self._only or self._node_of(key)).tell(packed)

    async def audience(self, channels: Sequence[str]) -> dict[str, int]:
        """How many links listen to each of these channels, over all hubs. Raises
        UnavailableError.
        """
        by_node: defaultdict[Address, list[str]] = defaultdict(list)
        for channel in channels:
            by_node[self._connection.address(channel)].append(channel)
        found: dict[str, int] = {}
        for address, names in by_node.items():
            reply = await self._connection.pipes.ask(address, "PUBSUB", "SHARDNUMSUB", *names)
            if isinstance(reply, ReplyError):
                raise UnavailableError(str(reply))
            pairs = zip(reply[::2], reply[1::2], strict=True)
            found |= {name.decode(): number for name, number in pairs}
        return found

    def _node_of(self, key: str) -> "_Node":
        return self._node(self._connection.address(key))

    async def _known(self) -> list[Address]:
        home = self._connection.home
        if not self._connection.cluster:
            return [home]
        await self._connection.client.initialize()
        nodes = self._connection.client.get_primaries()
        return [(home[0], node.host, str(node.port)) for node in nodes]

    def _node(self, address: Address) -> "_Node":
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = _Node(self, address)
        return node

    async def rehome(self, channel: bytes, listener: Listener) -> None:
        """A slot moved to another node: look up where, and subscribe there."""
        try:
            await self._connection.client.initialize()
            await self.subscribe({channel.decode(): listener})
            await self._on_restored()
        except UnavailableError:
            log.warning("channel not rehomed", channel=channel.decode())


class _Subscription:
    """A channel that is wanted. `confirmed` is of all channels that were asked for with it, and
    done when the server tells of the last of them.
    """

    __slots__ = ("confirmed", "last")

    def __init__(self, confirmed: asyncio.Future[None], last: bool) -> None:
        self.confirmed = confirmed
        self.last = last

    def settle(self) -> None:
        if self.last and not self.confirmed.done():
            self.confirmed.set_result(None)


class _Node:
    """One server: a link for its messages, a mute one to tell it something, and its channels."""

    def __init__(self, bus: Bus, address: Address) -> None:
        self._bus = bus
        self._address = address
        self._wanted: dict[bytes, _Subscription] = {}
        self._listeners: dict[bytes, Listener] = {}
        self._messages: Link | None = None
        self._tells: Link | None = None
        self.connected = asyncio.Event()
        self.attempted = asyncio.Event()
        self._supervisor = asyncio.create_task(self._supervise())
        self._rehoming: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        await end([self._supervisor, *self._rehoming])
        self._drop_links()

    def begin(self, listeners: Mapping[bytes, Listener]) -> asyncio.Future[None]:
        if self._messages is None or not self.connected.is_set():
            raise UnavailableError("the bus is not connected")
        new = [channel for channel in listeners if channel not in self._wanted]
        if new:
            self._messages.subscribe(b"SSUBSCRIBE", *new)
            confirmed = asyncio.get_running_loop().create_future()
        for channel, listener in listeners.items():
            if channel not in self._wanted:
                self._wanted[channel] = _Subscription(confirmed, channel == new[-1])
            self._listeners[channel] = listener
        return confirmed if new else self._wanted[next(iter(listeners))].confirmed

    def unsubscribe(self, *channels: bytes) -> None:
        known = [name for name in channels if self._wanted.pop(name, None) is not None]
        for name in known:
            del self._listeners[name]
        if known and self._messages is not None:
            self._messages.subscribe(b"SUNSUBSCRIBE", *known)

    def tell(self, packed: bytes) -> None:
        if self._tells is not None:
            self._tells.write(packed)

    def _on_message(self, channel: bytes, payload: bytes) -> None:
        listener = self._listeners.get(channel)
        if listener is not None:
            try:
                listener(payload)
            except Exception:
                log.exception("message not understood", channel=channel.decode(errors="replace"))

    async def _supervise(self) -> None:
        attempt = 0
        while True:
            try:
                await self._connect()
                attempt = 0
                assert self._messages is not None
                assert self._tells is not None
                await asyncio.wait(
                    (self._messages.lost, self._tells.lost),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                log.warning("bus lost", node=":".join(self._address))
            except UnavailableError as error:
                log.warning("bus not reached", node=":".join(self._address), error=str(error))
            self.attempted.set()
            if self.connected.is_set():
                self.connected.clear()
                self._bus._on_lost()
            self._drop_links()
            attempt += 1
            await asyncio.sleep(random.uniform(_RETRY_MIN, min(_RETRY_MAX, 0.1 * 2**attempt)))

    def reset(self) -> None:
        if self._messages is not None:
            self._messages.close()

    def _drop_links(self) -> None:
        for link in (self._messages, self._tells):
            if link is not None:
                link.close()
        self._messages = self._tells = None

    async def _connect(self) -> None:
        credentials = self._bus._connection.credentials
        self._tells = await connect(self._address, credentials, mute=True)
        self._messages = await connect(
            self._address, credentials, lambda: Link(self._on_message, self._on_subscription)
        )
        if not self._bus._connection.cluster:
            self._bus._connection.pipes.adopt(self._address, self._messages)
        await self._resubscribe()
        self.connected.set()
        self.attempted.set()
        await self._bus._on_restored()

    async def _resubscribe(self) -> None:
        assert self._messages is not None
        channels = list(self._wanted)
        for start in range(0, len(channels), _BATCH):
            for channel in channels[start : start + _BATCH]:
                if channel in self._wanted:
                    self._messages.subscribe(b"SSUBSCRIBE", channel)
            await self._messages.ask("PING")  # answered when all of them are

    def _on_subscription(self, word: bytes, channel: bytes) -> None:
        wanted = self._wanted.get(channel)
        if wanted is None:
            return
        if word == b"ssubscribe":
            wanted.settle()
        elif self._bus._connection.cluster:  # refused, or not asked for: the slot moved away
            del self._wanted[channel]
            listener = self._listeners.pop(channel)
            task = asyncio.create_task(self._bus.rehome(channel, listener))
            self._rehoming.add(task)
            task.add_done_callback(self._rehoming.discard)
