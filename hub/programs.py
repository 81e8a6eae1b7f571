"""The programs behind the commands: what each composes, from its start to its stop."""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import click
import structlog
import uvloop
from prometheus_client import start_http_server

from hub import tracing
from hub.app import Hub, make_app
from hub.bridge.addresses import AddressGuard
from hub.bridge.bridge import Bridge
from hub.core.pseudonyms import Pseudonyms
from hub.errors import StartError
from hub.eta.model import path_in
from hub.gateway import HubList
from hub.server import bind, configure_logging, running_hub, stop_signal, together
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.deadlines import DeadlineStore
from hub.store.embedded import EmbeddedStore
from hub.store.leases import Leases
from hub.store.log import Log
from hub.store.models import ModelStore
from hub.store.roster import Roster
from hub.tasks import rest_from_collecting
from hub.worker.audit import Auditor
from hub.worker.deadlines import Deadlines
from hub.worker.erasures import Erasing
from hub.worker.keys import Keys, load_keys
from hub.worker.lake import check_extra
from hub.worker.learning import READER, Learning, Retraining
from hub.worker.presence import Presence
from hub.worker.sources import sources
from hub.worker.warehouse import Warehouse
from hub.worker.witness import Witness, Witnessing, witness_of
from hub.worker.worker import Duty, Led, Worker, worker_name

__all__ = ["bridge", "gateway_config", "run", "serve", "store", "up", "worker"]

log = structlog.get_logger("hub")


def run(settings: Settings, program: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a program until it is stopped. Raises StartError."""
    configure_logging(settings)
    _raise_file_limit()
    if settings.tracing:
        tracing.start(getattr(program, "__name__", "ordercast"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(program(settings))
    tracing.stop()


def _raise_file_limit() -> None:
    """As many sockets as the system lets us have: by default it is often a thousand."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Connection]:
    """The store that the settings name, or the embedded one, started and kept going."""
    if settings.redis_url is not None:
        connection = Connection(settings.redis_url, settings.durability)
        await connection.check()
        yield connection
        await connection.close()
        return
    fsync = settings.durability == "fsync"
    if settings.durability == "replica":
        raise StartError("ORDERCAST_DURABILITY: the embedded store has no replica")
    store = EmbeddedStore(settings.data_dir, fsync_always=fsync)
    store.start()
    connection = Connection(store.url)
    try:
        async with together(store.keep()):
            await connection.check()
            yield connection
    finally:
        await connection.close()
        store.stop()


@contextlib.contextmanager
def _worker_of(hub: Hub, keys: Keys, witness: Witness | None) -> Iterator[Worker]:
    """Raises StartError."""
    name = worker_name()
    leases = Leases(hub.connection, name)
    log, interval = Log(hub.connection, "audit"), hub.settings.audit_interval
    learned = Log(hub.connection, READER)
    duties: list[Duty] = [
        Deadlines(DeadlineStore(hub.connection), hub.exceptions),
        Presence(Roster(hub.connection, "worker"), name),
        Led(Erasing(hub.customers), leases, "erasures"),
        Led(Auditor(log, hub.audit_store, keys, interval), leases, "audit"),
        Led(_learning_of(hub, learned), leases, "eta"),
    ]
    if witness is not None:
        duties.append(Led(Witnessing(hub.audit_store, witness), leases, "witness"))
    if hub.settings.warehouse is not None:
        retraining = Retraining(hub.settings.warehouse, hub.settings.data_dir)
        duties.append(Led(retraining, leases, "eta-training"))
        duties.append(Led(_warehouse_of(hub, hub.settings.warehouse), leases, "warehouse"))
    try:
        yield Worker(duties)
    finally:
        log.close()
        learned.close()


def _learning_of(hub: Hub, log: Log) -> Learning:
    return Learning(
        log,
        hub.order_store,
        ModelStore(hub.connection),
        hub.order_index,
        hub.roster,
        path_in(hub.settings.data_dir),
    )


def _warehouse_of(hub: Hub, root: str) -> Warehouse:
    """Raises StartError."""
    check_extra()
    if hub.settings.secret is None:
        raise StartError("ORDERCAST_WAREHOUSE: needs ORDERCAST_SECRET, to make pseudonyms by")
    names, interval = Pseudonyms(hub.settings.secret), hub.settings.warehouse_interval
    return Warehouse(root, hub.connection, sources(hub.order_store, names), names, interval)


def _auditing(settings: Settings, *, make: bool = False) -> tuple[Keys, Witness | None]:
    """Raises StartError."""
    witness = None if settings.witness is None else witness_of(settings.witness)
    return load_keys(settings, make=make), witness


def _bridge_of(settings: Settings, connection: Connection) -> Bridge:
    guard = AddressGuard(allow=settings.webhook_allow)
    return Bridge(
        connection,
        guard=guard,
        concurrency=settings.webhook_concurrency,
        keep=settings.webhook_retention,
        noted=settings.warehouse is not None,
    )


def _url(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


async def up(settings: Settings) -> None:
    stop = stop_signal()
    auditing = _auditing(settings, make=True)
    listener = bind(settings.host, settings.port)
    async with _store(settings) as connection:
        app = make_app(settings, connection)
        hub = cast("Hub", app.state)
        bridging = _bridge_of(settings, connection)
        with _worker_of(hub, *auditing) as working:
            async with (
                together(bridging.run(), working.run(), stop=stop),
                running_hub(app, settings, listener),
            ):
                click.echo(f"ready {_url(settings, listener)}")
                await stop.wait()
                await bridging.stop()


async def serve(settings: Settings) -> None:
    stop = stop_signal()
    listener = bind(settings.host, settings.port, shared=settings.share_port)
    async with (
        _shared_store(settings) as connection,
        running_hub(make_app(settings, connection), settings, listener),
    ):
        click.echo(f"ready {_url(settings, listener)}")
        await stop.wait()


def _tell_metrics(settings: Settings) -> None:
    """On the operations port, for the programs that have no other. One that is taken keeps
    nobody from work: on one machine they may all have been given the same.
    """
    if settings.ops_port is None:
        return
    try:
        start_http_server(settings.ops_port, settings.host)
    except OSError as error:
        log.warning("no metrics", port=settings.ops_port, error=error.strerror)


async def bridge(settings: Settings) -> None:
    stop = stop_signal()
    _tell_metrics(settings)
    async with _shared_store(settings) as connection:
        running = _bridge_of(settings, connection)
        rest_from_collecting()
        async with together(running.run(), stop=stop):
            click.echo("ready bridge")
            await stop.wait()
            await running.stop()


async def worker(settings: Settings) -> None:
    stop = stop_signal()
    auditing = _auditing(settings)
    _tell_metrics(settings)
    async with _shared_store(settings) as connection:
        with _worker_of(Hub(settings, connection), *auditing) as working:
            async with together(working.run(), stop=stop):
                click.echo("ready worker")
                await stop.wait()


@contextlib.asynccontextmanager
async def _shared_store(settings: Settings) -> AsyncIterator[Connection]:
    """For processes that share a store: the embedded one of `up`, if it runs, is one too."""
    if settings.redis_url is None:
        beside = EmbeddedStore(settings.data_dir)
        if beside.answers:
            settings = settings.model_copy(update={"redis_url": beside.url})
    async with _store(settings) as connection:
        yield connection


async def store(settings: Settings, *, port: int) -> None:
    stop = stop_signal()
    fsync = settings.durability == "fsync"
    embedded = EmbeddedStore(settings.data_dir, fsync_always=fsync, port=port)
    embedded.start()
    try:
        async with together(embedded.keep(), stop=stop):
            click.echo(f"ready redis://127.0.0.1:{port}")
            await stop.wait()
    finally:
        embedded.stop()


async def gateway_config(
    settings: Settings, *, out: Path, command: str | None, every: float | None
) -> None:
    """Write the list of hubs once (exit status 1 if there is none), or every so many seconds."""
    stop = stop_signal()
    if settings.redis_url is None and not EmbeddedStore(settings.data_dir).answers:
        raise StartError(f"ORDERCAST_REDIS_URL: not set, and no store runs in {settings.data_dir}")
    async with _shared_store(settings) as connection:
        hubs = HubList(Roster(connection), out, command)
        try:
            fine = await hubs.update()
            while every is not None and not await _set_within(every, stop):
                fine = await hubs.update()
        except OSError as error:
            raise StartError(f"--out: {out}: {error.strerror}") from None
    if every is None and not fine:
        sys.exit(1)


async def _set_within(seconds: float, event: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(event.wait(), seconds)
    return False
