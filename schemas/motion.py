"""Distances and movement on the ground, shared by the hub and the clients."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

__all__ = ["distance", "within"]

_EARTH: Final = 6_371_008.8  # mean radius, metres (IUGG)
_DEGREE: Final = radians(_EARTH)  # metres of a degree of latitude


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
    if (abs(lat2 - lat1) + abs(lng2 - lng1)) * _DEGREE <= metres:
        return True
    return distance(lat1, lng1, lat2, lng2) <= metres
