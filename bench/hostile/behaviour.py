"""A behaviour: where it can be met, and what a sender should make of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bench.hostile.exchange import Exchange
from hub.core.webhooks.outcome import Delivered, Fault, Retry, SwitchedOff, Verdict

if TYPE_CHECKING:
    from bench.hostile.server import HostileServer

__all__ = [
    "BEHAVIOURS",
    "DELIVERED",
    "HEALTHY",
    "MARGIN",
    "PARTNER",
    "RETRY",
    "SWITCHED_OFF",
    "Behaviour",
    "Ends",
    "Expected",
    "Place",
    "Serve",
]

HEALTHY: Final = "healthy-200"
PARTNER: Final = "partner.test"
"""The name in the URL of places that have names of their own."""
MARGIN: Final = 4.0
"""Seconds beyond a sender's timeout that a busy machine is granted."""


class Ends(StrEnum):
    """What the sender has to wait for, at most."""

    AT_ONCE = "at once"
    CONNECT = "by its connect timeout"
    TOTAL = "by its total timeout"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one request should come to.

    `not_before`: seconds that a Retry-After makes the next attempt wait at least, and the only
    ones that are not the sender's own. `fault`: why there was no status, None if there was one.
    """

    verdict: type[Verdict]
    fault: Fault | None = None
    not_before: float = 0.0

    def holds(self, verdict: Verdict) -> bool:
        """`verdict` must be of the kind, and a retry no earlier than the hint allows."""
        early = isinstance(verdict, Retry) and verdict.after < self.not_before
        return isinstance(verdict, self.verdict) and not early

    def __str__(self) -> str:
        words = {Delivered: "delivered", Retry: "retry", SwitchedOff: "switched off"}
        return words[self.verdict] + (
            f" after {self.not_before:g} s or later" if self.not_before else ""
        )


DELIVERED: Final = Expected(Delivered)
RETRY: Final = Expected(Retry)
SWITCHED_OFF: Final = Expected(SwitchedOff)


Serve = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a behaviour can be met.

    `names`: for each host name, the addresses that its first, second … look-up gives; the last
    go for all that follow. `servers`: DNS servers to ask for others, as `address:port`.
    `authorities`: PEM of the certificate authority to trust. `server`: what shows it, if that is
    a `HostileServer`.
    """

    url: str
    names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    servers: Sequence[str] = ()
    authorities: str = ""
    server: "HostileServer | None" = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`expected`: for each request that one sender makes, in turn.

    `serve` is None if the behaviour is not one of plain HTTP. `unread`: the server does not read
    the body; `body` is how many bytes it should have for the behaviour to show.
    """

    name: str
    what: str
    expected: tuple[Expected, ...]
    ends: Ends
    place: Callable[[], AbstractAsyncContextManager[Place]]
    serve: Serve | None = None
    unread: bool = False
    body: int = 2

    def longest(self, connect: float, total: float) -> float:
        """Seconds that one request may take a sender with these timeouts, margin included."""
        return (min(connect, total) if self.ends is Ends.CONNECT else total) + MARGIN


BEHAVIOURS: Final[dict[str, Behaviour]] = {}
