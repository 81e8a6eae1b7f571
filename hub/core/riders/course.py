"""How fast and whereto a rider moves, where the phone does not say. Pure."""

from math import atan2, cos, degrees, hypot, radians
from typing import Final

from schemas.motion import METRES_OF_A_DEGREE, around

__all__ = ["Course"]

_STEP: Final = 4.0
"""Seconds, at least, between two points that are remembered."""

_OLD: Final = 30.0
_STANDS: Final = 0.5
"""m/s below which it is the fixes that move, not the rider."""


class Course:
    """The way of the last ten seconds or so: two points, at least four seconds apart."""

    __slots__ = ("_at", "_at_before", "_lat", "_lat_before", "_lng", "_lng_before")

    def __init__(self) -> None:
        self._at = self._at_before = 0.0
        self._lat = self._lng = self._lat_before = self._lng_before = 0.0

    def see(self, at: float, lat: float, lng: float) -> None:
        if at - self._at >= _STEP:
            self._at_before, self._lat_before, self._lng_before = self._at, self._lat, self._lng
            self._at, self._lat, self._lng = at, lat, lng

    def velocity(self, at: float, lat: float, lng: float) -> tuple[float, float] | None:
        """Speed (m/s) and heading (degrees clockwise from north) at a fix, or None."""
        recent = at - self._at_before <= _OLD
        since, lat0, lng0 = (
            (self._at_before, self._lat_before, self._lng_before)
            if recent
            else (self._at, self._lat, self._lng)
        )
        seconds = at - since
        if not 0.0 < seconds <= _OLD:
            return None
        north = (lat - lat0) * METRES_OF_A_DEGREE
        east = around(lng - lng0) * METRES_OF_A_DEGREE * cos(radians(lat))
        speed = hypot(north, east) / seconds
        if speed < _STANDS:
            return 0.0, 0.0
        return round(speed, 1), round(degrees(atan2(east, north)) % 360.0, 0) % 360.0
