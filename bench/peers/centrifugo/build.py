"""Centrifugo is built from its module when it is first wanted, which takes some minutes."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

from bench.target import NotHereError

__all__ = ["centrifugo_program"]

_VERSION: Final = "v6.9.1"
_MODULE: Final = f"github.com/centrifugal/centrifugo/v6@{_VERSION}"
_CACHE: Final = Path(__file__).parents[1] / ".cache" / "bin" / f"centrifugo-{_VERSION}"


async def centrifugo_program() -> str:
    """Raises NotHereError."""
    program = _CACHE / "centrifugo"
    if not program.exists():
        await _build()
    return str(program)


async def _build() -> None:
    go = shutil.which("go")
    if go is None:
        raise NotHereError("This peer needs Go 1.26 or newer on the PATH, to build Centrifugo.")
    environment = {**os.environ, "GOBIN": str(_CACHE)}
    process = await asyncio.create_subprocess_exec(
        go, "install", _MODULE, env=environment, stdout=PIPE, stderr=STDOUT
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise NotHereError(f"Go could not build Centrifugo {_VERSION}:\n{told.decode()}")
