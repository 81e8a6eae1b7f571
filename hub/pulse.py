"""How long the event loop stops: what is late here is late for every socket."""

import asyncio
from typing import Final

from hub.metrics import LOOP_STOPS

__all__ = ["pulse"]

_BEAT: Final = 0.02


async def pulse() -> None:
    """Ask to be called fifty times a second, and note how late that is."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _BEAT
        await asyncio.sleep(_BEAT)
        LOOP_STOPS.observe(max(0.0, loop.time() - due))
