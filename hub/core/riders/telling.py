"""When a position is worth telling: when those who lead the last one on would be wrong. Pure."""

from math import cos, radians
from typing import Final

from schemas.motion import HORIZON, METRES_OF_A_DEGREE, velocity
from schemas.telemetry import Sighting

__all__ = ["HEARTBEAT", "SURELY", "Telling"]

HEARTBEAT: Final = 24.0
"""Seconds after which it is told in any case, so that with the pause between two fixes, six
seconds or less while somebody watches, no one takes a rider for lost: a position is stale after 30.
"""

SURELY: Final = 1.3
"""Times the error allowed. A phone's fix is itself off by some 5 m under an open sky, a third of
the 15 m (van Diggelen and Enge, ION GNSS+ 2015). So one fix that is off by a little more than what
is allowed says nothing yet; a second in a row, or one that is off by this much, does.
"""

_SURELY_SQUARE: Final = SURELY * SURELY


class Telling:
    """What was told last of one order's rider, led on as clients do (`schemas.motion`).

    `metres`: by how much they may be wrong; 0.0 tells everything.
    """

    __slots__ = ("_at", "_doubted", "_east", "_lat", "_lng", "_north", "_scale", "_square")

    def __init__(self, metres: float) -> None:
        self._square = (metres / METRES_OF_A_DEGREE) ** 2
        self._at = self._lat = self._lng = self._north = self._east = 0.0
        self._scale = 1.0
        self._doubted = False

    def due(self, at: float, lat: float, lng: float) -> bool:
        """Whether a fix taken then is to be told. Ask once for each fix, in their order."""
        seconds = at - self._at
        if seconds >= HEARTBEAT:
            return True
        ahead = seconds if seconds < HORIZON else HORIZON
        north = lat - self._lat - self._north * ahead
        east = (lng - self._lng - self._east * ahead) * self._scale
        square = north * north + east * east
        if square < self._square:
            self._doubted = False
            return False
        if self._doubted or square >= self._square * _SURELY_SQUARE:
            return True
        self._doubted = True
        return False

    def told(self, sighting: Sighting) -> None:
        self._at, self._lat, self._lng = sighting.at, sighting.lat, sighting.lng
        self._north, self._east = velocity(sighting.lat, sighting.speed, sighting.heading)
        self._scale = cos(radians(sighting.lat))
        self._doubted = False

    def forget(self) -> None:
        """The next fix is told."""
        self._at = 0.0
