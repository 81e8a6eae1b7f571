"""nginx with nchan, alone in memory or as two hubs on one store.

A customer's socket needs no steps: nginx subscribes before it answers the upgrade. Of a store it
does not await the answer, but what it sends there first is there first: of 200 messages that were
sent as soon as the upgrade was answered, none was lost.
"""

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from picows import WSInvalidStatusError, WSListener, ws_connect

from bench.peers.clients import fix
from bench.processes import free_port, listening, plain_store
from bench.target import Dial, NotHereError, Target

__all__ = ["launch_memory", "launch_redis"]

_TEMPLATE: Final = Path(__file__).with_name("nginx.conf.in")
_STORE: Final = """upstream store {{
        nchan_redis_server redis://127.0.0.1:{port};
        nchan_redis_storage_mode nostore;
        nchan_redis_nostore_fastpublish on;
    }}"""
_PASS: Final = "nchan_redis_pass store;"
_MISSING: Final = (
    "This peer needs nginx with nchan: on Debian, the packages nginx-light and libnginx-mod-nchan."
)
_CONNECTED_WITHIN: Final = 10.0


class _Nginx(NamedTuple):
    port: int
    pids: Sequence[int]


@dataclass(slots=True)
class _Nchan:
    name: str
    rides: int
    watches: int
    processes: Mapping[str, Sequence[int]]
    answers: Mapping[bytes, bytes] = field(default_factory=dict)

    async def prepare(self, orders: int) -> None:
        """A channel is there when somebody publishes or subscribes."""

    def rider(self, order: int) -> Dial:
        return Dial(self.rides, f"/ride?order={order}")

    def customer(self, order: int) -> Dial:
        return Dial(self.watches, f"/watch?order={order}")

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        return fix(order, number, stamp).encode()


@contextlib.asynccontextmanager
async def launch_memory(directory: Path) -> AsyncIterator[Target]:
    async with _nginx(directory, "hub", {"store": "", "pass": ""}) as hub:
        yield _Nchan("nchan-memory", hub.port, hub.port, {"hub": hub.pids})


@contextlib.asynccontextmanager
async def launch_redis(directory: Path) -> AsyncIterator[Target]:
    async with plain_store(directory) as store:
        more = {"store": _STORE.format(port=store.port), "pass": _PASS}
        async with _nginx(directory, "hubA", more) as a, _nginx(directory, "hubB", more) as b:
            processes = {"hubA": a.pids, "hubB": b.pids, "store": [store.pid]}
            yield _Nchan("nchan-redis", a.port, b.port, processes)


@contextlib.asynccontextmanager
async def _nginx(directory: Path, name: str, more: Mapping[str, str]) -> AsyncIterator[_Nginx]:
    """One master with one worker."""
    port = free_port()
    conf, log = directory / f"{name}.conf", directory / f"{name}.log"
    text = _TEMPLATE.read_text()
    for key, value in {"name": name, "directory": directory, "port": port, **more}.items():
        text = text.replace(f"@{key}@", str(value))
    conf.write_text(text)
    command = (_program(), "-e", str(log), "-c", str(conf))
    await _check(*command)
    async with listening(log, port, *command) as master:
        await _until_connected(port)
        yield _Nginx(port, [master, *_children(master)])


def _program() -> str:
    """Debian keeps it where only root's PATH leads."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise NotHereError(_MISSING)
    return program


async def _check(*command: str) -> None:
    """Raises NotHereError if the module is not there."""
    test = await asyncio.create_subprocess_exec(*command, "-t", stdout=DEVNULL, stderr=PIPE)
    _, told = await test.communicate()
    if test.returncode and b"dlopen()" in told:
        raise NotHereError(_MISSING)


async def _until_connected(port: int) -> None:
    """It answers 503 until it is connected with its store."""
    async with asyncio.timeout(_CONNECTED_WITHIN):
        while True:
            try:
                transport, _ = await ws_connect(WSListener, f"ws://127.0.0.1:{port}/watch")
            except WSInvalidStatusError:
                await asyncio.sleep(0.05)
            else:
                return transport.disconnect()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
