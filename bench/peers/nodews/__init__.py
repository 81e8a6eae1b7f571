"""Node with `ws` and `ioredis`, which relays and does nothing else: see README.md."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.peers import programs
from bench.peers.clients import PlainTarget
from bench.peers.pair import two_hubs
from bench.target import Target

__all__ = ["launch"]

_HUB: Final = Path(__file__).with_name("hub.js")


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    async with two_hubs(directory, await programs.node(_HUB)) as pair:
        yield PlainTarget("node-ws", pair)
