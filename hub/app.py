"""One hub instance, composed: the only place that knows all its parts."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware

from hub.bridge.addresses import AddressGuard
from hub.core.orders.deadlines import Durations
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.core.watchers.lag import LagWindow
from hub.errors import UnavailableError
from hub.metrics import FEEDS, STORE_UP, event_lag_counts
from hub.services.audit import Audit
from hub.services.customers import Customers
from hub.services.deliveries import Deliveries
from hub.services.endpoints import Endpoints
from hub.services.estimates import Estimates
from hub.services.exceptions import Exceptions
from hub.services.fanout import Fanout
from hub.services.intake import Intake
from hub.services.logbook import Logbook
from hub.services.orders import Orders
from hub.services.overview import Overview
from hub.services.probe import PROBE_LIMIT, Probe
from hub.services.pull import Pull
from hub.services.riders import Riders
from hub.services.search import Search
from hub.services.tokens import Tokens
from hub.settings import Settings
from hub.store.audit import AuditStore
from hub.store.bus import Bus
from hub.store.connection import Connection
from hub.store.exceptions import ExceptionIndex
from hub.store.index import OrderIndex
from hub.store.models import ModelStore
from hub.store.once import Once
from hub.store.orders import OrderStore
from hub.store.requests import RequestStream
from hub.store.restaurants import RestaurantStore
from hub.store.riders import RiderIndex
from hub.store.roster import Roster
from hub.tasks import end, rest_from_collecting
from hub.transports import (
    audit,
    customers,
    exceptions,
    orders,
    osmand,
    overview,
    pages,
    partners,
    service,
    sse,
    stream,
    uplink,
)
from hub.transports.conversation import reconnect_window
from hub.transports.cors import Cors
from hub.transports.exchange import error_handlers
from hub.transports.middleware import Requests
from hub.transports.sockets import Sockets
from hub.transports.traced import Traced

__all__ = ["Hub", "make_app"]

_SIGN_IN: Final = 5.0
_LAG_SIGN_INS: Final = 12  # a minute

log = structlog.get_logger("hub")


class Hub:
    """The parts of one instance, and what runs beside its requests.

    It is the state of the Starlette application: handlers find the parts by name.
    """

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        self.connection = connection
        self.hub_id = f"hub-{secrets.token_hex(4)}"
        self.address = f"{settings.host}:{settings.port}"
        """Where a gateway reaches it; told anew once it listens."""
        self.degraded = True
        retention = int(settings.retention)
        guard = AddressGuard(allow=settings.webhook_allow)
        self.tokens = Tokens(settings.secret, settings.jwks)
        self.once = Once(connection)
        self.order_store = OrderStore(connection, retention)
        self.restaurants = RestaurantStore(connection)
        self.roster = Roster(connection)
        self.lag = LagWindow(_LAG_SIGN_INS)
        riders = RiderIndex(connection)
        index = OrderIndex(connection, retention)
        durations = Durations.of(settings)
        self.order_index = index
        self.estimates = Estimates(ModelStore(connection), index, self.roster)
        self.orders = Orders(
            self.order_store,
            index,
            self.once,
            riders,
            self.restaurants,
            durations,
            guard.check,
            self.estimates.outlook,
            retention,
        )
        self.exceptions = Exceptions(
            self.orders, self.order_store, ExceptionIndex(connection), durations
        )
        self.search = Search(self.order_store, index, riders)
        self.overview = Overview(connection, index, self.roster)
        self.audit_store = AuditStore(connection, retention)
        self.audit = Audit(self.audit_store, self.orders)
        self.endpoints = Endpoints(connection, guard)
        self.deliveries = Deliveries(connection)
        self.pull = Pull(connection)
        self.customers = Customers(
            connection, self.order_store, retention, warehouse=settings.warehouse is not None
        )
        self.logbook: Logbook | None = None
        if settings.warehouse is not None and settings.secret is not None:
            requests = RequestStream(connection, self.hub_id)
            self.logbook = Logbook(requests, Pseudonyms(settings.secret))
        self.fanout = Fanout(self.order_store, self.estimates.way)
        self.riders = Riders(
            self.order_store,
            riders,
            self.fanout,
            fix_rate=settings.fix_rate,
            position_error=settings.position_error,
        )
        self.intake = Intake(
            self.orders.approach, self.exceptions.hear, rider_silent=settings.rider_silent
        )
        self.sockets = Sockets(settings.ping_seconds)
        self.event_streams: set[sse.EventStream] = set()
        self.probe = Probe(self.hub_id)
        self._tasks: list[asyncio.Task[None]] = []
        self.bus: Bus
        self.pages: pages.Pages

    async def start(self) -> None:
        self.bus = Bus(self.connection, self._on_lost, self._on_restored)
        self.fanout.bus = self.bus
        self.riders.attach(self.bus)
        await self.bus.start()
        await self.bus.subscribe({self.probe.channel: self.probe.on_message})
        for work in (
            self.probe.run(self.bus),
            self.sockets.run(),
            self._sign_in(),
            self._look_after(),
            self.riders.run(),
            self.fanout.run(),
            self.estimates.run(),
        ):
            self._tasks.append(asyncio.create_task(work))
        if self.logbook is not None:
            self._tasks.append(asyncio.create_task(self.logbook.run()))
        rest_from_collecting()

    async def stop(self) -> None:
        await end(self._tasks)
        await self.intake.stop()
        if self.logbook is not None:
            await self.logbook.write()
        await self.riders.stop()
        await self.fanout.stop()
        await self._quietly(self.roster.sign_out(self.hub_id))
        await self.bus.stop()

    async def drain(self) -> None:
        """Tell every client to come back elsewhere, and close them at a pace."""
        for events in tuple(self.event_streams):
            events.say(_draining())
        await self.sockets.drain(self.settings.drain_seconds, _draining)

    def _on_lost(self) -> None:
        if not self.degraded:
            self._tell({"type": "notice", "code": "degraded"})
        self.degraded = True
        STORE_UP.set(0)

    async def _on_restored(self) -> None:
        """Make every subscription whole, and only then say so."""
        was_degraded = self.degraded
        self.probe.restart()
        await self.fanout.make_whole()
        self.riders.make_whole()
        self.degraded = not self.bus.up
        STORE_UP.set(not self.degraded)
        if was_degraded and not self.degraded:
            self._tell({"type": "notice", "code": "recovered"})

    def _tell(self, message: dict[str, Any]) -> None:
        self.sockets.tell(message)
        for events in tuple(self.event_streams):
            events.say(message)

    async def _sign_in(self) -> None:
        while True:
            about = {
                "address": self.address,
                "opsPort": self.settings.ops_port,
                "sockets": len(self.sockets),
                "feeds": len(self.fanout),
                "eventLag": self.lag.after(event_lag_counts()).view(),
            }
            await self._quietly(self.roster.sign_in(self.hub_id, about, time.time()))
            await asyncio.sleep(_SIGN_IN)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_SIGN_IN)
            FEEDS.set(len(self.fanout))
            if self.probe.age() > PROBE_LIMIT and not self.degraded:
                log.warning("the bus is silent", seconds=round(self.probe.age(), 1))
                self.bus.reset()
            await self._quietly(self.fanout.check_silent())

    @staticmethod
    async def _quietly(work: Coroutine[Any, Any, None]) -> None:
        """Work that the next round makes good when the store is away."""
        try:
            await work
        except UnavailableError as error:
            log.debug("store away", error=str(error))


def _draining() -> dict[str, Any]:
    return {"type": "notice", "code": "draining", "reconnect": reconnect_window()}


def _tiles(settings: Settings) -> dict[str, str] | None:
    if not settings.tiles:
        return None
    about = {"attribution": settings.tiles_attribution, "crs": settings.tiles_crs}
    return {"url": settings.tiles, **about}


def make_app(settings: Settings, connection: Connection) -> Starlette:
    """The ASGI application of one hub; its sockets need `SocketProtocol` in uvicorn's `ws`."""
    hub = Hub(settings, connection)
    hub.pages = pages.Pages(pages.BUILT, _tiles(settings))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await hub.start()
        yield
        await hub.stop()

    routes = [
        *orders.routes,
        *exceptions.routes,
        *customers.routes,
        *overview.routes,
        *sse.routes,
        *uplink.routes,
        *osmand.routes,
        *stream.routes,
        *partners.routes,
        *audit.routes,
        *pages.routes,
        *service.routes,
        *([] if settings.ops_port else service.ops_routes),
    ]
    origins = settings.allowed_origins
    app = Starlette(
        routes=routes,
        middleware=[
            *([Middleware(Traced)] if settings.tracing else []),
            *([Middleware(Cors, allowed=origins)] if origins else []),
            Middleware(Requests, logbook=hub.logbook),
        ],
        exception_handlers=error_handlers,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state = hub  # type: ignore[assignment]
    return app
