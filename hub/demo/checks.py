"""Was every promise kept? Judged from the clients' records and the store's events. Pure."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from clients.updates import Event, Position, Snapshot, Update
from schemas.lifecycle import STATUS_EVENTS, EventType, Status
from schemas.orders import Event as StoredEvent

__all__ = [
    "Lane",
    "LaneFaults",
    "Promise",
    "StreamFaults",
    "check_lanes",
    "check_stream",
    "percentile",
]

Lane = tuple[str, str]
"""An order and the path its webhooks come to."""

_TOLD: Final = frozenset(STATUS_EVENTS.values()) - {EventType.CREATED}


@dataclass(frozen=True, slots=True)
class Promise:
    name: str
    kept: bool
    detail: str


@dataclass(slots=True)
class StreamFaults:
    """One customer's stream against the store; all but `seen` and `covered` should stay 0.

    `covered` events were in the first snapshot. `holes` are events skipped while others came
    after them, `lost` those missing at the end, `different` not as stored, and `misplaced`
    positions shown while the order was not ON_DELIVERY.
    """

    seen: int = 0
    covered: int = 0
    holes: int = 0
    repeats: int = 0
    lost: int = 0
    different: int = 0
    misplaced: int = 0

    def add(self, other: "StreamFaults") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def check_stream(log: Iterable[Update], stored: Sequence[StoredEvent]) -> StreamFaults:
    """`log` is what a UserClient handed out; `stored` all events of the order, oldest first."""
    faults = StreamFaults()
    facts = {event.seq: (event.event_type.value, event.status.value) for event in stored}
    last: int | None = None
    status = ""
    for update in log:
        if isinstance(update, Snapshot):
            if last is None:
                faults.covered = last = update.seq
            faults.holes += max(0, update.seq - last)
            last, status = max(last, update.seq), update.status
            faults.misplaced += update.position is not None and status != Status.ON_DELIVERY
        elif isinstance(update, Event):
            last = _follow(faults, last or 0, update)
            status = update.status
            faults.different += facts.get(update.seq) != (update.event_type, update.status)
        elif isinstance(update, Position):
            faults.misplaced += status != Status.ON_DELIVERY
    faults.lost = max(0, (stored[-1].seq if stored else 0) - (last or 0))
    return faults


def _follow(faults: StreamFaults, last: int, event: Event) -> int:
    faults.seen += 1
    if event.seq <= last:
        faults.repeats += 1
        return last
    faults.holes += event.seq - last - 1
    return event.seq


@dataclass(frozen=True, slots=True)
class LaneFaults:
    out_of_order: int
    """Lanes in which some seq came after a higher one, or twice."""
    missing: int
    unexpected: int


def check_lanes(
    lanes: Mapping[Lane, Sequence[int]], stored: Mapping[str, Sequence[StoredEvent]], path: str
) -> LaneFaults:
    """`path` is the notification URL's; every order in `stored` was to be told of there."""
    wanted: dict[Lane, list[int]] = {}
    for order_id, events in stored.items():
        wanted |= _wanted(order_id, events, path)
    disordered = sum(any(b <= a for a, b in itertools.pairwise(lane)) for lane in lanes.values())
    missing = sum(len(set(seqs) - set(lanes.get(lane, ()))) for lane, seqs in wanted.items())
    unexpected = sum(len(set(seqs) - set(wanted.get(lane, ()))) for lane, seqs in lanes.items())
    return LaneFaults(disordered, missing, unexpected)


def _wanted(order_id: str, events: Sequence[StoredEvent], path: str) -> dict[Lane, list[int]]:
    """The contract's two callbacks: each change of status, and CONFIRMED once more by itself."""
    return {
        (order_id, path): [event.seq for event in events if event.event_type in _TOLD],
        (order_id, f"{path}/order-status"): [
            event.seq for event in events if event.event_type is EventType.CONFIRMED
        ],
    }


def percentile(values: Iterable[float], share: float) -> float | None:
    """By the nearest-rank method; None of nothing."""
    ranked = sorted(values)
    return ranked[ceil(share * len(ranked)) - 1] if ranked else None
