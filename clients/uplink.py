"""A rider's conversation with a hub: what was not acknowledged, how often to send. Sans-I/O.

Feed it what happens (`connected`, `receive`, `disconnected`, `add`) and send what `outgoing`
answers. Fixes are told in the order they were taken; the hub refuses older ones after newer.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from clients.errors import ClosedError
from clients.updates import Acked, Cadence, Notice, Orders, Rejected, RiderMessage, read
from schemas.codes import CloseCode
from schemas.positions import MAX_FIXES

__all__ = ["RiderSession"]

FIRST_CADENCE: Final = Cadence(5.0, "idle")
"""What holds until the hub says how often it wants to hear."""

_NEVER: Final = float("inf")
_AT_ONCE: Final = float("-inf")

Fix = dict[str, Any]


class RiderSession:
    """Keeps at most `capacity` fixes that no hub has acknowledged.

    `first_seq` has to be above every seq this rider ever used, as an `ack` names the highest
    taken. `now` is any clock that only goes forward, in seconds.
    """

    def __init__(self, first_seq: int = 1, capacity: int = 1000) -> None:
        self.orders = Orders(())
        self.cadence = FIRST_CADENCE
        self.dropped = 0
        """Fixes that fell out of a full buffer before a hub acknowledged them, oldest first."""
        self.ended = False
        self._capacity = capacity
        self._next_seq = first_seq
        self._connected = False
        self._unacked: OrderedDict[int, Fix] = OrderedDict()
        self._sent = -1
        """The highest seq that went out on the present connection."""
        self._held: Fix | None = None
        """The newest fix that the cadence keeps back."""
        self._admitted_at = _AT_ONCE

    @property
    def pending(self) -> int:
        """Fixes not yet acknowledged or rejected, the one that the cadence holds included."""
        return len(self._unacked) + (self._held is not None)

    def add(self, fix: Mapping[str, Any], now: float, immediately: bool = False) -> int:
        """Take a fix (wire names, without seq) and answer its seq.

        Within the cadence of the last one it waits, and gives way to a newer one meanwhile;
        `immediately` passes that by.
        """
        seq = self._next_seq
        self._next_seq += 1
        self._held = {"seq": seq, **fix}
        if immediately:
            self._admit(now)
        else:
            self._admit_due(now)
        return seq

    def connected(self) -> None:
        """The hub has taken the token: what it did not acknowledge is to be sent again."""
        self._connected = True
        self._sent = -1

    def disconnected(self) -> None:
        self._connected = False

    def due(self) -> float:
        """When `outgoing` will have something to say; minus infinity for now."""
        if not self._connected:
            return _NEVER
        if self._unacked and next(reversed(self._unacked)) > self._sent:
            return _AT_ONCE
        return _NEVER if self._held is None else self._admitted_at + self.cadence.seconds

    def outgoing(self, now: float) -> list[dict[str, Any]]:
        """The messages to send, in order: one `fix`, or batches of what has gathered."""
        self._admit_due(now)
        if not self._connected:
            return []
        fixes = [fix for seq, fix in self._unacked.items() if seq > self._sent]
        if not fixes:
            return []
        self._sent = fixes[-1]["seq"]
        if len(fixes) == 1:
            return [{"type": "fix", **fixes[0]}]
        starts = range(0, len(fixes), MAX_FIXES)
        return [{"type": "fixes", "fixes": fixes[at : at + MAX_FIXES]} for at in starts]

    def receive(self, message: Mapping[str, Any], now: float) -> list[RiderMessage]:
        """One decoded message of the hub.

        Raises HubMessageError if it lacks what its type must have, and ClosedError when this
        rider has connected from elsewhere.
        """
        match message["type"]:
            case "ack":
                return [self._ack(read(lambda: int(message["seq"])))]
            case "orders":
                self.orders = read(partial(Orders.of, message))
                return [self.orders]
            case "cadence":
                self.cadence = read(lambda: _cadence(message))
                return [self.cadence]
            case "rejected":
                return [self._reject(message.get("seq"), str(message.get("reason", "")))]
            case "superseded":
                raise ClosedError(CloseCode.SUPERSEDED, "this rider connected from elsewhere")
            case "notice" | "error":
                code = read(lambda: str(message["code"]))
                return [Notice(code, str(message.get("message", "")))]
        return []

    def _admit_due(self, now: float) -> None:
        if self._held is not None and now >= self._admitted_at + self.cadence.seconds:
            self._admit(now)

    def _admit(self, now: float) -> None:
        assert self._held is not None
        self._unacked[self._held["seq"]] = self._held
        self._held, self._admitted_at = None, now
        if len(self._unacked) > self._capacity:
            self._unacked.popitem(last=False)
            self.dropped += 1

    def _ack(self, seq: int) -> Acked:
        while self._unacked and next(iter(self._unacked)) <= seq:
            self._unacked.popitem(last=False)
        return Acked(seq)

    def _reject(self, seq: int | None, reason: str) -> Rejected:
        if seq is not None:
            self._unacked.pop(seq, None)
        return Rejected(seq, reason)


def _cadence(message: Mapping[str, Any]) -> Cadence:
    return Cadence(max(0.0, float(message["seconds"])), str(message["reason"]))
