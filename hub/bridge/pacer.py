"""Lets one through at a time, at a pace, so that what happens at once is not felt at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Pacer"]


class Pacer:
    """`every`: seconds from one to the next."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._free_at = 0.0

    def _next(self, now: float) -> float:
        """When the next one may go, which is then taken."""
        at = max(now, self._free_at)
        self._free_at = at + self._every
        return at

    async def turn(self) -> None:
        """Wait for a turn of one's own; who comes alone does not wait."""
        now = asyncio.get_running_loop().time()
        at = self._next(now)
        if at > now:
            await asyncio.sleep(at - now)

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """`asyncio.timeout`, but that of many which come to their end together one after the other
        is ended, as each costs the loop something. Raises TimeoutError.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as timeout:

            def end() -> None:
                timeout.reschedule(self._next(loop.time()))

            timer = loop.call_later(seconds, end)
            try:
                yield
            finally:
                timer.cancel()
