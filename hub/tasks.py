"""Ending tasks for good."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["end"]

_AGAIN: Final = 0.1


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
