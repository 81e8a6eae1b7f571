"""The programs behind the commands: what each composes, from its start to its stop."""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, cast

import click
import structlog
import uvloop
from prometheus_client import start_http_server

from hub import tracing
from hub.app import Hub, make_app
from hub.bridge.addresses import AddressGuard
from hub.bridge.bridge import Bridge
from hub.duties import auditing_of, worker_of
from hub.errors import StartError
from hub.server import bind, configure_logging, running_hub, stop_signal, together
from hub.services.gateway import HubList
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.roster import Roster
from hub.tasks import rest_from_collecting

__all__ = ["bridge", "gateway_config", "run", "serve", "store", "up", "worker"]

log = structlog.get_logger("hub")

_SAFE_SECRET: Final = 32


def run(settings: Settings, program: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a program until it is stopped. Raises StartError."""
    configure_logging(settings)
    if settings.secret is not None and len(settings.secret.encode()) < _SAFE_SECRET:
        log.warning("ORDERCAST_SECRET is short: HS256 asks for 32 bytes (RFC 7518, 3.2)")
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
    auditing = auditing_of(settings, make=True)
    listener = bind(settings.host, settings.port)
    async with _store(settings) as connection:
        app = make_app(settings, connection)
        hub = cast("Hub", app.state)
        bridging = _bridge_of(settings, connection)
        with worker_of(hub, *auditing) as working:
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
    auditing = auditing_of(settings)
    _tell_metrics(settings)
    async with _shared_store(settings) as connection:
        with worker_of(Hub(settings, connection), *auditing) as working:
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
