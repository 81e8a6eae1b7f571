"""How a position's speed and heading may be made of fixes alone, and when it is told: compared.

Without hubs or sockets, on recorded trips. The rows that Ordercast follows are its own code.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians
from statistics import fmean, median
from typing import Any, Final

from bench.replay.trace import Point
from hub.core.riders.course import Course
from hub.core.riders.telling import HEARTBEAT, SURELY, Telling
from hub.demo.checks import percentile
from schemas.motion import METRES_OF_A_DEGREE, distance, reckoned
from schemas.telemetry import Sighting

__all__ = ["compare"]

_OLD: Final = 30.0
_STANDS: Final = 0.5
_METRES: Final = 15.0
_START: Final = 1000.0

Moves = tuple[float | None, float | None]
"""Speed in m/s and heading in degrees."""

Estimate = Callable[[Sequence[Point]], Moves]
"""Of the last fixes, the newest last."""

Told = Callable[[float, float, bool], bool]
"""Of the seconds since a position was told, the metres that it is off by now, and whether it was
off by over 15 m at the fix before.
"""


def _moves(north: float, east: float) -> Moves:
    speed = hypot(north, east)
    return (speed, degrees(atan2(east, north)) % 360.0) if speed >= _STANDS else (0.0, 0.0)


def _recent(fixes: Sequence[Point], number: int) -> list[Point]:
    return [fix for fix in fixes[-number:] if fixes[-1][0] - fix[0] <= _OLD]


def _between(a: Point, b: Point) -> tuple[float, float]:
    """Metres a second to the north and to the east."""
    seconds, scale = b[0] - a[0], METRES_OF_A_DEGREE * cos(radians(b[1]))
    return (b[1] - a[1]) * METRES_OF_A_DEGREE / seconds, (b[2] - a[2]) * scale / seconds


def _last_steps(number: int) -> Estimate:
    """From so many fixes ago to now."""

    def estimate(fixes: Sequence[Point]) -> Moves:
        recent = _recent(fixes, number + 1)
        return _moves(*_between(recent[0], recent[-1])) if len(recent) > 1 else (None, None)

    return estimate


def _least_squares(number: int) -> Estimate:
    def estimate(fixes: Sequence[Point]) -> Moves:
        recent = _recent(fixes, number)
        if len(recent) < 2:
            return None, None
        at = fmean(fix[0] for fix in recent)
        spread = sum((fix[0] - at) ** 2 for fix in recent)
        lat, lng = (sum((fix[0] - at) * fix[i] for fix in recent) / spread for i in (1, 2))
        scale = cos(radians(recent[-1][1]))
        return _moves(lat * METRES_OF_A_DEGREE, lng * METRES_OF_A_DEGREE * scale)

    return estimate


def _theil_sen(number: int) -> Estimate:
    """The median of the slopes of all pairs."""

    def estimate(fixes: Sequence[Point]) -> Moves:
        recent = _recent(fixes, number)
        slopes = [_between(a, b) for i, a in enumerate(recent) for b in recent[i + 1 :]]
        if not slopes:
            return None, None
        return _moves(median(each[0] for each in slopes), median(each[1] for each in slopes))

    return estimate


def _smoothed(share: float) -> Estimate:
    """Exponentially: `share` of each step's velocity."""

    def estimate(fixes: Sequence[Point]) -> Moves:
        recent, found = _recent(fixes, 8), None
        for a, b in pairwise(recent):
            new = _between(a, b)
            old = found or new
            found = tuple(share * n + (1 - share) * o for n, o in zip(new, old, strict=True))
        return (None, None) if found is None else _moves(*found)

    return estimate


def _braking(fixes: Sequence[Point]) -> Moves:
    """The last step, with half of the change of speed added: who brakes, stops."""
    recent = _recent(fixes, 3)
    speed, heading = _last_steps(1)(fixes)
    if speed is None or len(recent) < 3:
        return speed, heading
    change = speed - hypot(*_between(recent[0], recent[1]))
    gain = 0.5 if change < 0 else 0.15
    speed += gain * change
    return (speed, heading) if speed >= _STANDS else (0.0, 0.0)


def _rule(heartbeat: float, surely: float) -> Told:
    def told(seconds: float, off: float, doubted: bool) -> bool:
        sure = off >= surely or (doubted and off >= _METRES)
        return seconds >= heartbeat or sure

    return told


def _drive(trip: Sequence[Point], estimate: Estimate, rule: Told) -> tuple[int, list[float]]:
    """How often it is told, and the metres by which a page is off at each fix."""
    number, errors, doubted = 0, list[float](), False
    where: tuple[float, float, float, float | None, float | None] | None = None
    for index, (at, lat, lng) in enumerate(trip):
        if where is not None:
            when, *place, speed, heading = where
            off = distance(*reckoned(*place, speed, heading, at - when), lat, lng)
            if not rule(at - when, off, doubted):
                errors.append(off)
                doubted = off >= _METRES
                continue
        number, doubted = number + 1, False
        where = (at, lat, lng, *estimate(trip[max(0, index - 7) : index + 1]))
        errors.append(0.0)
    return number, errors


def _ours(trip: Sequence[Point]) -> tuple[int, list[float]]:
    """As the hub does it: `hub.core.riders.course` and `hub.core.riders.telling`."""
    course, telling, number, errors = Course(), Telling(_METRES), 0, list[float]()
    told: Sighting | None = None
    for moment, lat, lng in trip:
        at = _START + moment
        course.see(at, lat, lng)
        if telling.due(at, lat, lng):
            speed, heading = course.velocity(at, lat, lng) or (None, None)
            told = Sighting(0, at, lat, lng, heading, speed)
            telling.told(told)
            number += 1
        assert told is not None
        shown = reckoned(told.lat, told.lng, told.speed, told.heading, at - told.at)
        errors.append(distance(*shown, lat, lng))
    return number, errors


_STEP: Final = _last_steps(1)
_STRICT: Final = _rule(HEARTBEAT, _METRES)
_DOUBTING: Final = _rule(HEARTBEAT, SURELY * _METRES)

VARIANTS: Final[dict[str, Callable[[Sequence[Point]], tuple[int, list[float]]]]] = {
    "ordercast": _ours,
    "told at 15 m at once, heartbeat 20 s": lambda t: _drive(t, _STEP, _rule(20, _METRES)),
    "told at 15 m at once": lambda t: _drive(t, _STEP, _STRICT),
    "told at 15 m at once, heartbeat 29 s": lambda t: _drive(t, _STEP, _rule(29, _METRES)),
    "at 25 m, or 15 m twice": lambda t: _drive(t, _STEP, _rule(HEARTBEAT, 25)),
    "at 15 m twice only": lambda t: _drive(t, _STEP, _rule(HEARTBEAT, 1e9)),
    "velocity: the last two steps": lambda t: _drive(t, _last_steps(2), _DOUBTING),
    "velocity: the last step, and braking": lambda t: _drive(t, _braking, _DOUBTING),
    "velocity: least squares over 4 fixes": lambda t: _drive(t, _least_squares(4), _DOUBTING),
    "velocity: Theil-Sen over 4 fixes": lambda t: _drive(t, _theil_sen(4), _DOUBTING),
    "velocity: smoothed, 0.6": lambda t: _drive(t, _smoothed(0.6), _DOUBTING),
    "velocity: smoothed, 0.3": lambda t: _drive(t, _smoothed(0.3), _DOUBTING),
}


def compare(rides: Sequence[Sequence[Point]]) -> dict[str, Any]:
    minutes = sum(trip[-1][0] for trip in rides) / 60
    found = {}
    for name, variant in VARIANTS.items():
        each = [variant(trip) for trip in rides]
        errors = sorted(error for _, part in each for error in part)
        found[name] = {
            "messagesAMinute": round(sum(number for number, _ in each) / minutes, 2),
            "errorMetres": {
                f"p{share}": round(percentile(errors, share / 100) or 0.0, 1)
                for share in (50, 95, 99)
            },
        }
    return found
