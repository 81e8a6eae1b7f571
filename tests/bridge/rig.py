"""What the bridge's tests have around it: partners' servers, a hub's log, a look at the store."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgpack
from aiohttp import web

from hub.bridge.bridge import Bridge
from hub.store.connection import Connection
from hub.store.keys import partition_of, tag
from schemas.lifecycle import EventType, Status

__all__ = ["Call", "Hub", "Receiver", "deliveries", "running", "seqs", "settled"]

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
STATUSES = {
    EventType.CONFIRMED: Status.CONFIRMED,
    EventType.PREPARING: Status.PREPARING,
    EventType.ON_DELIVERY: Status.ON_DELIVERY,
    EventType.COMPLETED: Status.COMPLETED,
}


async def accept(request: web.Request) -> web.Response:
    return web.Response(status=202)


class Call:
    """One request as the receiver saw it."""

    def __init__(self, request: web.Request, raw: bytes) -> None:
        self.path = request.path
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.raw = raw
        self.body: dict[str, Any] = json.loads(raw)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """A partner's server: answers as `respond` says, and remembers."""

    def __init__(self) -> None:
        self.respond: Respond = accept
        self.calls: list[Call] = []
        self.url = ""
        self._news = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request, await request.read())
        async with self._news:
            self.calls.append(call)
            self._news.notify_all()
        return await self.respond(request)

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def until(self, enough: Callable[[list[Call]], bool]) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: enough(self.calls))

    async def count(self, number: int) -> None:
        await self.until(lambda calls: len(calls) >= number)


class Hub:
    """Stands for the hub: writes events into the log as its commit does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seqs: Counter[str] = Counter()

    async def tell(
        self,
        order_id: str,
        kind: EventType,
        url: str | None = None,
        partner: str = "acme",
        **more: Any,
    ) -> int:
        self._seqs[order_id] += 1
        event = {
            "orderId": order_id,
            "epoch": "abcdefgh",
            "seq": self._seqs[order_id],
            "eventType": kind.value,
            "status": STATUSES.get(kind, Status.PENDING).value,
            "timestamp": "2026-11-22T19:05:43.120Z",
            "actor": {"role": "platform"},
            "prevHash": "",
            "hash": "00",
            **more,
        }
        whom = {"partner": partner, "url": url}
        async with self._connection.mapped() as client:
            await client.xadd(
                f"{tag(partition_of(order_id))}log",
                {"o": order_id, "e": json.dumps(event), "w": msgpack.packb(whom)},
            )
        return self._seqs[order_id]


@asynccontextmanager
async def running(bridge: Bridge) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bridge.run())
    try:
        yield task
    finally:
        await bridge.stop()
        await asyncio.gather(task, return_exceptions=True)


def seqs(calls: list[Call]) -> list[int]:
    return [call.body["seq"] for call in calls]


async def deliveries(connection: Connection) -> list[dict[str, Any]]:
    """Every delivery of the store, its attempts unpacked, by order and seq."""
    found: list[dict[str, Any]] = []
    async with connection.mapped() as client:
        async for key in client.scan_iter("oc:*:book:*"):
            order_id = key.decode().rpartition(":book:")[2]
            found += _in_book(order_id, await client.hgetall(key))
    return sorted(found, key=lambda each: (each["order"], each["target"], each["seq"]))


def _in_book(order_id: str, fields: dict[bytes, bytes]) -> Iterator[dict[str, Any]]:
    for name, value in fields.items():
        if name.startswith(b"d:"):
            _, target, seq = name.decode().split(":")
            state, *_, attempts, before = value.decode().split(" ")
            yield {
                "order": order_id,
                "target": target,
                "seq": int(seq),
                "state": state,
                "attempts": int(attempts) - int(before),
                "made": {
                    int(each.rpartition(b":")[2]): msgpack.unpackb(packed)
                    for each, packed in fields.items()
                    if each.startswith(f"a:{target}:{seq}:".encode())
                },
            }


async def settled(connection: Connection, number: int) -> list[dict[str, Any]]:
    """All deliveries, once `number` of them are no longer pending."""
    async with asyncio.timeout(20):
        while True:
            found = await deliveries(connection)
            if sum(each["state"] != "pending" for each in found) >= number:
                return found
            await asyncio.sleep(0.01)
