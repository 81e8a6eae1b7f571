"""A store, and what is started beside it: a hub, a bridge, partners' endpoints."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from bench.meters import resident_kib
from bench.ours import order_request
from bench.processes import SERVER_CORE, on_core
from bench.webhooks.receiver import LOOPBACK
from hub.app import Hub
from hub.bridge.addresses import AddressGuard
from hub.core.callers.claims import Claims
from hub.demo.children import Child, running
from hub.services.endpoints import Endpoints
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import PARTITIONS, tag
from schemas.lifecycle import Role, Status
from schemas.orders import OrderStatusUpdate
from schemas.webhooks import EndpointRequest

__all__ = ["Scene", "opened", "until"]

_QUIET: Final = ("--log-level", "error")
_POLL: Final = 0.05
_WITHIN: Final = 600.0
_AT_ONCE: Final = 64


class Scene:
    """The processes that it starts have the servers' core and end with it.

    `here` are a hub's use cases in our own process, for what is prepared and not measured.
    """

    def __init__(self, directory: Path, store: EmbeddedStore, stack: AsyncExitStack) -> None:
        self.directory = directory
        self.store = store
        self.connection = Connection(store.url)
        self.processes: dict[str, Sequence[int]] = {"store": [store.pid or 0]}
        self._stack = stack
        secret = secrets.token_urlsafe(32)
        (directory / "secret").write_text(secret)
        settings = Settings(data_dir=directory, secret=secret, webhook_allow=LOOPBACK)
        self.here = Hub(settings, self.connection)
        self.endpoints = Endpoints(self.connection, AddressGuard(LOOPBACK))

    async def hub(self) -> int:
        """Its port."""
        child = await self._start("hub", "serve", "--port", "0", "--drain-seconds", "1")
        return int(child.url.rpartition(":")[2])

    async def bridge(self) -> None:
        await self._start("bridge", "bridge")

    async def _start(self, name: str, *arguments: str) -> Child:
        log = self.directory / f"{name}.log"
        common = ("--data-dir", str(self.directory), "--webhook-allow", LOOPBACK[0], *_QUIET)
        with on_core(SERVER_CORE):
            child = await self._stack.enter_async_context(running(log, *arguments, *common))
        self.processes[name] = [child.pid]
        return child

    async def register(self, partner: str, url: str) -> str:
        """An endpoint for all events of the partner's orders; its id."""
        made = await self.endpoints.create(partner, EndpointRequest(url=url))
        return made.endpoint_id

    async def place(self, partner: str, urls: Sequence[str | None]) -> list[str]:
        """One order for each notificationUrl, or None; their ids."""
        claims = Claims(role=Role.PLATFORM, sub="bench", expires=0, partner=partner)

        async def one(number: int, url: str | None) -> str:
            request = order_request(number, url)
            placed = await self.here.orders.place(request, claims, secrets.token_hex(10))
            return placed.state.order_id

        ids: list[str] = []
        for start in range(0, len(urls), _AT_ONCE):
            batch = enumerate(urls[start : start + _AT_ONCE], start)
            ids += await asyncio.gather(*(one(number, url) for number, url in batch))
        return ids

    async def change(self, orders: Sequence[str], status: Status, at: float) -> None:
        """The status of each, past HTTP."""
        claims = Claims(role=Role.PLATFORM, sub="bench", expires=0)
        update = OrderStatusUpdate(status=status, timestamp=at)
        for start in range(0, len(orders), _AT_ONCE):
            batch = orders[start : start + _AT_ONCE]
            await asyncio.gather(
                *(self.here.orders.change_status(each, update, claims) for each in batch)
            )

    async def read_through(self) -> None:
        """Wait until the bridge has put the whole log into lanes, and dropped what it has read."""
        if not await until(self._read, _WITHIN):
            raise TimeoutError("the bridge does not get through the log")

    async def _read(self) -> bool:
        async with self.connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipeline.xrevrange(f"{tag(partition)}log", count=1)
                pipeline.xlen(f"{tag(partition)}log")
                pipeline.hget(f"{tag(partition)}cursors", "bridge")
            found = await pipeline.execute()
        rows = zip(found[::3], found[1::3], found[2::3], strict=True)
        return all(not last or (kept == 1 and last[0][0] == cursor) for last, kept, cursor in rows)

    async def store_bytes(self) -> int:
        async with self.connection.mapped() as client:
            return int((await client.info("memory"))["used_memory"])

    def resident(self) -> dict[str, int]:
        return resident_kib(self.processes)


@asynccontextmanager
async def opened(store_core: int = SERVER_CORE) -> AsyncIterator[Scene]:
    """A scene with a directory of its own, which is removed after it."""
    directory = Path(tempfile.mkdtemp(prefix="ocb"))
    store = EmbeddedStore(directory)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        with on_core(store_core):
            store.start()
        stack.callback(store.stop)
        scene = Scene(directory, store, stack)
        stack.push_async_callback(scene.connection.close)
        yield scene


async def until(done: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Ask again and again; whether it came true in time."""
    deadline = monotonic() + seconds
    while not await done():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL)
    return True
