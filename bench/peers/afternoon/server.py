"""A hub: the JSON that a rider sends to /rider/ORDER is sent to every customer on /customer/ORDER,
of this hub and of all others on the same store. README.md says how to run it.
"""

import asyncio
import contextlib
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from redis.asyncio import BlockingConnectionPool, Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

pool = BlockingConnectionPool.from_url(
    os.environ["STORE"], max_connections=50, decode_responses=True
)
redis = Redis.from_pool(pool)
pubsub = redis.pubsub()


@dataclass
class Order:
    customers: set[WebSocket] = field(default_factory=set)
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)


orders: defaultdict[str, Order] = defaultdict(Order)


async def rider(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            fix = await socket.receive_json()
            message = json.dumps(fix, separators=(",", ":"))
            await redis.publish(socket.path_params["order"], message)


async def customer(socket: WebSocket) -> None:
    name = socket.path_params["order"]
    await socket.accept()
    order = orders[name]
    order.customers.add(socket)
    try:
        if len(order.customers) == 1:
            await pubsub.subscribe(name)
        await order.subscribed.wait()
        await socket.send_text('{"type":"subscribed"}')
        async for _ in socket.iter_text():
            pass  # a customer says nothing; this ends when it goes
    finally:
        order.customers.discard(socket)
        if not order.customers:
            del orders[name]
            await pubsub.unsubscribe(name)


async def listen() -> None:
    async for message in pubsub.listen():
        order = orders.get(message["channel"])
        if order is None:
            continue
        if message["type"] == "subscribe":
            order.subscribed.set()
        elif message["type"] == "message":
            for socket in tuple(order.customers):
                # Starlette's second complaint about a socket that is gone is a RuntimeError.
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await socket.send_text(message["data"])


@contextlib.asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    await pubsub.subscribe("hubs")  # with no channel at all, listen() would end at once
    listening = asyncio.create_task(listen())
    yield
    listening.cancel()


routes = [
    WebSocketRoute("/rider/{order}", rider),
    WebSocketRoute("/customer/{order}", customer),
]
app = Starlette(routes=routes, lifespan=lifespan)
