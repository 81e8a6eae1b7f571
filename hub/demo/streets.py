"""The town's map: a grid of streets, and walks along them. Pure; chance comes in."""

import itertools
from math import atan2, cos, degrees, hypot, radians
from random import Random
from typing import Final

__all__ = ["Point", "Streets", "Walk", "far"]

Point = tuple[float, float]
"""Metres east and north of the town's south-west corner."""

_CORNER: Final = (31.2250, 121.4680)
_METRES_PER_DEGREE: Final = 111_195.0
_NEAR: Final = 1e-6


def far(a: Point, b: Point) -> float:
    """Metres between two points, as the streets go: a grid has no shorter way than this."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


class Streets:
    """`size` streets each way, `block` metres apart."""

    def __init__(self, size: int = 9, block: float = 45.0) -> None:
        self.size = size
        self.block = block

    def address(self, chance: Random) -> Point:
        """A place on some street."""
        street = chance.randrange(self.size) * self.block
        along = chance.uniform(0.0, (self.size - 1) * self.block)
        return (street, along) if chance.random() < 0.5 else (along, street)

    def route(self, start: Point, end: Point, chance: Random) -> list[Point]:
        """The corners of a way along streets, with its two ends."""
        if self._share_street(start, end):
            return [start, end]
        corners = [self._crossing(start)]
        goal = self._crossing(end)
        axis = chance.randrange(2)
        while corners[-1] != goal:
            corners.append(self._leg(corners[-1], goal, axis, chance))
            axis = 1 - axis
        way = [start, *corners, end]
        return [way[0], *(b for a, b in itertools.pairwise(way) if a != b)]

    def on_street(self, point: Point) -> bool:
        inside = all(-_NEAR <= c <= (self.size - 1) * self.block + _NEAR for c in point)
        return inside and any(abs(c - self._nearest(c)) < _NEAR for c in point)

    @staticmethod
    def degrees(point: Point) -> tuple[float, float]:
        """Latitude and longitude, WGS 84."""
        lat = _CORNER[0] + point[1] / _METRES_PER_DEGREE
        east = _METRES_PER_DEGREE * cos(radians(_CORNER[0]))
        return lat, _CORNER[1] + point[0] / east

    def _share_street(self, a: Point, b: Point) -> bool:
        return any(
            abs(a[axis] - b[axis]) < _NEAR and abs(a[axis] - self._nearest(a[axis])) < _NEAR
            for axis in (0, 1)
        )

    def _crossing(self, point: Point) -> Point:
        return self._nearest(point[0]), self._nearest(point[1])

    def _nearest(self, metres: float) -> float:
        return round(metres / self.block) * self.block

    def _leg(self, here: Point, goal: Point, axis: int, chance: Random) -> Point:
        """Some blocks along one axis towards the goal."""
        blocks = round((goal[axis] - here[axis]) / self.block)
        if here[1 - axis] != goal[1 - axis]:  # what is left can wait for a later leg
            blocks = (1 if blocks > 0 else -1) * chance.randint(1, abs(blocks)) if blocks else 0
        there = self._nearest(here[axis]) + blocks * self.block
        return (there, here[1]) if axis == 0 else (here[0], there)


class Walk:
    """Somebody on the way along `corners`, at `speed` metres a second."""

    def __init__(self, corners: list[Point], speed: float) -> None:
        self.place = corners[0]
        self.speed = speed
        self.heading = 0.0
        """Degrees clockwise from north."""
        self._corners = corners[1:]

    @property
    def left(self) -> float:
        """Metres still to go."""
        way = [self.place, *self._corners]
        return sum(far(a, b) for a, b in itertools.pairwise(way))

    @property
    def arrived(self) -> bool:
        return not self._corners

    def advance(self, seconds: float) -> None:
        reach = self.speed * seconds
        while self._corners and reach > 0:
            (x, y), (next_x, next_y) = self.place, self._corners[0]
            length = hypot(next_x - x, next_y - y)
            if length > 0:
                self.heading = degrees(atan2(next_x - x, next_y - y)) % 360
            if length <= reach:
                self.place = self._corners.pop(0)
                reach -= length
            else:
                part = reach / length
                self.place = (x + (next_x - x) * part, y + (next_y - y) * part)
                reach = 0.0
