"""The demo, composed: two hubs as processes, a partner, a town, a screen, a summary."""

import asyncio
import contextlib
import fcntl
import json
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from hub.demo import browser
from hub.demo.checks import check_lanes
from hub.demo.children import running
from hub.demo.desk import Desk
from hub.demo.door import Door, open_port
from hub.demo.evening import plan
from hub.demo.partner import HOOKS, Partner
from hub.demo.records import Records
from hub.demo.screen import Screen, show_summary
from hub.demo.summary import Summary, summarize
from hub.demo.town import Town
from hub.errors import StartError
from hub.private import make_private
from hub.services.tokens import Tokens
from hub.transports.pages import BUILT
from schemas.lifecycle import Role
from schemas.orders import Event

__all__ = ["Options", "run"]

_WEBHOOKS_WITHIN: Final = 60.0  # after the last event; retries back off up to 15 s by then
_CATCH_UP: Final = 6.0  # seconds that streams get when the town was closed early
_LAST_REQUESTS: Final = 0.5  # seconds until those that were broken off have had their effect
_DESK_TTL: Final = 3600.0
_AT_ONCE: Final = 16  # requests, when the stored events are read


@dataclass(frozen=True, slots=True)
class Options:
    orders_per_minute: float
    minutes: float
    seed: int
    speed: float
    """How many times faster than usual lives go."""
    as_json: bool


async def run(data_dir: Path, secret: str, options: Options) -> int:
    """The exit status: 0 when every promise was kept, else 1. Raises StartError."""
    stop = _interrupts()
    console = Console(stderr=options.as_json, highlight=False)
    _make_fresh(data_dir)
    make_private(data_dir / "secret", secret)
    listener = open_port()
    host, port = listener.getsockname()[:2]
    flags = _flags(data_dir, host)
    with contextlib.closing(listener):
        async with (
            running(data_dir / "hub-a.log", "up", *flags) as hub_a,
            running(data_dir / "hub-b.log", "serve", *flags) as hub_b,
        ):
            console.print(
                f"two hubs, {hub_a.url} and {hub_b.url}; their logs are in {data_dir}",
                soft_wrap=True,
            )
            async with Desk(hub_a.url, Tokens(secret).issue) as desk:
                stage = _Stage(desk, hub_b.url, f"http://{host}:{port}", options, console)
                async with stage.door.open(listener):
                    summary = await stage.play(stop)
    if options.as_json:
        sys.stdout.write(json.dumps(summary.dump()) + "\n")
    else:
        show_summary(console, summary)
    return 0 if summary.kept else 1


def _flags(data_dir: Path, partner: str) -> list[str]:
    settings = {
        "data-dir": str(data_dir),
        "host": "127.0.0.1",
        "port": "0",
        "drain-seconds": "2",
        "log-level": "warning",
        "webhook-allow": f"{partner}/32",
    }
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


def _interrupts() -> asyncio.Event:
    """Set by SIGINT or SIGTERM: the demo ends early, with its summary."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _make_fresh(data_dir: Path) -> None:
    """An empty directory, unless another demo lives there."""
    try:
        with contextlib.suppress(FileNotFoundError), (data_dir / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(data_dir, ignore_errors=True)
        data_dir.mkdir(parents=True)
    except BlockingIOError:
        raise StartError(f"--data-dir: another demo runs in {data_dir}") from None
    except OSError as error:
        raise StartError(f"--data-dir: {data_dir}: {error.strerror}") from None


class _Stage:
    def __init__(
        self, desk: Desk, watch_url: str, own_url: str, options: Options, console: Console
    ) -> None:
        """`own_url` is the demo's own server's."""
        clock = time.perf_counter  # finer than the loop's own
        evening = plan(options.orders_per_minute, options.minutes, options.speed, options.seed)
        self.records = Records(clock)
        self.partner = Partner(self.records, clock)
        desk_url = f"{watch_url}/desk#{desk.issue(Role.PLATFORM, ttl=_DESK_TTL)}"
        self.door = Door(self.records, watch_url, desk_url, self.partner)
        self._desk = desk
        self._own_url = own_url
        self._console = console
        hooks_url = own_url + HOOKS
        self._town = Town(evening, desk, watch_url, hooks_url, self.records, options.seed)
        self._screen = Screen(console, self._town, self.partner, clock)

    async def play(self, stop: asyncio.Event) -> Summary:
        self.partner.trust(await self._desk.partner_secret())
        stopped = asyncio.create_task(stop.wait())
        try:
            async with self._shown():
                await _until(self._town.run(), stopped)
                stored = await self._stored(stopped)
                if not stop.is_set():
                    await _until(self._all_webhooks(stored), stopped, _WEBHOOKS_WITHIN)
            await self._town.close()
        finally:
            stopped.cancel()
        planned = len(self._town.evening.orders)
        return summarize(self.records, stored, self.partner.faults, planned, stop.is_set())

    @contextlib.asynccontextmanager
    async def _shown(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._screen.show()),
            asyncio.create_task(self._show_addresses()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _show_addresses(self) -> None:
        """Once there is an order to look at. On a terminal the pages are opened, too."""
        await self._town.begun.wait()
        stream = ("the same as a stream of messages", f"curl -NL {self._own_url}/stream")
        if not (BUILT / "track.html").exists():
            self._tell("the web pages are not built: `make pages` does, where there is npm")
            self._tell_address(*stream)
            return
        track, desk = f"{self._own_url}/track", f"{self._own_url}/desk"
        self._tell_address("an order on its way, in a browser", track)
        self._tell_address(*stream)
        self._tell_address("all orders, as a dispatcher sees them", desk)
        self._tell_address("the first order's page", self.door.first)
        if self._console.is_terminal:
            browser.show(track, desk)

    def _tell_address(self, what: str, address: str) -> None:
        self._tell(f"{what + ':':40}{address}")

    def _tell(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    async def _stored(self, stopped: asyncio.Task[bool]) -> dict[str, list[Event]]:
        """All events of all orders, and a moment for streams that are still under way."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def read(order_id: str) -> list[Event]:
            async with gate:
                return (await self._desk.platform.events(order_id)).events

        if stopped.done():
            await asyncio.sleep(_LAST_REQUESTS)
        ids = list(self.records.orders)
        stored = dict(zip(ids, await asyncio.gather(*map(read, ids)), strict=True))
        if stopped.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CATCH_UP):
                    await self._caught_up(stored)
        return stored

    async def _caught_up(self, stored: dict[str, list[Event]]) -> None:
        orders = self.records.orders
        while any(orders[one].seq < len(all_) for one, all_ in stored.items()):  # noqa: ASYNC110  bounded, and rare
            await asyncio.sleep(0.05)

    async def _all_webhooks(self, stored: dict[str, list[Event]]) -> None:
        while check_lanes(self.records.lanes, stored, HOOKS).missing:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.2)


async def _until(
    work: Awaitable[None], stopped: asyncio.Task[bool], within: float | None = None
) -> None:
    """Do the work, but no longer than that. Raises what it raised."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task, stopped], timeout=within, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    else:
        task.result()
