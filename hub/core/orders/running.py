"""The running estimate of an order that somebody watches: when to tell that it has moved. Pure."""

from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from hub.core.orders.estimate import Remaining, Timing, shown
from hub.core.orders.state import OrderState
from schemas.lifecycle import FINAL, Status
from schemas.telemetry import Sighting
from schemas.times import parse_time

__all__ = ["Point", "RunningEstimate", "Way"]

MOVED: Final = 60.0
"""Seconds by which the hand-over must have moved to be told by itself (contract)."""

_NO_HAND_OVER: Final = FINAL | {Status.RETURNING}
_RECENT: Final = 180.0
_POINTS: Final = 32

Point = tuple[float, float, float]
"""Unix seconds, latitude, longitude."""

Way = Callable[[Sequence[Point], float, float], Remaining]
"""What is left of a way to the latitude and longitude given, by the fixes of the last minutes,
oldest first.
"""


class RunningEstimate:
    """What those who watch an order were told last of its hand-over."""

    __slots__ = ("_door", "_points", "_timing", "_told")

    def __init__(self, state: OrderState) -> None:
        self._points: deque[Point] = deque(maxlen=_POINTS)
        self._told: float | None = None
        self.learn(state)

    def learn(self, state: OrderState) -> None:
        """What it is made of, as of the state."""
        timing = state.timing
        if timing is not None:
            timing = timing._replace(forecast=_packed(timing.forecast), road=_packed(timing.road))
        self._timing: Timing | None = timing
        address = state.request["address"]
        self._door = (address["lat"], address["lng"])

    def follow(self, status: Status, told: float | None, now: float, new_leg: bool) -> None:
        """An event has come; `told`: the hand-over as a person told it last (Unix seconds)."""
        if self._timing is None:
            return
        if status in _NO_HAND_OVER:
            self._timing = None
            return
        since = self._timing.under_way_since
        if new_leg:
            self._points.clear()
            since = now if status is Status.ON_DELIVERY else None
        self._timing = self._timing._replace(told=told, under_way_since=since)

    def tell(self, told: dict[str, Any], now: float) -> None:
        """An event or a snapshot has told it."""
        if "eta" in told:
            self._told = parse_time(told["eta"]["p50"])
        elif "estimatedTime" in told:
            self._told = now + 60 * told["estimatedTime"]

    def see(self, sighting: Sighting) -> None:
        for at, lat, lng in sighting.way or ():
            self._points.append((at, lat, lng))
        self._points.append((sighting.at, sighting.lat, sighting.lng))

    def moved(self, now: float, way: Way) -> dict[str, Any] | None:
        """What to tell now, if the hand-over has moved by more than a minute since the last time;
        `estimatedTime` and `eta`.
        """
        if self._timing is None:
            return None
        under_way = self._timing.under_way_since is not None
        left = self._timing.left(now, self._on_the_way(now, way) if under_way else None)
        if left is None or (self._told is not None and abs(now + left.p50 - self._told) <= MOVED):
            return None
        self._told = now + left.p50
        return shown(left, now)

    def _on_the_way(self, now: float, way: Way) -> Remaining | None:
        """None while the rider has not been seen for long: then the road's usual time counts."""
        while self._points and self._points[0][0] < now - _RECENT:
            self._points.popleft()
        return way(self._points, *self._door) if self._points else None


def _packed(quantiles: Sequence[float] | None) -> Sequence[float] | None:
    """A fifth of the size: there is one for every order that is watched."""
    return None if quantiles is None else array("f", quantiles)
