"""Order without holes: live events and history merged by sequence number.

The rule of every stream: after `seq` comes `seq + 1`. What comes early waits until the history
between has been read; what comes again is dropped; another epoch is another stream.
"""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Line", "contiguous"]

Event = dict[str, Any]


class Line:
    """The events of one order as a hub hands them on.

    It is `open` once it knows where the stream stands. `behind` says that an event is missing and
    the history has to be read: from the start, after a hole, or since another epoch was seen.
    """

    __slots__ = ("_early", "behind", "epoch", "seq")

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.seq = 0
        self.behind = True
        self._early: list[Event] = []

    @property
    def open(self) -> bool:
        return self.epoch is not None

    def receive(self, event: Event) -> list[Event]:
        """A live event: those to hand on now, in order."""
        if event["epoch"] == self.epoch and not self.behind:
            if event["seq"] <= self.seq:
                return []
            if event["seq"] == self.seq + 1:
                self.seq = event["seq"]
                return [event]
        self.behind = True
        self._early.append(event)
        return []

    def start(self, epoch: str, seq: int) -> list[Event]:
        """Begin at a place, for instance where a snapshot stands. Answers as `catch_up`."""
        self.epoch, self.seq = epoch, seq
        return self.catch_up(epoch, seq, ())

    def catch_up(self, epoch: str, seq: int, history: Iterable[Event]) -> list[Event]:
        """The stream stands at `seq` in `epoch`, and `history` is what follows our own place.

        Answers what to hand on now. Afterwards `behind` is true only if something is missing
        still, which reading again will bring. Another epoch is for the caller to notice first.
        """
        early, self._early = self._early, []
        self.behind = False
        handed: list[Event] = []
        merged = sorted((*history, *early), key=lambda event: int(event["seq"]))
        for event in merged:
            handed += self.receive(event)
        if self.seq < seq:
            self.behind = True
        return handed


def contiguous(events: Sequence[Event], after: int, until: int) -> bool:
    """Whether `events` are exactly those with seq after+1 .. until."""
    return [event["seq"] for event in events] == list(range(after + 1, until + 1))
