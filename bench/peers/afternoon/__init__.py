"""What a competent developer writes in an afternoon: see README.md."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.peers import programs
from bench.peers.clients import PlainTarget
from bench.peers.pair import two_hubs
from bench.target import Target

__all__ = ["launch"]

_SERVER: Final = Path(__file__).with_name("server.py")


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    async with two_hubs(directory, programs.uvicorn(_SERVER)) as pair:
        yield PlainTarget("afternoon", pair)
