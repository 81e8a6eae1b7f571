"""What has come and was not yet read. Events wait their turn; of positions only the newest."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Inbox"]

T = TypeVar("T")


@dataclass(slots=True)
class _Slot(Generic[T]):
    item: T
    key: Hashable


class Inbox(Generic[T]):
    """One reader. `newest_of` answers what an item replaces: items with the same key that still
    wait give their place to the newer one; None replaces nothing. `fence_of` answers keys whose
    waiting items are replaced no longer: what comes later takes a place behind this item. Beyond
    `limit` items the oldest are left out.
    """

    def __init__(
        self,
        newest_of: Callable[[T], Hashable | None],
        fence_of: Callable[[T], Iterable[Hashable]] = lambda item: (),
        limit: int | None = None,
    ) -> None:
        self._newest_of = newest_of
        self._fence_of = fence_of
        self._slots: deque[_Slot[T]] = deque()
        self._limit = limit
        self._replaceable: dict[Hashable, _Slot[T]] = {}
        self._news = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        key = self._newest_of(item)
        waiting = self._replaceable.get(key)
        if key is not None and waiting is not None:
            waiting.item = item
            return
        for fenced in self._fence_of(item):
            self._replaceable.pop(fenced, None)
        slot = _Slot(item, key)
        if key is not None:
            self._replaceable[key] = slot
        self._slots.append(slot)
        if self._limit is not None and len(self._slots) > self._limit:
            self._take()
        self._news.set()

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more will come; `error` is raised to the reader after what still waits.

        Only the first call counts.
        """
        if not self._closed:
            self._closed, self._error = True, error
            self._news.set()

    async def get(self) -> T:
        """Raises StopAsyncIteration at the end, or the error that ended it."""
        while not self._slots:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._take()

    def _take(self) -> T:
        slot = self._slots.popleft()
        if self._replaceable.get(slot.key) is slot:
            del self._replaceable[slot.key]
        return slot.item
