"""Distances and movement on the ground, shared by the hub and the clients."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

__all__ = [
    "HORIZON",
    "METRES_OF_A_DEGREE",
    "around",
    "distance",
    "reckoned",
    "velocity",
    "within",
]

_EARTH: Final = 6_371_008.8  # mean radius, metres (IUGG)
METRES_OF_A_DEGREE: Final = radians(_EARTH)
"""Of latitude."""

HORIZON: Final = 30.0
"""Seconds for which a position is led on; then it stays where that got."""


def distance(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Metres between two points, along the great circle (haversine)."""
    half_lat = sin(radians(lat2 - lat1) / 2)
    half_lng = sin(radians(lng2 - lng1) / 2)
    chord = half_lat**2 + cos(radians(lat1)) * cos(radians(lat2)) * half_lng**2
    return 2 * _EARTH * asin(min(1.0, sqrt(chord)))


def within(metres: float, lat1: float, lng1: float, lat2: float, lng2: float) -> bool:
    """Whether two points are at most `metres` apart.

    No way is longer than north, then east at the equator's scale: if that is short enough, there
    is no need for the sines.
    """
    if (abs(lat2 - lat1) + abs(lng2 - lng1)) * METRES_OF_A_DEGREE <= metres:
        return True
    return distance(lat1, lng1, lat2, lng2) <= metres


def velocity(lat: float, speed: float | None, heading: float | None) -> tuple[float, float]:
    """Degrees of latitude and longitude a second, from m/s and degrees clockwise from north.

    Nothing, where either is not known.
    """
    if speed is None or heading is None:
        return 0.0, 0.0
    course, degrees = radians(heading), speed / METRES_OF_A_DEGREE
    return degrees * cos(course), degrees * sin(course) / max(0.01, cos(radians(lat)))


def reckoned(
    lat: float, lng: float, speed: float | None, heading: float | None, seconds: float
) -> tuple[float, float]:
    """Dead reckoning: where a position has got to `seconds` after it was taken. This is what a
    client shows between two positions, and what the hub compares each fix with.

    On a plane whose scale is that of the latitude where it was taken. Longitudes go on past the
    antimeridian; latitudes end at the poles. `examples/reckoning.json` has some to try against.
    """
    north, east = velocity(lat, speed, heading)
    ahead = min(max(seconds, 0.0), HORIZON)
    return max(-90.0, min(90.0, lat + north * ahead)), around(lng + east * ahead)


def around(degrees: float) -> float:
    """A longitude, or the difference of two, from -180 on and below 180."""
    return degrees if -180.0 <= degrees < 180.0 else (degrees + 180.0) % 360.0 - 180.0
