"""Socket.IO on Node with its Redis adapter: see README.md."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.peers import programs
from bench.peers.clients import SocketIoTarget
from bench.peers.pair import two_hubs
from bench.target import Target

__all__ = ["launch"]

_HUB: Final = Path(__file__).with_name("hub.js")


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    async with two_hubs(directory, await programs.node(_HUB)) as pair:
        yield SocketIoTarget("socket.io", pair)
