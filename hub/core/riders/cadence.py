"""How often a rider's phone is to send: as often as somebody looks, and no more. Pure."""

from enum import StrEnum
from typing import Final

__all__ = ["Cadence", "Reason"]


class Reason(StrEnum):
    NEAR = "near"
    WATCHED = "watched"
    UNWATCHED = "unwatched"
    IDLE = "idle"


_SECONDS: Final = {Reason.NEAR: 2.0, Reason.WATCHED: 4.0, Reason.UNWATCHED: 15.0, Reason.IDLE: 60.0}

_COME: Final = 500.0
_GONE: Final = 700.0
"""Metres to a place of an order at which a rider is near, and is no longer."""

_PATIENCE: Final = 2
"""Looks without anybody after which nobody watches: a page that is loaded anew is gone between."""

_LOW: Final = 0.15
_SPARED: Final = 2.0
"""Share of the battery below which a phone is to send that much less often."""


class Cadence:
    """One rider's. Until the audience was looked at, somebody may watch."""

    __slots__ = ("_alone", "_low", "_near")

    def __init__(self) -> None:
        self._alone = 0
        self._near = False
        self._low = False

    def hear(self, audience: int, metres: float | None, battery: float | None) -> None:
        """How many hubs watch any of the rider's orders, how far the nearest place is (None: not
        known), and what the phone told of its battery.
        """
        self._alone = 0 if audience else self._alone + 1
        self._near = metres is not None and metres < (_GONE if self._near else _COME)
        self._low = battery is not None and battery < _LOW

    def told(self, on_duty: bool) -> tuple[float, str]:
        """Seconds between two fixes, and why."""
        reason = self._reason() if on_duty else Reason.IDLE
        spared = self._low and reason is not Reason.IDLE
        return _SECONDS[reason] * (_SPARED if spared else 1.0), reason.value

    def _reason(self) -> Reason:
        if self._alone >= _PATIENCE:
            return Reason.UNWATCHED
        return Reason.NEAR if self._near else Reason.WATCHED
