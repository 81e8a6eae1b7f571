"""The hubs that a gateway sends clients to: alive and ready, as nginx writes servers."""

import asyncio
import os
import re
import shlex
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog

from hub.errors import UnavailableError
from hub.store.roster import Roster

__all__ = ["HubList", "servers"]

_ADDRESS: Final = re.compile(r"([^\s:;{}]+|\[[0-9a-fA-F:]+\]):\d{1,5}")
_HEADER: Final = "# Written by `ordercast gateway-config`.\n"
_LIMITS: Final = "max_fails=2 fail_timeout=5s"
_NOBODY: Final = "127.0.0.1:9 down"
_ANSWERS_WITHIN: Final = aiohttp.ClientTimeout(total=5)

log = structlog.get_logger("hub.gateway")


def servers(addresses: Iterable[str]) -> str:
    """The lines that stand in nginx's `upstream`. It takes no empty list: nobody is a server that
    is down.
    """
    lines = [f"server {address} {_LIMITS};\n" for address in sorted(set(addresses))]
    return _HEADER + "".join(lines or [f"server {_NOBODY};\n"])


class HubList:
    """A file with the hubs that are ready. `command` is run when it has changed, without a shell.

    What cannot be known changes nothing: while the store is away, or no hub is ready, the gateway
    keeps those that it has.
    """

    def __init__(self, roster: Roster, path: Path, command: str | None = None) -> None:
        self._roster = roster
        self._path = path
        self._command = shlex.split(command or "")
        self._told = True

    async def update(self) -> bool:
        """One look. Whether the file is as it should be, and the command has been run without a
        fault where it had to be. Raises OSError where the file cannot be written.
        """
        try:
            addresses = await self._ready()
        except UnavailableError as error:
            log.warning("the store is away", error=str(error))
            return False
        if not addresses:
            log.warning("no hub is ready")
        if addresses or not self._path.exists():
            self._write(servers(addresses))
        return await self._tell() and bool(addresses)

    async def _ready(self) -> list[str]:
        rows = await self._roster.living(time.time())
        named = [row for row in rows if _ADDRESS.fullmatch(str(row.get("address")))]
        async with aiohttp.ClientSession(timeout=_ANSWERS_WITHIN) as session:
            answers = await asyncio.gather(*(_is_ready(session, row) for row in named))
        return [row["address"] for row, ready in zip(named, answers, strict=True) if ready]

    def _write(self, text: str) -> None:
        """Whole or not at all, and only if it is another."""
        if self._path.exists() and self._path.read_text() == text:
            return
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_text(text)
        beside.replace(self._path)
        self._told = False
        log.info("hubs changed", hubs=text.count("\nserver "))

    async def _tell(self) -> bool:
        """Run the command if it is due; one that failed is due again."""
        if not self._told:
            self._told = not self._command or await _run(self._command)
        return self._told


async def _is_ready(session: aiohttp.ClientSession, row: Mapping[str, Any]) -> bool:
    """By `/readyz`, which is on the operations port where there is one."""
    host, _, port = row["address"].rpartition(":")
    url = f"http://{host}:{row.get('opsPort') or port}/readyz"
    try:
        async with session.get(url, allow_redirects=False) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.info("no answer", hub=row["hub"], url=url, error=str(error) or "too late")
        return False


async def _run(command: list[str]) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        log.error("command failed", command=command[0], error=error.strerror)
        return False
    status = await process.wait()
    if status:
        log.error("command failed", command=command[0], status=status)
    return status == 0
