"""What a workload drives: hubs of ours, or what a user would pick instead."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["MARK", "Dial", "Launch", "NotHereError", "Step", "Target"]

MARK = b'"heading":'
"""What stands before the moment of sending in every message: seconds of the generator's clock,
modulo 360, with 6 decimals. A heading, because every hub hands it on as it came."""


class NotHereError(Exception):
    """What a target needs is not on this machine; says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Step:
    """In the opening of a socket: wait for a payload that contains `wait`, then send `say`.

    Either may be empty: b"" waits for nothing, None sends nothing.
    """

    wait: bytes
    say: bytes | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """How one WebSocket is opened. It is ready when its last step is done."""

    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()


class Target(Protocol):
    """Servers that are running on the servers' core, and how to speak with them by text frames.

    `processes` are the process ids of each part: "hubA" takes the riders, "hubB" the customers,
    "store" is what carries the one's messages to the other. `answers` are messages of the server's
    own keep-alive, with what a client must answer.
    """

    name: str
    processes: Mapping[str, Sequence[int]]
    answers: Mapping[bytes, bytes]

    async def prepare(self, orders: int) -> None:
        """Have orders 0 .. `orders` - 1, each with a rider on the way."""

    def rider(self, order: int) -> Dial:
        """The socket on which the order's rider sends."""

    def customer(self, order: int) -> Dial:
        """A socket that watches the order. It is ready when what is sent then would reach it."""

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        """The rider's `number`th message: a fix whose heading is `stamp`."""


Launch = Callable[[Path], AbstractAsyncContextManager[Target]]
"""Starts a target with a directory for its files and logs. Raises NotHereError."""
