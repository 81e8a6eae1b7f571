"""The bus: sharded pub/sub over the server, or over each node of the cluster.

A node's connection is supervised: it never dies silently. It is made again with jitter, every
channel is subscribed anew, and only then is the node called restored, so that whoever listens
can compare what it knows with the store.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.link import Address, Link, OnMessage, address_of_url, connect
from hub.tasks import end

__all__ = ["Bus"]

_BATCH: Final = 512
_RETRY_MIN: Final = 0.05
_RETRY_MAX: Final = 2.0
_CONFIRM_TIMEOUT: Final = 5.0

log = structlog.get_logger("hub.bus")


class Bus:
    """`on_message(channel, payload)` is called for each message, in order per channel.

    `on_lost()` and `on_restored()` tell when a node's connection breaks, and when it and all its
    subscriptions are there again.
    """

    def __init__(
        self,
        connection: Connection,
        on_message: OnMessage,
        on_lost: Callable[[], None],
        on_restored: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._home, self._credentials = address_of_url(connection.url)
        self._nodes: dict[Address, _Node] = {}

    async def start(self) -> None:
        """Connect to the store; nodes that join a cluster later follow as channels need them."""
        for address in await self._known():
            await self._node(address).connected.wait()

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

    async def subscribe(self, channel: str) -> None:
        """Return once the server has confirmed. Raises UnavailableError while it is away."""
        node = self._node(self._address(channel))
        await node.attempted.wait()
        await node.subscribe(channel.encode())

    def unsubscribe(self, channel: str) -> None:
        self._node(self._address(channel)).unsubscribe(channel.encode())

    def ask(self, key: str, *command: str | bytes) -> asyncio.Future[Any]:
        """A command to the node that holds `key`, joined with all others of this tick."""
        return self._node(self._address(key)).ask(*command)

    def tell(self, key: str, *command: str | bytes) -> None:
        """As `ask`, where nobody cares for the answer; dropped while the node is away."""
        self._node(self._address(key)).tell(*command)

    async def _known(self) -> list[Address]:
        if not self._connection.cluster:
            return [self._home]
        await self._connection.client.initialize()
        nodes = self._connection.client.get_primaries()
        return [(self._home[0], node.host, str(node.port)) for node in nodes]

    def _address(self, key: str) -> Address:
        if not self._connection.cluster:
            return self._home
        node = self._connection.client.get_node_from_key(key)
        return (self._home[0], node.host, str(node.port))

    def _node(self, address: Address) -> "_Node":
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = _Node(self, address)
        return node

    async def rehome(self, channel: bytes) -> None:
        """A slot moved to another node: look up where, and subscribe there."""
        try:
            await self._connection.client.initialize()
            await self.subscribe(channel.decode())
            await self._on_restored()
        except UnavailableError:
            log.warning("channel not rehomed", channel=channel.decode())


class _Node:
    """One server: a link for its messages, one for commands, and the channels it carries."""

    def __init__(self, bus: Bus, address: Address) -> None:
        self._bus = bus
        self._address = address
        self._wanted: dict[bytes, asyncio.Future[None]] = {}
        self._messages: Link | None = None
        self._commands: Link | None = None
        self.connected = asyncio.Event()
        self.attempted = asyncio.Event()
        self._supervisor = asyncio.create_task(self._supervise())
        self._rehoming: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        await end([self._supervisor, *self._rehoming])
        self._drop_links()

    async def subscribe(self, channel: bytes) -> None:
        confirmed = self._wanted.get(channel)
        if confirmed is None:
            confirmed = self._wanted[channel] = asyncio.get_running_loop().create_future()
            if self._messages is not None:
                self._messages.send(b"SSUBSCRIBE", channel)
        if not self.connected.is_set():
            self._wanted.pop(channel, None)
            raise UnavailableError("the bus is not connected")
        await asyncio.shield(confirmed)

    def unsubscribe(self, channel: bytes) -> None:
        if self._wanted.pop(channel, None) is not None and self._messages is not None:
            self._messages.send(b"SUNSUBSCRIBE", channel)

    def ask(self, *command: str | bytes) -> asyncio.Future[Any]:
        if self._commands is None:
            failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            failed.set_exception(UnavailableError("the bus is not connected"))
            return failed
        return self._commands.ask(*command)

    def tell(self, *command: str | bytes) -> None:
        if self._commands is not None:
            self._commands.tell(*command)

    async def _supervise(self) -> None:
        attempt = 0
        while True:
            try:
                await self._connect()
                attempt = 0
                assert self._messages is not None
                assert self._commands is not None
                await asyncio.wait(
                    (self._messages.lost, self._commands.lost),
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
        for link in (self._messages, self._commands):
            if link is not None:
                link.close()
        self._messages = self._commands = None

    async def _connect(self) -> None:
        bus = self._bus
        for name in ("_commands", "_messages"):
            link = await connect(
                self._address, bus._credentials, bus._on_message, self._on_subscription
            )
            setattr(self, name, link)
        await self._resubscribe()
        self.connected.set()
        self.attempted.set()
        await bus._on_restored()

    async def _resubscribe(self) -> None:
        assert self._messages is not None
        loop = asyncio.get_running_loop()
        channels = list(self._wanted)
        for channel in channels:
            if self._wanted[channel].done():
                self._wanted[channel] = loop.create_future()
        for start in range(0, len(channels), _BATCH):
            for channel in channels[start : start + _BATCH]:
                self._messages.send(b"SSUBSCRIBE", channel)
            for channel in channels[start : start + _BATCH]:
                if (confirmed := self._wanted.get(channel)) is not None:
                    await self._confirmed_or_lost(confirmed)

    async def _confirmed_or_lost(self, confirmed: asyncio.Future[None]) -> None:
        assert self._messages is not None
        await asyncio.wait(
            (confirmed, self._messages.lost),
            return_when=asyncio.FIRST_COMPLETED,
            timeout=_CONFIRM_TIMEOUT,
        )
        if not confirmed.done():
            raise UnavailableError("lost while subscribing")

    def _on_subscription(self, word: bytes, channel: bytes) -> None:
        wanted = self._wanted.get(channel)
        if wanted is None:
            return
        if word == b"ssubscribe":
            if not wanted.done():
                wanted.set_result(None)
        elif self._bus._connection.cluster:  # not asked for: the slot moved away
            del self._wanted[channel]
            task = asyncio.create_task(self._bus.rehome(channel))
            self._rehoming.add(task)
            task.add_done_callback(self._rehoming.discard)
