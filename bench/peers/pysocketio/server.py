"""A hub: a rider emits "fix", and the room of its order gets it, of this hub and of all others on
the same store; a customer emits "subscribe". README.md says how to run it.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import socketio
from redis.asyncio import BlockingConnectionPool, Redis


class Json:
    """What python-socketio wants of a JSON module, by a quicker one than the standard library's."""

    loads = staticmethod(msgspec.json.decode)

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return msgspec.json.encode(value).decode()


class Manager(socketio.AsyncRedisManager):
    """With a pool that waits for a free connection. The library's own fails when there is none,
    and is then made anew with new connections, which cost up to seconds of lag.

    `subscribed` is set when the store has confirmed that this hub hears the others.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.subscribed = asyncio.Event()

    def _redis_connect(self) -> None:
        pool = BlockingConnectionPool.from_url(self.redis_url, max_connections=50)
        self.redis = Redis.from_pool(pool)
        self.pubsub = self.redis.pubsub()
        self.connected = True

    async def _redis_listen_with_retries(self) -> AsyncIterator[dict[str, Any]]:
        async for message in super()._redis_listen_with_retries():
            if message["type"] == "subscribe":
                self.subscribed.set()
            yield message


manager = Manager(os.environ["STORE"])
server = socketio.AsyncServer(
    async_mode="asgi",
    client_manager=manager,
    transports=["websocket"],
    json=Json,
    async_handlers=False,  # no task for each message, and a rider's fixes stay in order
)


@server.on("fix")
async def fix(_: str, data: dict[str, Any]) -> None:
    await server.emit("fix", data, room=data["orderId"])


@server.on("subscribe")
async def subscribe(sid: str, order: str) -> None:
    """The customer is told when this returns: Socket.IO's acknowledgement."""
    await server.enter_room(sid, order)
    await manager.subscribed.wait()


app = socketio.ASGIApp(server)
