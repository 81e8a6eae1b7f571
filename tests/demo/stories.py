"""Short ways to write what a customer saw and what the store holds."""

from clients.updates import Event, Finished, Position, Snapshot, TrailPoint
from schemas.lifecycle import EventType, Role, Status
from schemas.orders import Actor
from schemas.orders import Event as StoredEvent

__all__ = ["LINE", "STORED", "event", "finished", "position", "snapshot", "whole_log"]

ORDER = "ord_1"
EPOCH = "abcdefgh"

LINE = (
    (EventType.CREATED, Status.PENDING),
    (EventType.CONFIRMED, Status.CONFIRMED),
    (EventType.COURIER_ASSIGNED, Status.CONFIRMED),
    (EventType.ON_DELIVERY, Status.ON_DELIVERY),
    (EventType.COMPLETED, Status.COMPLETED),
)

STORED = [
    StoredEvent(
        order_id=ORDER,
        epoch=EPOCH,
        seq=seq,
        event_type=kind,
        status=status,
        timestamp=0.0,
        actor=Actor(role=Role.PLATFORM),
        prev_hash="",
        hash="",
    )
    for seq, (kind, status) in enumerate(LINE, 1)
]


def snapshot(
    seq: int, *, recovered: bool = False, at: Position | None = None, status: Status | None = None
) -> Snapshot:
    return Snapshot(
        ORDER, EPOCH, seq, status or LINE[seq - 1][1], recovered, position=at, trail=_trail(at)
    )


def _trail(at: Position | None) -> tuple[TrailPoint, ...]:
    return (TrailPoint(at.at, at.lat, at.lng),) if at else ()


def event(seq: int) -> Event:
    kind, status = LINE[seq - 1]
    return Event(ORDER, EPOCH, seq, kind, status, 0.0)


def position() -> Position:
    return Position(ORDER, 0.0, 31.2, 121.4, "fresh")


def finished() -> Finished:
    return Finished(ORDER)


def whole_log() -> list[object]:
    return [snapshot(1), event(2), event(3), event(4), position(), event(5), finished()]
