"""A hub small enough to read, on a real socket. It does what it is told, wrong things included."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from schemas.messages import SUBPROTOCOLS
from schemas.wire import Codec, codec_of, decode, encode
from tests.clients.orders import Log, Message

Answer = Callable[["FakeHub", ServerConnection, Message], list[Message]]


class FakeHub:
    """`answer` decides what follows on a client's message; `opening` is what is said first."""

    def __init__(self) -> None:
        self.url = ""
        self.orders: dict[str, Log] = {}
        self.received: list[Message] = []
        self.tokens: list[str] = []
        """The tokens of all connections so far, refreshed ones included."""
        self.paths: list[str] = []
        self.sockets: list[ServerConnection] = []
        self.refuse_with: int | None = None
        self.silent = False
        """Take the connection, and say nothing."""
        self.reconnect = {"min": 0.0, "max": 0.0}
        self.ping = 25.0
        self.opening: list[Message] = []
        self.answer: Answer = answer_user
        self._news = asyncio.Condition()

    async def until(self, condition: Callable[["FakeHub"], object]) -> None:
        """Wait for something that a client does."""
        async with self._news:
            await self._news.wait_for(lambda: condition(self))

    def heard(self, kind: str) -> list[Message]:
        return [message for message in self.received if message["type"] == kind]

    async def send(self, *messages: Message) -> None:
        """To every client there is."""
        for socket in self.sockets:
            for message in messages:
                await self._say(socket, message)

    async def change(self, order_id: str, status: str) -> None:
        await self.send(self.orders[order_id].append(status))

    async def close(self, code: int, reason: str = "") -> None:
        present = list(self.sockets)
        for socket in present:
            await socket.close(code, reason)
        await self.until(lambda hub: not set(present) & set(hub.sockets))

    async def abort(self) -> None:
        """As a network does that goes away: no close frame."""
        present = list(self.sockets)
        for socket in present:
            socket.transport.abort()
        await self.until(lambda hub: not set(present) & set(hub.sockets))

    async def serve_one(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.tokens.append(socket.request.headers["Authorization"].removeprefix("Bearer "))
        self.sockets.append(socket)
        try:
            await self._talk(socket)
        except ConnectionClosed:
            pass
        finally:
            self.sockets.remove(socket)
            await self._tell()

    async def _talk(self, socket: ServerConnection) -> None:
        await self._tell()
        if self.refuse_with is not None:
            await socket.close(self.refuse_with, "refused")
            return
        if not self.silent:
            await self._say(socket, self.welcome())
            for message in self.opening:
                await self._say(socket, message)
        while True:
            message = decode(_codec(socket), await socket.recv(decode=False))
            self.received.append(message)
            if message["type"] == "auth":
                self.tokens.append(message["token"])
            for answer in self.answer(self, socket, message):
                await self._say(socket, answer)
            await self._tell()

    def welcome(self) -> Message:
        return {
            "type": "welcome",
            "hub": "fake",
            "ping": self.ping,
            "maxMessage": 65536,
            "reconnect": self.reconnect,
        }

    async def _say(self, socket: ServerConnection, message: Message) -> None:
        codec = _codec(socket)
        await socket.send(encode(codec, message), text=codec == "json")

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def answer_user(hub: FakeHub, socket: ServerConnection, message: Message) -> list[Message]:
    if message["type"] != "subscribe":
        return []
    log = hub.orders.get(message["orderId"])
    if log is None:
        return [{"type": "error", "id": message["id"], "code": "not_found", "message": "no"}]
    answers = [log.subscribed(message)]
    if log.events[-1]["status"] == "COMPLETED":
        answers.append({"type": "unsubscribed", "orderId": log.order_id, "reason": "finished"})
    return answers


def answer_rider(hub: FakeHub, socket: ServerConnection, message: Message) -> list[Message]:
    if message["type"] == "fix":
        return [{"type": "ack", "seq": message["seq"]}]
    if message["type"] == "fixes":
        return [{"type": "ack", "seq": message["fixes"][-1]["seq"]}]
    return []


def _codec(socket: ServerConnection) -> Codec:
    return codec_of(socket.subprotocol)


@asynccontextmanager
async def running() -> AsyncIterator[FakeHub]:
    hub = FakeHub()
    protocols = [Subprotocol(name) for name in SUBPROTOCOLS]
    options: dict[str, Any] = {"subprotocols": protocols, "close_timeout": 0.2}
    async with serve(hub.serve_one, "127.0.0.1", 0, ping_interval=None, **options) as server:
        port = server.sockets[0].getsockname()[1]
        hub.url = f"http://127.0.0.1:{port}"
        yield hub
