"""Running parts in one process: uvicorn with our sockets and our drain, and signals."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Final

import structlog
import uvicorn
from starlette.applications import Starlette

from hub.errors import StartError
from hub.settings import Settings
from hub.tasks import end
from hub.transports.exchange import error_handlers
from hub.transports.front import Front
from hub.transports.service import ops_routes
from hub.transports.upgrade import SocketProtocol

__all__ = ["address", "bind", "configure_logging", "running_hub", "stop_signal", "together"]

log = structlog.get_logger("hub")

_BACKLOG: Final = 4096
_UNSENT: Final = 16 * 1024
_KEEP_ALIVE: Final = 75  # longer than a gateway keeps its own side, or it meets closed ones
_TICK: Final = 1.0
_REST: Final = 5
"""Seconds that requests in flight get after the drain."""


def configure_logging(settings: Settings) -> None:
    """Logs go to standard error, one event a line; standard output is for the command itself."""
    level = getattr(logging, settings.log_level.upper())
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Hubs of one machine that all ask for it `shared` listen on the same port, and the kernel deals
    the connections out to them. Raises StartError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio switches Nagle off only where it can see that this is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    # Connections inherit it. The queue is ours to see: the kernel would hold back some MiB of old
    # positions.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or error
        raise StartError(f"--host/--port: cannot listen on {host}:{port}: {why}") from None
    listener.setblocking(False)
    return listener


def address(host: str, port: int) -> str:
    """HOST:PORT, as in URLs. Who listens everywhere goes by the name of the machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  named here, not listened on
        host = socket.gethostname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(uvicorn.Server):
    """Signals are ours; before uvicorn cuts connections, the hub drains."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self.stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """As uvicorn's, but ten times slower: it wakes an idle hub for nothing but the date."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        drain = getattr(self.config.app.state, "drain", None)  # type: ignore[union-attr]
        if drain is not None:
            await drain()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def _serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        http=Front,
        timeout_keep_alive=_KEEP_ALIVE,
        ws=SocketProtocol,
        lifespan="off",  # ours to start and stop: `running_hub`
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is
        server_header=False,
        timeout_graceful_shutdown=_REST,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn tells no other way
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.stop()
        await task


@contextlib.asynccontextmanager
async def running_hub(
    app: Starlette, settings: Settings, listener: socket.socket
) -> AsyncIterator[None]:
    """One hub, and its operations port if it has one. On leaving, it drains."""
    host, port = settings.host, listener.getsockname()[1]
    app.state.address = settings.advertise or address(host, port)
    async with contextlib.AsyncExitStack() as stack:
        await app.state.start()
        stack.push_async_callback(app.state.stop)
        if settings.ops_port is not None:
            ops_app = Starlette(routes=ops_routes, exception_handlers=error_handlers)
            ops_app.state = _WithoutDrain(app.state)  # type: ignore[assignment]
            ops_listener = bind(settings.host, settings.ops_port)
            await stack.enter_async_context(_serving(ops_app, ops_listener))
        await stack.enter_async_context(_serving(app, listener))
        yield


class _WithoutDrain:
    """A hub's state for the operations port, which answers until the end."""

    drain = None

    def __init__(self, state: Any) -> None:
        self._state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


@contextlib.asynccontextmanager
async def together(
    *works: Coroutine[Any, Any, None], stop: asyncio.Event | None = None
) -> AsyncIterator[None]:
    """Run works beside the body, and cancel them after it.

    A work that fails sets `stop`, so that the program ends instead of going on without it.
    """

    def note(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work failed", exc_info=error)
            if stop is not None:
                stop.set()

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(note)
    try:
        yield
    finally:
        await end(tasks)
