"""What a partner's server was sent, lane by lane: a lane is an order at a path."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Call", "Tally"]


class Call(NamedTuple):
    """One request."""

    path: str
    order_id: str
    seq: int
    webhook_id: str
    body: bytes


class Tally:
    """Counts what was accepted, what came again, and what came before its turn.

    `first`: the seq that lanes of a path begin with, where that is not 1.
    """

    def __init__(self, first: Mapping[str, int] | None = None) -> None:
        self.accepted = 0
        """Deliveries, each counted once."""
        self.repeats = 0
        self.late_repeats = 0
        """Of these, older than what the lane had accepted since."""
        self.differing = 0
        """Of the repeats, with another webhook-id or another body than the first time."""
        self.out_of_order = 0
        """Sent before an earlier one of the lane was accepted."""
        self.repeated: Counter[str] = Counter()
        """By webhook-id."""
        self._first = dict(first or {})
        self._seen: dict[tuple[str, str, int], tuple[str, int]] = {}
        self._accepted: dict[tuple[str, str], int] = {}

    def hear(self, call: Call) -> None:
        """It came; whether it is accepted is another matter."""
        reached = self._reached(call)
        self.out_of_order += call.seq > reached + 1
        told = (call.webhook_id, hash(call.body))
        before = self._seen.setdefault((call.path, call.order_id, call.seq), told)
        if before is not told:
            self.repeats += 1
            self.late_repeats += call.seq < reached
            self.differing += before != told
            self.repeated[call.webhook_id] += 1

    def accept(self, call: Call) -> bool:
        """Whether it is the first time."""
        if call.seq <= self._reached(call):
            return False
        self._accepted[call.path, call.order_id] = call.seq
        self.accepted += 1
        return True

    def _reached(self, call: Call) -> int:
        """The last seq that was accepted in the lane."""
        found = self._accepted.get((call.path, call.order_id))
        return self._first.get(call.path, 1) - 1 if found is None else found

    def counts(self) -> dict[str, int]:
        """As a report names them."""
        return {
            "accepted": self.accepted,
            "duplicates": self.repeats,
            "lateDuplicates": self.late_repeats,
            "otherIdOrBody": self.differing,
            "outOfOrder": self.out_of_order,
        }
