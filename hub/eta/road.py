"""How long a rider still takes to the door: distance times a learned pace, refined. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, log, radians, sqrt
from typing import Final

from msgspec import Struct, field

from hub.core.orders.estimate import Remaining
from hub.eta.conformal import Conformal
from hub.eta.forecast import Forecast, scaled_error, told
from hub.eta.ridge import Ridge
from schemas.motion import METRES_OF_A_DEGREE, distance

__all__ = ["Approach", "Point", "Road", "Sight", "approach"]

Point = tuple[float, float, float]
"""Unix seconds, latitude, longitude."""

_RECENT: Final = 180.0
_LAST: Final = 60.0
"""Seconds of a way that are looked back on."""

_DOOR: Final = 400.0
"""Metres that the end of a way is worth: to stop, to find the door."""

_PACE: Final = 0.2
"""Seconds a metre, until something better is learned."""

_DOUBT: Final = (600.0, 300.0)
"""Metres at that pace that the last three minutes, and the last one, are mixed with: whoever waits
at a light has not stopped for good.
"""

_ROUND: Final = 0.75
"""Metres nearer for a metre driven."""

_SPREAD: Final = 0.4
_USUAL: Final = 2_000.0
_WIDEST: Final = 1.5
"""Of the logarithm: so much at so many metres, and more by the root of nearer; at the most."""

_MOST: Final = 1.0
_FARTHEST: Final = 100_000.0
_DESIGN: Final = 3


class Approach(Struct, frozen=True):
    """How far it is as the crow flies (metres), and how the last minutes went."""

    metres: float
    nearer: float = 0.0
    """Metres less than at the beginning of the last three minutes, which were so many seconds."""
    seconds: float = 0.0
    travelled: float = 0.0
    """Metres of way in the last minute, which was so many seconds."""
    last: float = 0.0


def approach(trail: Sequence[Point], lat: float, lng: float) -> Approach:
    """From the fixes of the last minutes, oldest first and at least one, to the place given."""
    now, here_lat, here_lng = trail[-1]
    metres = distance(here_lat, here_lng, lat, lng)
    recent = [each for each in trail if each[0] >= now - _RECENT]
    last = [each for each in recent if each[0] >= now - _LAST]
    began = recent[0]
    return Approach(
        metres,
        distance(began[1], began[2], lat, lng) - metres,
        now - began[0],
        sum(_step(a, b) for a, b in pairwise(last)),
        now - last[0][0],
    )


def _step(a: Point, b: Point) -> float:
    north = (b[1] - a[1]) * METRES_OF_A_DEGREE
    return hypot(north, (b[2] - a[2]) * METRES_OF_A_DEGREE * cos(radians(a[1])))


class Sight(Struct, frozen=True):
    """An approach as the model sees it."""

    design: list[float]
    forecast: Forecast


class Road(Struct):
    """A pace that the last minutes move a little, and its errors.

    Never the speed of the moment: at a red light it would never come. `see` and `left` change
    nothing.
    """

    ridge: Ridge = field(default_factory=lambda: Ridge.new(_DESIGN, log(_PACE)))
    conformal: Conformal = field(default_factory=lambda: Conformal(step=0.0))

    def see(self, approach: Approach) -> Sight:
        way = min(max(approach.metres, 0.0), _FARTHEST) + _DOOR
        nearer, driven = max(approach.nearer, 0.0), _ROUND * approach.travelled
        recent = (approach.seconds + _PACE * _DOUBT[0]) / (nearer + _DOUBT[0])
        last = (approach.last + _PACE * _DOUBT[1]) / (driven + _DOUBT[1])
        design = [1.0, log(recent / _PACE), log(last / _PACE)]
        spread = min(_SPREAD * sqrt(_USUAL / way), _WIDEST)
        return Sight(design, Forecast(log(way) + self.ridge.predict(design), spread, spread))

    def left(self, approach: Approach) -> Remaining:
        return told(self.see(approach).forecast, self.conformal)

    def learn(self, sight: Sight, seconds: float) -> None:
        """So long it took from there. Once or twice a minute is enough of a way.

        The nearer, the less it says of the pace: least squares weighted by the width.
        """
        seconds = max(seconds, 1.0)
        self.conformal.learn(scaled_error(sight.forecast, seconds))
        missed = log(seconds) - sight.forecast.middle
        weight = _SPREAD / sight.forecast.up
        missed = min(max(missed, -_MOST), _MOST) * weight
        self.ridge.learn([value * weight for value in sight.design], missed)

    def fits(self) -> bool:
        return self.ridge.fits(_DESIGN) and self.conformal.fits()
