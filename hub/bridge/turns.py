"""Who may have how many attempts under way, so that nobody who hangs takes all of them. Pure.

Two rules. A queue may hold a quarter of what is still free, an origin half of it: the more is
taken the less anybody gets, so that even a hundred hanging servers leave turns for the hundred and
first (dynamic thresholds, Choudhury and Hahne 1998). And each queue has a limit of its own that
grows with what it accepts and halves with what it cannot take, as TCP does (RFC 5681): so a
server that slows down, says 429 or comes back with a backlog gets no more than it can do.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Final

from hub.core.webhooks.outcome import Reply
from hub.store.lanes import Room

__all__ = ["Turns", "origin_of"]

QUEUE_MAX: Final = 128
_START: Final = 16.0
_KNOWN_MAX: Final = 20_000
_NAMED_MAX: Final = 64
_OVERLOADED: Final = frozenset({429, 503})
_SLOW: Final = 1.0
"""Seconds from which on an answer earns no more turns than anybody has at the start."""


def origin_of(queue: str) -> str | None:
    """The origin that a queue of callbacks is at; None for a registered endpoint's queue."""
    origin, bar, _ = queue.partition("|")
    return origin if bar else None


class _Limit:
    """Additive increase, multiplicative decrease; the start is slow, but doubles."""

    __slots__ = ("changed", "doubles_until", "value")

    def __init__(self) -> None:
        self.value = _START
        self.doubles_until = float(QUEUE_MAX)
        self.changed = 0.0

    def grow(self, *, slowly: bool) -> None:
        doubles = self.value < self.doubles_until and not slowly
        step = 1.0 if doubles else 1.0 / self.value
        self.value = min(QUEUE_MAX, self.value + step)

    def shrink(self, began: float, now: float) -> None:
        """Once for all attempts that were under way together."""
        if began >= self.changed:
            self.value = self.doubles_until = max(1.0, self.value / 2)
            self.changed = now

    def collapse(self, now: float) -> None:
        """It is away: when it is back, begin with one and see."""
        self.value, self.changed = 1.0, now


class Turns:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: Counter[str] = Counter()
        self._heavy: set[str] = set()  # names that have a good part of a share
        self._limits: OrderedDict[str, _Limit] = OrderedDict()
        self._shrunk: OrderedDict[str, None] = OrderedDict()  # the last whose limit fell
        self._proven: OrderedDict[str, None] = OrderedDict()  # the last that accepted
        self.taken = 0

    @property
    def free(self) -> int:
        return max(0, self._limit - self.taken)

    def take(self, queue: str) -> None:
        self._count(queue, 1)

    def give(self, queue: str) -> None:
        self._count(queue, -1)

    def hear(self, queue: str, reply: Reply, began: float, now: float) -> None:
        """How an attempt ended that began then (seconds, of the same clock as `now`)."""
        limit = self._known(queue)
        if reply.unreached:
            limit.collapse(now)
        elif reply.status is None or reply.status in _OVERLOADED:
            limit.shrink(began, now)
        elif reply.took < _SLOW or limit.value < _START:
            limit.grow(slowly=reply.took >= _SLOW)
        # A URL of callbacks is named when it has several out; most are one order's, and have one.
        _note(self._shrunk, queue, limit.value < _START and origin_of(queue) is None)
        _note(self._proven, queue, reply.status is not None and reply.status < 300)

    def _known(self, queue: str) -> _Limit:
        limit = self._limits.get(queue)
        if limit is None:
            limit = self._limits[queue] = _Limit()
            if len(self._limits) > _KNOWN_MAX:
                self._limits.popitem(last=False)
        return limit

    def room(self, parts: int = 1) -> Room:
        """What one of `parts` claims, made at the same time, may take.

        Only who has a good part of its share already, or was shrunk lately, is named: thousands
        of names with every claim would cost more than the precision is worth.
        """
        share = min(QUEUE_MAX, max(1, self.free // 4))
        names = {*self._heavy, *self._shrunk, *self._crowded(share)}
        start = min(share, int(_START))
        return Room(
            total=-(-self.free // parts),
            queue=-(-start // parts),
            origin=-(-2 * share // parts),
            named={name: self._left(name, share, parts) for name in names},
        )

    def _crowded(self, share: int) -> Iterable[str]:
        """Queues that accept, at an origin that others fill: its bound is not for them."""
        full = {name for name in self._heavy if _is_origin(name) and self._busy[name] >= share}
        return [queue for queue in self._proven if full and origin_of(queue) in full]

    def _left(self, name: str, share: int, parts: int) -> int:
        if _is_origin(name):
            own = 2 * share
        else:
            limit = self._limits.get(name)
            own = min(share, int(limit.value if limit else _START))
        left = own - self._busy[name]
        origin = origin_of(name)
        if origin is not None and name not in self._proven:
            left = min(left, 2 * share - self._busy[origin])
        return max(0, -(-left // parts))

    def _count(self, queue: str, one: int) -> None:
        self.taken += one
        for name in filter(None, (queue, origin_of(queue))):
            self._busy[name] += one
            busy = self._busy[name]
            if not busy:
                del self._busy[name]
            if busy * 4 >= _START:
                self._heavy.add(name)
            else:
                self._heavy.discard(name)


def _is_origin(name: str) -> bool:
    return "://" in name and "|" not in name


def _note(names: OrderedDict[str, None], name: str, there: bool) -> None:
    """Put the name at the end of those that are remembered, or take it out."""
    names.pop(name, None)
    if there:
        names[name] = None
        if len(names) > _NAMED_MAX:
            names.popitem(last=False)
