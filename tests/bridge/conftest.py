"""A real store, real receivers on the loopback, and a bridge whose hours are seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from hub.bridge.addresses import AddressGuard
from hub.bridge.attempts import Pace
from hub.bridge.bridge import Bridge
from hub.bridge.sender import Timeouts
from hub.services.endpoints import Endpoints
from hub.store.connection import Connection
from tests.bridge.rig import Hub, Receiver


@pytest.fixture
def guard() -> AddressGuard:
    return AddressGuard(["127.0.0.0/8"])


@pytest.fixture
def endpoints(connection: Connection, guard: AddressGuard) -> Endpoints:
    return Endpoints(connection, guard)


@pytest.fixture
async def receive() -> AsyncIterator[Callable[[], Awaitable[Receiver]]]:
    """Starts one more receiver with each call."""
    runners: list[web.AppRunner] = []

    async def start() -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", receiver.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return receiver

    yield start
    await asyncio.gather(*(runner.cleanup() for runner in runners))


@pytest.fixture
async def receiver(receive: Callable[[], Awaitable[Receiver]]) -> Receiver:
    return await receive()


@pytest.fixture
def hub(connection: Connection) -> Hub:
    return Hub(connection)


@pytest.fixture
def make_bridge(connection: Connection, guard: AddressGuard) -> Callable[..., Bridge]:
    def make(**options: Any) -> Bridge:
        settings: dict[str, Any] = {
            "guard": guard,
            "timeouts": Timeouts(connect=1.0, total=5.0),
            "pace": Pace(scale=0.01),
        }
        return Bridge(connection, **(settings | options))

    return make
