"""Who asked a hub for what, and how it was answered: noted beside the requests, for the warehouse.

Nothing is waited for: a note is put into a list, which goes to the store once a second. What the
store does not take, or has no room for, is counted and left out.
"""

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple

from prometheus_client import Counter

from hub.core.callers.claims import Claims
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.errors import UnavailableError
from hub.store.requests import MAX_BATCH, RequestStream

__all__ = ["Logbook", "Note"]

_PACE: Final = 1.0
_MOST: Final = 20_000
"""Notes that wait: those of a second, or of some while the store hangs."""

_DROPPED: Final = Counter(
    "ordercast_operations_dropped_total", "Answered requests that the warehouse will not tell of"
)


class Note(NamedTuple):
    """`at`: Unix seconds when it was answered; `route` as a template, `took` in seconds."""

    at: float
    method: str
    route: str
    status: int
    claims: Claims
    order_id: str | None
    took: float


class Logbook:
    def __init__(self, stream: RequestStream, names: Pseudonyms) -> None:
        self._stream = stream
        self._names = names
        self._notes: deque[Note] = deque()

    def note(self, note: Note) -> None:
        if len(self._notes) >= _MOST:
            _DROPPED.inc()
        else:
            self._notes.append(note)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_PACE)
            await self.write()

    async def write(self) -> None:
        """What was noted so far. A batch whose fate is not known is not sent again: it would come
        twice, where now it is at worst counted though it came.
        """
        for _ in range(-(-len(self._notes) // MAX_BATCH)):
            notes = [self._notes.popleft() for _ in range(min(MAX_BATCH, len(self._notes)))]
            try:
                taken = await self._stream.append([self._values(each) for each in notes])
            except UnavailableError:
                taken = False
            if not taken:
                _DROPPED.inc(len(notes))

    def _values(self, note: Note) -> list[Any]:
        """In the order of the table's columns, without its day and the hub."""
        claims = note.claims
        return [
            round(note.at * 1e6),
            note.method,
            note.route,
            note.status,
            claims.role.value,
            self._names.of(claims.role, claims.sub),
            claims.partner,
            note.order_id,
            round(note.took * 1000, 3),
        ]
