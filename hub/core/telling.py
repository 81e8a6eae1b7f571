"""When a position is worth telling: when those who lead the last one on would be wrong. Pure."""

from math import cos, radians
from typing import Final

from schemas.motion import HORIZON, METRES_OF_A_DEGREE, velocity
from schemas.telemetry import Sighting

__all__ = ["HEARTBEAT", "Telling"]

HEARTBEAT: Final = 20.0
"""Seconds after which it is told in any case, so that with the pause between two fixes no one
takes a rider who stands still for lost: a position is stale after 30.
"""


class Telling:
    """What was told last of one order's rider, led on as clients do (`schemas.motion`).

    `metres`: by how much they may be wrong; 0.0 tells everything.
    """

    __slots__ = ("_at", "_east", "_lat", "_lng", "_north", "_scale", "_square")

    def __init__(self, metres: float) -> None:
        self._square = (metres / METRES_OF_A_DEGREE) ** 2
        self._at = self._lat = self._lng = self._north = self._east = 0.0
        self._scale = 1.0

    def due(self, at: float, lat: float, lng: float) -> bool:
        """Whether a fix taken then is to be told."""
        seconds = at - self._at
        if seconds >= HEARTBEAT:
            return True
        ahead = seconds if seconds < HORIZON else HORIZON
        north = lat - self._lat - self._north * ahead
        east = (lng - self._lng - self._east * ahead) * self._scale
        return north * north + east * east >= self._square

    def told(self, sighting: Sighting) -> None:
        self._at, self._lat, self._lng = sighting.at, sighting.lat, sighting.lng
        self._north, self._east = velocity(sighting.lat, sighting.speed, sighting.heading)
        self._scale = cos(radians(sighting.lat))

    def forget(self) -> None:
        """The next fix is told."""
        self._at = 0.0
