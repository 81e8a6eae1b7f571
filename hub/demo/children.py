"""The hubs of the demo: real processes of the `ordercast` command, stopped on every way out."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from hub.errors import StartError
from hub.store.embedded import die_with_parent

__all__ = ["Child", "running", "stop"]

_READY_WITHIN: Final = 60.0
_STOP_WITHIN: Final = 15.0
_PASSED_ON: Final = ("ORDERCAST_REDIS_URL", "ORDERCAST_DURABILITY")


class Child(NamedTuple):
    url: str
    pid: int


def _environment() -> dict[str, str]:
    """Ours, but of the settings only those that choose the store: the rest is the demo's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("ORDERCAST_") or name in _PASSED_ON
    }


@contextlib.asynccontextmanager
async def running(log: Path, *arguments: str) -> AsyncIterator[Child]:
    """`ordercast ARGUMENTS` as a process, its log in a file. Given when it is ready.

    Raises StartError when it does not get ready.
    """
    with log.open("ab") as file:
        process = await _start(file, arguments)
    try:
        yield Child(await _address(process, log), process.pid)
    finally:
        await stop(process)


async def _start(log: IO[bytes], arguments: tuple[str, ...]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub.cli",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env=_environment(),
        preexec_fn=die_with_parent,
    )


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_READY_WITHIN):
            line = (await process.stdout.readline()).decode().split()
    except TimeoutError:
        line = []
    if len(line) != 2 or line[0] != "ready":
        raise StartError(f"a hub of the demo did not start: see {log}")
    return line[1]


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and after some seconds make it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
