"""The demo's own HTTP server: the partner's URL, and short addresses for whoever looks on."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.demo.records import OrderRecord, Records
from schemas.lifecycle import Status

__all__ = ["Door", "open_port"]


class Door:
    """An ASGI application. `GET /track` and `/stream` lead to an order that is under way now, at
    the customers' hub `watch_url`; `GET /desk` leads to `desk_url`. All else is the partner's.
    """

    def __init__(self, records: Records, watch_url: str, desk_url: str, partner: ASGIApp) -> None:
        self._records = records
        self._watch_url = watch_url
        self._desk_url = desk_url
        self._partner = partner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            await self._lead(scope["path"])(scope, receive, send)
        else:
            await self._partner(scope, receive, send)

    def _lead(self, path: str) -> Response:
        order = self._to_look_at()
        if path == "/desk":
            return _redirect(self._desk_url)
        if path == "/track" and order is not None:
            return _redirect(self._page_of(order))
        if path == "/stream" and order is not None:
            stream = f"/v1/orders/{order.order_id}/stream?access_token={order.token}"
            return _redirect(self._watch_url + stream)
        return PlainTextResponse("no such page, or no order yet\n", 404)

    @property
    def first(self) -> str:
        """The page of the first order, once there is one."""
        return self._page_of(next(iter(self._records.orders.values())))

    def _page_of(self, order: OrderRecord) -> str:
        return f"{self._watch_url}/track/{order.order_id}#{order.token}"

    def _to_look_at(self) -> OrderRecord | None:
        """The newest on its way, else the newest that is not at its end, else the newest."""
        return max(
            enumerate(self._records.orders.values()),
            key=lambda placed: (
                placed[1].status == Status.ON_DELIVERY,
                not placed[1].final,
                placed[0],
            ),
            default=(0, None),
        )[1]

    @contextlib.asynccontextmanager
    async def open(self, listener: socket.socket) -> AsyncIterator[None]:
        config = uvicorn.Config(
            self, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the demo's."""
        yield


def open_port() -> socket.socket:
    """A listening socket on some free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener.setblocking(False)
    return listener


def _redirect(url: str) -> Response:
    return RedirectResponse(url, 302, {"cache-control": "no-store"})
