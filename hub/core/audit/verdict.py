"""What is said of an audit proof: whether it holds, and all that speaks against it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Fault", "FaultCode", "Verdict"]


class FaultCode(StrEnum):
    MALFORMED = "malformed"
    CHANGED_EVENT = "changed_event"
    CHAIN_BROKEN = "chain_broken"
    REMOVED_EVENT = "removed_event"
    REORDERED_EVENT = "reordered_event"
    INSERTED_EVENT = "inserted_event"
    FOREIGN_EVENT = "foreign_event"
    NOT_INCLUDED = "not_included"
    PENDING = "pending"
    NO_HEAD = "no_head"
    NO_TIP = "no_tip"
    WRONG_KEY = "wrong_key"
    WRONG_SIGNATURE = "wrong_signature"
    OTHER_LOG = "other_log"
    OLD_HEAD = "old_head"
    FORKED_HEAD = "forked_head"
    INCONSISTENT = "inconsistent"
    CONSISTENCY_MISSING = "consistency_missing"
    WITNESS_BROKEN = "witness_broken"
    ERASED = "erased"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Fault:
    """`seq`: the event it is about, if any."""

    code: FaultCode
    detail: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`faults`: why it does not hold. `notes`: what it does not say though it holds."""

    order_id: str | None
    events: int
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.faults
