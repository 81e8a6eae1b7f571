"""GCJ-02, the datum that maps in China draw in. Inside, all is WGS 84; this is the border.

The obfuscation is unpublished; the formula is the one that open tools have used since 2013
(eviltransform), exact to some metres. The way back is found by iteration, to under a centimetre.
"""

from math import cos, pi, sin, sqrt
from typing import Final

__all__ = ["to_gcj02", "to_wgs84"]

_AXIS: Final = 6_378_245.0  # Krasovsky 1940, metres
_ECCENTRICITY: Final = 0.006_693_421_622_965_943  # squared


def _abroad(lat: float, lng: float) -> bool:
    """The offset applies inside a box around China only."""
    return not (0.8293 <= lat <= 55.8271 and 72.004 <= lng <= 137.8347)


def _waves(value: float, *terms: tuple[float, float]) -> float:
    return sum(weight * sin(value * pi / divisor) for weight, divisor in terms) * 2 / 3


def _offset(lat: float, lng: float) -> tuple[float, float]:
    """Degrees to add to a WGS 84 point."""
    x, y = lng - 105.0, lat - 35.0
    common = _waves(x, (20.0, 1 / 6), (20.0, 1 / 2))
    north = (
        -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * sqrt(abs(x))
        + common
        + _waves(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))
    )
    east = (
        300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * sqrt(abs(x))
        + common
        + _waves(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))
    )
    phi = lat / 180 * pi
    magic = 1 - _ECCENTRICITY * sin(phi) ** 2
    dlat = north * 180 / (_AXIS * (1 - _ECCENTRICITY) / (magic * sqrt(magic)) * pi)
    dlng = east * 180 / (_AXIS / sqrt(magic) * cos(phi) * pi)
    return dlat, dlng


def to_gcj02(lat: float, lng: float) -> tuple[float, float]:
    if _abroad(lat, lng):
        return lat, lng
    dlat, dlng = _offset(lat, lng)
    return lat + dlat, lng + dlng


def to_wgs84(lat: float, lng: float) -> tuple[float, float]:
    if _abroad(lat, lng):
        return lat, lng
    guess_lat, guess_lng = lat, lng
    for _ in range(8):  # each round shrinks the error by some two decimals
        there_lat, there_lng = to_gcj02(guess_lat, guess_lng)
        guess_lat += lat - there_lat
        guess_lng += lng - there_lng
    return guess_lat, guess_lng
