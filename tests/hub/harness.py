"""Real hubs on a real store, in the test's own event loop, and clients of every kind.

    async with hubs(store, 2) as (a, b):
        platform = a.http(Role.PLATFORM)
        order = await place(platform)
        async with b.stream(Role.CUSTOMER, "msgpack", orders=[order["orderId"]]) as wire:
            await wire.subscribe(order["orderId"])
            await advance(platform, order, "CONFIRMED", "CANCELLED")
            assert [2, 3] == [event["seq"] for event in await wire.events(2)]

Nothing waits for time to pass: `Wire.next`, `Wire.until` and `Wire.close_code` wait for what the
hub says, and fail after `PATIENCE` seconds.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any, Final, Literal, TypeVar

import httpx2
import msgpack
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.app import Hub, make_app
from hub.server import bind, running_hub
from hub.services.tokens import Tokens
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from schemas.lifecycle import Role
from schemas.messages import SUBPROTOCOLS
from schemas.model import Wire as Model
from schemas.times import format_time
from schemas.wire import Codec

__all__ = [
    "CODECS",
    "DOOR",
    "PATIENCE",
    "SECRET",
    "SHOP",
    "RunningHub",
    "Wire",
    "advance",
    "assign",
    "eventually",
    "fits",
    "fix",
    "fresh",
    "hubs",
    "move",
    "now",
    "on_delivery",
    "order_body",
    "place",
    "replace_listener",
    "status_body",
    "token",
]

SECRET: Final = "a secret for the tests, long enough"
PATIENCE: Final = 15.0
CODECS: Final[tuple[Codec, ...]] = ("json", "msgpack")
SHOP: Final = {"lat": 31.2304, "lng": 121.4737}
DOOR: Final = {"lat": 31.2397, "lng": 121.4998}

ModelT = TypeVar("ModelT", bound=Model)

_tokens = Tokens(SECRET)
_numbers = count(1)


def now(offset: float = 0.0) -> str:
    """The time on the wire, `offset` seconds from now."""
    return format_time(time.time() + offset)


def fresh(prefix: str) -> str:
    """A name that no other test of this process uses."""
    return f"{prefix}_{next(_numbers)}_{time.time_ns()}"


def token(role: Role, *, ttl: float = 3600, **claims: Any) -> str:
    """A signed token; `sub`, `orders`, `restaurant`, `partner` as claims."""
    return _tokens.issue(role, ttl=ttl, **claims)


def order_body(**changes: Any) -> dict[str, Any]:
    """A body of `POST /v1/orders` that is paid in cash; None leaves a field out."""
    body: dict[str, Any] = {
        "restaurantId": "res_1",
        "items": [{"itemId": "i1", "name": "Noodles", "quantity": 2, "unitPriceCents": 1850}],
        "address": {"text": "1 Century Avenue", **DOOR},
        "paymentMethod": "CASH",
        "pickup": SHOP,
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def status_body(status: str, *, offset: float = 0.0, **more: Any) -> dict[str, Any]:
    """A body of `POST .../status`."""
    if status == "CANCELLED":
        more.setdefault("reason", "test")
    return {"status": status, "timestamp": now(offset), **more}


def fix(seq: int, *, offset: float = 0.0, **more: Any) -> dict[str, Any]:
    """A fix near the shop."""
    return {"seq": seq, "at": now(offset), **SHOP, "speed": 4.0, "heading": 90.0, **more}


def fits(model: type[ModelT], data: dict[str, Any]) -> ModelT:
    """What the hub sent, read as the model that describes it."""
    return model.model_validate_json(json.dumps(data))


class Wire:
    """A WebSocket client that speaks one of the two codecs."""

    def __init__(self, connection: ClientConnection, codec: Codec) -> None:
        self.connection = connection
        self.codec = codec
        self.seen: list[dict[str, Any]] = []
        """Every message so far."""

    async def send(self, **message: Any) -> None:
        if self.codec == "json":
            await self.send_raw(json.dumps(message))
        else:
            await self.send_raw(msgpack.packb(message))

    async def send_raw(self, payload: Any) -> None:
        """Text, bytes, or an iterable of either for a message in fragments."""
        await self.connection.send(payload)

    async def next(self) -> dict[str, Any]:
        """The next message, which must have come by the frames of the codec."""
        async with asyncio.timeout(PATIENCE):
            payload = await self.connection.recv()
        assert isinstance(payload, str) is (self.codec == "json")
        message: dict[str, Any] = (
            json.loads(payload) if self.codec == "json" else msgpack.unpackb(payload)
        )
        self.seen.append(message)
        return message

    async def until(
        self, kind: str, wanted: Callable[[dict[str, Any]], bool] = lambda message: True
    ) -> dict[str, Any]:
        """The next message of that type that `wanted` takes; others are passed over."""
        while True:
            message = await self.next()
            if message["type"] == kind and wanted(message):
                return message

    async def ask(self, kind: str, answer: str, **message: Any) -> dict[str, Any]:
        await self.send(type=kind, **message)
        return await self.until(answer)

    async def subscribe(self, order_id: str, **more: Any) -> dict[str, Any]:
        return await self.ask("subscribe", "subscribed", id=order_id, orderId=order_id, **more)

    async def events(self, number: int) -> list[dict[str, Any]]:
        """The next so many events."""
        return [await self.until("event") for _ in range(number)]

    async def quiet(self) -> list[dict[str, Any]]:
        """All that comes before the answer to a ping: what was on its way is here by then."""
        start = len(self.seen)
        name = fresh("ping")
        await self.send(type="ping", id=name)
        await self.until("pong", lambda message: message.get("id") == name)
        return self.seen[start:-1]

    async def close_code(self) -> int:
        """The code that the hub closes with; messages before it are kept in `seen`."""
        with pytest.raises(ConnectionClosed) as closed:
            await self.until("what no hub ever says")
        assert closed.value.rcvd is not None
        return int(closed.value.rcvd.code)


class RunningHub:
    """One hub that answers on a port of its own; its clients are closed with it."""

    def __init__(self, app: Starlette, port: int, stack: AsyncExitStack) -> None:
        self.app = app
        self.state: Hub = app.state  # type: ignore[assignment]
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._stack = stack
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def http(self, role: Role | None = None, **claims: Any) -> httpx2.AsyncClient:
        """A client with a token of that role; without one for None."""
        headers = {} if role is None else {"Authorization": f"Bearer {token(role, **claims)}"}
        key = repr((role, sorted(claims.items())))
        if key not in self._clients:
            client = httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE)
            self._stack.push_async_callback(client.aclose)
            self._clients[key] = client
        return self._clients[key]

    @property
    def platform(self) -> httpx2.AsyncClient:
        return self.http(Role.PLATFORM)

    @asynccontextmanager
    async def socket(
        self,
        path: str,
        bearer: str | None = None,
        codec: Codec = "json",
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> AsyncIterator[Wire]:
        """A socket, with the token in its first request if one is given. Nothing is read yet."""
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        offered = {"subprotocols": [SUBPROTOCOLS[CODECS.index(codec)]]}
        async with connect(
            f"ws://127.0.0.1:{self.port}{path}",
            **{
                "additional_headers": sent,
                "compression": None,
                "ping_interval": None,
                "proxy": None,
                "close_timeout": 5,
                **offered,
                **options,
            },
        ) as connection:
            yield Wire(connection, codec)

    @asynccontextmanager
    async def stream(
        self, role: Role = Role.PLATFORM, codec: Codec = "json", **claims: Any
    ) -> AsyncIterator[Wire]:
        """A socket of `/v1/stream` that has been welcomed."""
        async with self.socket("/v1/stream", token(role, **claims), codec) as wire:
            await wire.until("welcome")
            yield wire

    @asynccontextmanager
    async def rider(self, rider_id: str, codec: Codec = "json") -> AsyncIterator[Wire]:
        """A socket of a rider that has been welcomed and has got its orders."""
        bearer = token(Role.RIDER, sub=rider_id)
        async with self.socket(f"/v1/riders/{rider_id}/stream", bearer, codec) as wire:
            await wire.until("orders")
            yield wire


def replace_listener(
    hub: RunningHub,
    order: dict[str, Any],
    listener: Callable[[bytes], None],
    name: Literal["channel", "sightings"] = "channel",
) -> Callable[[bytes], None]:
    """Have somebody else listen to one of an order's channels; answers who did before."""
    (node,) = hub.state.bus._nodes.values()
    channel = str(getattr(order_keys(order["orderId"]), name)).encode()
    before: Callable[[bytes], None] = node._listeners[channel]
    node._listeners[channel] = listener
    return before


@asynccontextmanager
async def hubs(
    store: EmbeddedStore, n: int = 1, **settings: Any
) -> AsyncIterator[tuple[RunningHub, ...]]:
    """`n` hubs on one store. `settings` as of hub.settings, for instance `ping_seconds=1`."""
    flags = {"port": 0, "secret": SECRET, "data_dir": store.data_dir, "drain_seconds": 1}
    loaded = Settings.load(**{**flags, **settings})
    async with AsyncExitStack() as stack:
        yield tuple([await _hub(stack, store, loaded) for _ in range(n)])


async def _hub(stack: AsyncExitStack, store: EmbeddedStore, settings: Settings) -> RunningHub:
    connection = Connection(store.url)
    stack.push_async_callback(connection.close)
    listener = bind(settings.host, 0)
    port = listener.getsockname()[1]
    app = make_app(settings, connection)
    await stack.enter_async_context(running_hub(app, settings, listener))
    return RunningHub(app, port, stack)


async def place(platform: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A new order, as `POST /v1/orders` answers it."""
    response = await platform.post("/v1/orders", json=order_body(**changes))
    assert 201 == response.status_code, response.text
    placed: dict[str, Any] = response.json()
    return placed


async def move(
    client: httpx2.AsyncClient, order: dict[str, Any], status: str, **more: Any
) -> httpx2.Response:
    """Ask for one status; the answer is the test's to judge."""
    return await client.post(
        f"/v1/orders/{order['orderId']}/status", json=status_body(status, **more)
    )


async def advance(client: httpx2.AsyncClient, order: dict[str, Any], *statuses: str) -> None:
    """Bring an order through `statuses`; each must be applied."""
    for status in statuses:
        response = await move(client, order, status)
        assert 200 == response.status_code, response.text
        assert response.json()["applied"], response.text


async def assign(
    platform: httpx2.AsyncClient, order: dict[str, Any], rider_id: str
) -> dict[str, Any]:
    response = await platform.put(
        f"/v1/orders/{order['orderId']}/rider", json={"riderId": rider_id}
    )
    assert 200 == response.status_code, response.text
    assigned: dict[str, Any] = response.json()
    return assigned


async def on_delivery(
    platform: httpx2.AsyncClient, rider_id: str, **changes: Any
) -> dict[str, Any]:
    """A new order that the rider has picked up."""
    order = await place(platform, **changes)
    await assign(platform, order, rider_id)
    await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY")
    return order


async def eventually(holds: Callable[[], Any]) -> Any:
    """What `holds` answers (or resolves to) as soon as it is true.

    For the rare thing that no message tells: it looks again every few milliseconds.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = holds()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.005)
