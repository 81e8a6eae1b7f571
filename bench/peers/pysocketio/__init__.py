"""python-socketio on uvicorn with its Redis manager: see README.md."""

import contextlib
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bench.peers import programs
from bench.peers.clients import SocketIoTarget
from bench.peers.pair import two_hubs
from bench.target import NotHereError, Target

__all__ = ["launch"]

_SERVER: Final = Path(__file__).with_name("server.py")


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    if find_spec("socketio") is None:
        raise NotHereError("This peer needs python-socketio: pip install 'ordercast[bench]'")
    async with two_hubs(directory, programs.uvicorn(_SERVER)) as pair:
        yield SocketIoTarget("python-socketio", pair)
