"""Ordercast itself as a target: two hubs and their store, with every check of the contract on.

Only the number of fixes that a rider may send is set higher, or a handful of riders could not
make a load; and every fix is told, as it is the relay that is measured. Orders are prepared
through the hub's own use cases, past HTTP, as that is not measured here.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bench.processes import SERVER_CORE, on_core
from bench.stops import Buckets, loop_stops
from bench.target import Dial, Step
from hub.app import Hub
from hub.core.callers.claims import Claims
from hub.demo.children import running
from hub.services.tokens import Tokens
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role, Status
from schemas.orders import OrderRequest, OrderStatusUpdate
from schemas.times import format_time

__all__ = ["Ordercast", "launch", "order_request"]

_FIX_RATE: Final = 100_000
_HOUR: Final = 3600.0
_AT_ONCE: Final = 64
_PARTNER: Final = "http://127.0.0.1:9/orders"
_PLATFORM: Final = Claims(role=Role.PLATFORM, sub="bench", expires=0)


class Ordercast:
    """`hubs` are ports: riders sit on the first, customers on the others in turn."""

    name = "ordercast"
    answers: Mapping[bytes, bytes] = {}

    def __init__(
        self, hubs: Sequence[int], processes: Mapping[str, Sequence[int]], secret: str, hub: Hub
    ) -> None:
        self.hubs = hubs
        self.processes = processes
        self.tokens = Tokens(secret)
        self.ids: list[str] = []
        self.fixes_in_a_message = 1
        self._hub = hub

    async def prepare(self, orders: int, *, riding: bool = True, notified: bool = False) -> None:
        """`riding`: each is on delivery, by a rider of its own; else it was just placed.
        `notified`: a partner is to be told of every change.
        """
        while len(self.ids) < orders:
            first = len(self.ids)
            numbers = range(first, min(first + _AT_ONCE, orders))
            self.ids += await asyncio.gather(*(self._make(n, riding, notified) for n in numbers))

    async def _make(self, number: int, riding: bool, notified: bool) -> str:
        orders = self._hub.orders
        request = order_request(number, _PARTNER if notified else None)
        placed = await orders.place(request, _PLATFORM, secrets.token_hex(10))
        order_id = placed.state.order_id
        if riding:
            await orders.assign_rider(order_id, f"rider-{number}", _PLATFORM)
            for status in (Status.CONFIRMED, Status.ON_DELIVERY):
                update = OrderStatusUpdate(status=status, timestamp=time.time())
                await orders.change_status(order_id, update, _PLATFORM)
        return order_id

    async def make_events(self, number: int) -> list[tuple[str, int]]:
        """So many events of each order; answers where it stood before them, epoch and seq."""
        orders = self._hub.orders

        async def one(order_id: str) -> tuple[str, int]:
            state = await orders.get(order_id, _PLATFORM)
            for turn in range(number):
                await orders.assign_rider(order_id, f"{state.rider_id}-{turn}", _PLATFORM)
            return state.epoch, state.seq

        places: list[tuple[str, int]] = []
        for start in range(0, len(self.ids), _AT_ONCE):
            batch = self.ids[start : start + _AT_ONCE]
            places += await asyncio.gather(*map(one, batch))
        return places

    async def loop_stops(self) -> Buckets:
        return await loop_stops(self.hubs)

    def bearer(self, role: Role, **claims: Any) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.tokens.issue(role, ttl=_HOUR, **claims)}"}

    def rider(self, order: int) -> Dial:
        name = f"rider-{order}"
        return Dial(
            self.hubs[0],
            f"/v1/riders/{name}/stream",
            self.bearer(Role.RIDER, sub=name),
            [Step(b'"orderId"')],
        )

    def customer(self, order: int) -> Dial:
        return self.watch(order, b"")

    def watch(self, order: int, after: bytes) -> Dial:
        """`after`: the rest of the subscribe message, to resume."""
        order_id = self.ids[order]
        subscribe = b'{"type":"subscribe","id":1,"orderId":"%b"%b}' % (order_id.encode(), after)
        hubs = self.hubs[1:] or self.hubs
        return Dial(
            hubs[order % len(hubs)],
            "/v1/stream",
            self.bearer(Role.CUSTOMER, orders=[order_id]),
            [Step(b'"welcome"', subscribe), Step(b'"subscribed"')],
        )

    def dispatcher(self, orders: Sequence[int]) -> Dial:
        """A socket that watches all these orders."""
        subscribe = b'{"type":"subscribe","id":%d,"orderId":"%b"}'
        asks = [subscribe % (number, self.ids[number].encode()) for number in orders]
        waits = [b'"welcome"', *(b'"id":%d,' % number for number in orders)]
        steps = [Step(wait, say) for wait, say in zip(waits, [*asks, None], strict=True)]
        bearer = self.bearer(Role.PLATFORM, sub="dispatcher")
        return Dial(self.hubs[-1], "/v1/stream", bearer, steps)

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        """Some 8 m/s to the north, at whatever rate."""
        now, batch = time.time(), self.fixes_in_a_message
        newest = f'{{"type":"fix",{_fix(number, now)},"heading":{stamp},"speed":8.3}}'
        if batch == 1:
            return newest.encode()
        ago = range(batch - 1, 0, -1)
        older = ",".join(f"{{{_fix(number, now - each / 1000)}}}" for each in ago)
        return f'{{"type":"fixes","fixes":[{older},{newest.replace(_TYPE, "")}]}}'.encode()


_TYPE: Final = '"type":"fix",'


def _fix(number: int, at: float) -> str:
    lat = 31.2 + at % 3600 * 7e-5
    return f'"seq":{number},"at":"{format_time(at)}","lat":{lat:.6f},"lng":121.473701'


def order_request(number: int, notification_url: str | None = None) -> OrderRequest:
    return OrderRequest.model_validate(
        {
            "notificationUrl": notification_url,
            "restaurantId": f"res_{number % 100}",
            "items": [{"itemId": "i1", "name": "Soup", "quantity": 1, "unitPriceCents": 2800}],
            "address": {"text": f"{number} Example Road", "lat": 31.23, "lng": 121.47},
            "paymentMethod": "CASH",
        }
    )


@contextlib.asynccontextmanager
async def launch(
    directory: Path, hubs: int = 2, flags: Iterable[str] = ()
) -> AsyncIterator[Ordercast]:
    """A store and so many hubs on the servers' core."""
    secret = secrets.token_urlsafe(32)
    (directory / "secret").write_text(secret)
    store = EmbeddedStore(directory)
    async with contextlib.AsyncExitStack() as stack:
        with on_core(SERVER_CORE):
            store.start()
            stack.callback(store.stop)
            children = [
                await stack.enter_async_context(
                    running(
                        directory / "hubs.log",
                        "serve",
                        *("--data-dir", str(directory), "--port", "0", "--log-level", "warning"),
                        *("--fix-rate", str(_FIX_RATE), "--position-error", "0"),
                        *("--drain-seconds", "1", *flags),
                    )
                )
                for _ in range(hubs)
            ]
        connection = Connection(store.url)
        stack.push_async_callback(connection.close)
        assert store.pid is not None
        names = islice("ABCDEFGH", hubs)
        processes: dict[str, Sequence[int]] = {
            f"hub{name}": [child.pid] for name, child in zip(names, children, strict=True)
        }
        ports = [int(child.url.rpartition(":")[2]) for child in children]
        settings = Settings(data_dir=directory, secret=secret, webhook_allow=("127.0.0.0/8",))
        hub = Hub(settings, connection)
        yield Ordercast(ports, processes | {"store": [store.pid]}, secret, hub)
