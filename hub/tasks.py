"""Ending tasks for good, and keeping a loop from stopping."""

import asyncio
import gc
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["end", "rest_from_collecting"]

_AGAIN: Final = 0.1
_THRESHOLDS: Final = (20_000, 20, 100)


def rest_from_collecting() -> None:
    """Full collections would walk all that start-up made, and stop the loop for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are gone.

    It asks again: a cancellation that meets the end of a store command can get lost in it. What
    the tasks raise is theirs to log.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN)
