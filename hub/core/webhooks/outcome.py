"""What follows from one attempt to deliver: the whole table of contract 6. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.core.webhooks.retry import GIVE_UP, pause, retry_after

__all__ = ["Delivered", "Fault", "GaveUp", "Reply", "Retry", "SwitchedOff", "Verdict", "judge"]

_GONE: Final = 410
_ASKS_TO_WAIT: Final = frozenset({429, 503})


class Fault(StrEnum):
    """What went wrong where no status line came."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    REFUSED_ADDRESS = "refused_address"
    REQUEST = "request"
    """None could be made: the URL is none, or something is missing on our side."""
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"


_UNREACHED: Final = frozenset({Fault.DNS, Fault.CONNECT, Fault.TLS})


@dataclass(frozen=True, slots=True)
class Reply:
    """How an attempt ended: with a status line, or with an error and none."""

    status: int | None
    error: str | None = None
    retry_after: str | None = None
    took: float = 0.0
    """Seconds."""
    fault: Fault | None = None

    @property
    def unreached(self) -> bool:
        """The origin as a whole was not reached: not one of its URLs misbehaved."""
        return self.fault in _UNREACHED


@dataclass(frozen=True, slots=True)
class Delivered:
    """Any 2xx; the status line alone decides."""


@dataclass(frozen=True, slots=True)
class Retry:
    after: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A day has passed: the delivery is dead, the lane goes on with the next."""


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """410 Gone: nothing more is sent there."""


Verdict = Delivered | Retry | GaveUp | SwitchedOff


def judge(reply: Reply, *, failures: int, age: float, now: float, chance: float) -> Verdict:
    """`failures` counts this attempt if it failed; `age` is the time since the first attempt.

    A Retry-After only ever delays. A retry that would come after the day is not made.
    """
    if reply.status is not None and 200 <= reply.status <= 299:
        return Delivered()
    if reply.status == _GONE:
        return SwitchedOff()
    after = pause(failures, chance)
    if reply.status in _ASKS_TO_WAIT:
        after = max(after, retry_after(reply.retry_after, now) or 0.0)
    return Retry(after) if age + after < GIVE_UP else GaveUp()
