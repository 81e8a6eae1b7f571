"""Who may have how many attempts under way, so that nobody who hangs takes all of them. Pure."""

from collections import Counter
from typing import Final

from hub.store.lanes import Room

__all__ = ["Turns", "origin_of"]

_QUEUE_MAX: Final = 64


def origin_of(queue: str) -> str | None:
    """The origin that a queue of callbacks is at; None for a registered endpoint's queue."""
    origin, bar, _ = queue.partition("|")
    return origin if bar else None


def _shares(name: str) -> int:
    return 2 if "://" in name and "|" not in name else 1


class Turns:
    """A queue may hold a quarter of what is still free, an origin half of it.

    The more is taken the less anybody gets, so that even a hundred hanging servers leave turns
    for the hundred and first (dynamic thresholds, Choudhury and Hahne 1998).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: Counter[str] = Counter()
        self.taken = 0

    @property
    def free(self) -> int:
        return max(0, self._limit - self.taken)

    def take(self, queue: str) -> None:
        self._count(queue, 1)

    def give(self, queue: str) -> None:
        self._count(queue, -1)

    def room(self, parts: int = 1) -> Room:
        """What one of `parts` claims, made at the same time, may take.

        Only who has a quarter of its share already is named: a thousand names with every claim
        would cost more than the precision is worth.
        """
        share = min(_QUEUE_MAX, max(1, self.free // 4))
        return Room(
            total=-(-self.free // parts),
            queue=-(-share // parts),
            origin=-(-2 * share // parts),
            named={
                name: max(0, -(-(_shares(name) * share - busy) // parts))
                for name, busy in self._busy.items()
                if busy * 4 >= share
            },
        )

    def _count(self, queue: str, one: int) -> None:
        self.taken += one
        for name in filter(None, (queue, origin_of(queue))):
            self._busy[name] += one
            if not self._busy[name]:
                del self._busy[name]
