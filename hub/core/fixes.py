"""Which of a rider's fixes are believed."""

from math import inf, isfinite
from typing import Any, Final

from hub.core.bucket import Bucket
from schemas.gcj02 import to_wgs84
from schemas.motion import within
from schemas.positions import Rejection
from schemas.telemetry import RawFix, Sighting
from schemas.times import parse_time

__all__ = ["RATE", "FixFilter", "seq_of"]

MAX_LEAD: Final = 30.0  # seconds a phone's clock may be ahead
MAX_SPEED: Final = 70.0  # m/s
BELIEVED_AFTER: Final = 3  # fixes in a row near an impossible place make it possible
RATE: Final = 5.0
_BURST: Final = 4  # seconds of the rate


def seq_of(raw: Any) -> int | None:
    """The seq that a fix names, if it names one, to be given back in a rejection."""
    seq = raw.get("seq") if isinstance(raw, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None


class FixFilter:
    """One rider's filter. `now` is in Unix seconds, `rate` in messages a second."""

    __slots__ = ("_bucket", "_jump", "_jumps", "newest")

    def __init__(self, rate: float = RATE) -> None:
        self.newest: Sighting | None = None
        self._bucket = Bucket(rate, _BURST * rate)
        self._jump: Sighting | None = None
        self._jumps = 0

    def within_rate(self, now: float) -> bool:
        """Count one message; a batch counts once."""
        return self._bucket.take(now)

    def judge(self, fix: RawFix, now: float) -> Sighting | Rejection:
        """Where the rider was, in WGS 84, and the newest from now on; or why it is not believed."""
        try:
            at = parse_time(fix.at)
        except ValueError:
            return Rejection.MALFORMED
        impossible = _impossible(fix, at, now)
        if impossible is not None:
            return impossible
        lat, lng = fix.lat, fix.lng
        if fix.crs == "gcj02":
            lat, lng = to_wgs84(lat, lng)
        sighting = Sighting(
            0,
            at,
            lat,
            lng,
            _known(fix.heading, 360.0),
            _known(fix.speed, MAX_SPEED),
            _known(fix.accuracy, inf),
            _known(fix.battery, 1.0),
        )
        newest = self.newest
        if newest is not None:
            if at < newest.at:
                return Rejection.OLD
            if not _reachable(newest, sighting) and not self._believed(sighting):
                return Rejection.TOO_FAST
        self.newest = sighting
        self._jumps = 0
        return sighting

    def _believed(self, far: Sighting) -> bool:
        """Whether a place out of reach was seen so often in a row that the rider is there."""
        near = self._jumps > 0 and self._jump is not None and _reachable(self._jump, far)
        self._jumps = self._jumps + 1 if near else 1
        self._jump = far
        return self._jumps >= BELIEVED_AFTER


def _impossible(fix: RawFix, at: float, now: float) -> Rejection | None:
    lat, lng = fix.lat, fix.lng
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        return Rejection.OUT_OF_RANGE if _finite(fix) else Rejection.NOT_FINITE
    if not _finite(fix):
        return Rejection.NOT_FINITE
    if lat == 0 and lng == 0:
        return Rejection.NULL_ISLAND
    if at > now + MAX_LEAD:
        return Rejection.FUTURE
    return None


def _finite(fix: RawFix) -> bool:
    """NaN and infinity come through any sum, as long as no sum of finite numbers overflows."""
    more = (fix.heading or 0.0) + (fix.speed or 0.0) + (fix.accuracy or 0.0) + (fix.battery or 0.0)
    return isfinite(fix.lat) and isfinite(fix.lng) and isfinite(more)


def _known(value: float | None, limit: float) -> float | None:
    """Without what cannot be: phones say -1 where they do not know."""
    return value if value is not None and 0 <= value <= limit else None


def _reachable(a: Sighting, b: Sighting) -> bool:
    seconds = max(1.0, abs(b.at - a.at))
    return within(MAX_SPEED * seconds, a.lat, a.lng, b.lat, b.lng)
