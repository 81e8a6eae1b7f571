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
OLDEST: Final = 7 * 86_400.0
"""Seconds: a phone that says so has no clock. It counted milliseconds as seconds or the reverse,
started in 1970, or its GPS counts weeks from 1024 too few (IS-GPS-200, 10 bits of week number).
"""

SUSTAINED: Final = 150 / 3.6
"""m/s on average over a window, at which no rider rides."""

STEP: Final = 10.0
"""Seconds, at least, between two of the three points that make a window: one of 20 to 30 s where
fixes come every few seconds.
"""

RATE: Final = 5.0
_BURST: Final = 4  # seconds of the rate


def seq_of(raw: Any) -> int | None:
    """The seq that a fix names, if it names one, to be given back in a rejection."""
    seq = raw.get("seq") if isinstance(raw, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None


_NOWHERE: Final = (-inf, 0.0, 0.0, -inf, 0.0, 0.0)


class FixFilter(Bucket):
    """One rider's filter, and the bucket of their messages, of which a batch is one.

    `now` is in Unix seconds, `rate` in messages a second. Of the newest fix it keeps when (-inf
    before the first) and where, and little more: with thousands of riders each object that a fix
    touches is one more that is not in the processor's cache. So it is a bucket and has none.

    Two rules on speed. A place that cannot be reached from the last is a fault of the GPS, until
    it is seen for the third time. And who goes on and on at a speed of which each step could be,
    but not all of them, is quarantined: nothing is taken until the window looks like riding again.
    """

    __slots__ = (
        "_jump",
        "_jumps",
        "_window",
        "_window_at",
        "at",
        "lat",
        "lng",
        "quarantined",
        "quarantines",
    )

    def __init__(self, rate: float = RATE) -> None:
        super().__init__(rate, _BURST * rate)
        self.at, self.lat, self.lng = -inf, 0.0, 0.0
        self._jump: Sighting | None = None
        self._jumps = 0
        self._window = _NOWHERE
        """Two points of the window, oldest first; the newest fix is the third."""
        self._window_at = -inf
        """When the second of them was."""
        self.quarantined = False
        self.quarantines = 0
        """How many have begun and were not counted yet."""

    def judge(self, fix: RawFix, now: float) -> Sighting | Rejection:
        """Where the rider was, in WGS 84, and the newest from now on; or why it is not believed."""
        sighting = _read(fix, now)
        if isinstance(sighting, Rejection):
            return sighting
        at, lat, lng = sighting.at, sighting.lat, sighting.lng
        if at < self.at:
            return Rejection.OLD
        reached = _reachable(at - self.at, self.lat, self.lng, lat, lng)
        if not reached and not self._believed(sighting):
            return Rejection.TOO_FAST
        self.at, self.lat, self.lng = at, lat, lng
        self._jumps = 0
        if at - self._window_at >= STEP:
            self._look_back(at, lat, lng)
        return Rejection.TOO_FAST if self.quarantined else sighting

    def recall(self, known: Sighting) -> None:
        """Go on from what another hub has believed: nothing older is taken."""
        if self.at < known.at:
            self.at, self.lat, self.lng = known.at, known.lat, known.lng

    def _look_back(self, at: float, lat: float, lng: float) -> None:
        """A window is full: quarantine who was too fast in both halves of it and on the whole, so
        that it is never for one jump or one bad fix, whichever of the three that is. Let go whom
        the window as a whole can be believed of.
        """
        start, lat0, lng0, middle, lat1, lng1 = self._window
        if within(SUSTAINED * (at - start), lat0, lng0, lat, lng):
            self.quarantined = False
        elif not (
            self.quarantined
            or within(SUSTAINED * (middle - start), lat0, lng0, lat1, lng1)
            or within(SUSTAINED * (at - middle), lat1, lng1, lat, lng)
        ):
            self.quarantined = True
            self.quarantines += 1
        self._window, self._window_at = (middle, lat1, lng1, at, lat, lng), at

    def _believed(self, far: Sighting) -> bool:
        """Whether a place out of reach was seen so often in a row that the rider is there."""
        was = self._jump if self._jumps else None
        near = was is not None and _reachable(
            abs(far.at - was.at), was.lat, was.lng, far.lat, far.lng
        )
        self._jumps = self._jumps + 1 if near else 1
        self._jump = far
        return self._jumps >= BELIEVED_AFTER


def _read(fix: RawFix, now: float) -> Sighting | Rejection:
    """The fix by itself: whether it can be, and without what cannot.

    Phones say -1 where they do not know; NaN fails every comparison.
    """
    try:
        at = parse_time(fix.at)
    except ValueError:
        return Rejection.MALFORMED
    lat, lng = fix.lat, fix.lng
    heading, speed, accuracy, battery = fix.heading, fix.speed, fix.accuracy, fix.battery
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        return _out_of_range(lat, lng)
    if heading is not None and not 0 <= heading <= 360:
        if not isfinite(heading):
            return Rejection.NOT_FINITE
        heading = None
    if speed is not None and not 0 <= speed <= MAX_SPEED:
        if not isfinite(speed):
            return Rejection.NOT_FINITE
        speed = None
    if accuracy is not None and not 0 <= accuracy < inf:
        if not isfinite(accuracy):
            return Rejection.NOT_FINITE
        accuracy = None
    if battery is not None and not 0 <= battery <= 1:
        if not isfinite(battery):
            return Rejection.NOT_FINITE
        battery = None
    if lat == 0 and lng == 0:
        return Rejection.NULL_ISLAND
    if at > now + MAX_LEAD:
        return Rejection.FUTURE
    if at < now - OLDEST:
        return Rejection.OLD
    if fix.crs == "gcj02":
        lat, lng = to_wgs84(lat, lng)
    return Sighting(0, at, lat, lng, heading, speed, accuracy, battery)


def _out_of_range(lat: float, lng: float) -> Rejection:
    finite = isfinite(lat) and isfinite(lng)
    return Rejection.OUT_OF_RANGE if finite else Rejection.NOT_FINITE


def _reachable(seconds: float, lat1: float, lng1: float, lat2: float, lng2: float) -> bool:
    return within(MAX_SPEED * seconds if seconds > 1 else MAX_SPEED, lat1, lng1, lat2, lng2)
