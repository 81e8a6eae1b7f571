"""How the peers' programs are run, so that peers of one language have the same settings."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

from bench.target import NotHereError

__all__ = ["node", "uvicorn"]

_HERE: Final = Path(__file__).parent
_INSTALL: Final = ("install", "--no-package-lock", "--no-audit", "--no-fund")
_UVICORN: Final = (
    *("--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio"),
    *("--ws-per-message-deflate", "false"),  # by default every message would be compressed
    *("--no-access-log", "--log-level", "warning"),
)


def uvicorn(server: Path) -> tuple[str, ...]:
    """The command that serves the file's `app`, in one process."""
    app = ("--app-dir", str(server.parent), f"{server.stem}:app")
    return (sys.executable, "-m", "uvicorn", *app, *_UVICORN)


async def node(script: Path) -> tuple[str, ...]:
    """The command that runs the script. The packages of package.json are installed when they
    are missing. Raises NotHereError.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise NotHereError("This peer needs Node 20 or newer, with npm, on the PATH.")
    if not _installed():
        await _install(npm)
    return (program, str(script))


def _installed() -> bool:
    """Whether every package is there in the version that is pinned."""
    pinned = json.loads((_HERE / "package.json").read_text())["dependencies"]
    try:
        return all(_version(name) == version for name, version in pinned.items())
    except FileNotFoundError:
        return False


def _version(package: str) -> str:
    file = _HERE / "node_modules" / package / "package.json"
    return str(json.loads(file.read_text())["version"])


async def _install(npm: str) -> None:
    process = await asyncio.create_subprocess_exec(
        npm, *_INSTALL, cwd=_HERE, stdout=PIPE, stderr=STDOUT
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise NotHereError(f"npm could not install this peer's packages:\n{told.decode()}")
