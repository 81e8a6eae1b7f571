"""Which of a rider's fixes are believed."""

from math import inf, isfinite
from typing import Any, Final

from pydantic import ValidationError

from hub.core.bucket import Bucket
from schemas.gcj02 import to_wgs84
from schemas.motion import distance
from schemas.positions import Fix, Rejection

__all__ = ["FixFilter", "seq_of"]

MAX_LEAD: Final = 30.0  # seconds a phone's clock may be ahead
MAX_SPEED: Final = 70.0  # m/s
BELIEVED_AFTER: Final = 3  # fixes in a row near an impossible place make it possible
RATE: Final = 5.0
BURST: Final = 20.0


def seq_of(raw: Any) -> int | None:
    """The seq that a fix names, if it names one, to be given back in a rejection."""
    seq = raw.get("seq") if isinstance(raw, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None


class FixFilter:
    """One rider's filter. `now` is in Unix seconds."""

    __slots__ = ("_bucket", "_jump", "_jumps", "newest")

    def __init__(self) -> None:
        self.newest: Fix | None = None
        self._bucket = Bucket(RATE, BURST)
        self._jump: Fix | None = None
        self._jumps = 0

    def within_rate(self, now: float) -> bool:
        """Count one message; a batch counts once."""
        return self._bucket.take(now)

    def judge(self, raw: Any, now: float) -> Fix | Rejection:
        """A fix in WGS 84, taken as the newest; or why not."""
        try:
            fix = Fix.read(raw)
        except ValidationError:
            return Rejection.MALFORMED
        reason = _out_of_bounds(fix, now) or self._implausible(fix)
        if reason is not None:
            return reason
        self.newest = fix = _sane(_in_wgs84(fix))
        self._jump, self._jumps = None, 0
        return fix

    def _implausible(self, fix: Fix) -> Rejection | None:
        if self.newest is None:
            return None
        if fix.at < self.newest.at:
            return Rejection.OLD
        fix = _in_wgs84(fix)
        if _reachable(self.newest, fix):
            return None
        near = self._jump is not None and _reachable(self._jump, fix)
        self._jumps = self._jumps + 1 if near else 1
        self._jump = fix
        return None if self._jumps >= BELIEVED_AFTER else Rejection.TOO_FAST


def _out_of_bounds(fix: Fix, now: float) -> Rejection | None:
    numbers = (fix.lat, fix.lng, fix.heading, fix.speed, fix.accuracy, fix.battery)
    if not all(isfinite(number) for number in numbers if number is not None):
        return Rejection.NOT_FINITE
    if abs(fix.lat) > 90 or abs(fix.lng) > 180:
        return Rejection.OUT_OF_RANGE
    if fix.lat == 0 and fix.lng == 0:
        return Rejection.NULL_ISLAND
    if fix.at > now + MAX_LEAD:
        return Rejection.FUTURE
    return None


def _in_wgs84(fix: Fix) -> Fix:
    if fix.crs == "wgs84":
        return fix
    lat, lng = to_wgs84(fix.lat, fix.lng)
    return fix.model_copy(update={"lat": lat, "lng": lng, "crs": "wgs84"})


def _sane(fix: Fix) -> Fix:
    """Without what cannot be: phones say -1 where they do not know."""
    limits = {"heading": 360.0, "speed": MAX_SPEED, "accuracy": inf, "battery": 1.0}
    unknown = {
        name: None
        for name, limit in limits.items()
        if (value := getattr(fix, name)) is not None and not 0 <= value <= limit
    }
    return fix.model_copy(update=unknown) if unknown else fix


def _reachable(a: Fix, b: Fix) -> bool:
    seconds = max(1.0, abs(b.at - a.at))
    return distance(a.lat, a.lng, b.lat, b.lng) <= MAX_SPEED * seconds
