"""Lets one through at a time, at a pace."""

import asyncio

__all__ = ["Pacer"]


class Pacer:
    """`every`: seconds from one to the next."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait for a turn of one's own; who comes alone does not wait."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._free_at)
        self._free_at = at + self._every
        if at > now:
            await asyncio.sleep(at - now)
