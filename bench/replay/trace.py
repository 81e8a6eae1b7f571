"""What is replayed: true order arrivals and true trips. The files are no part of the project."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import log
from pathlib import Path
from random import Random
from typing import Final

__all__ = ["DataError", "OrderTrace", "Point", "densest", "load", "tracks", "trips"]

ARRIVALS: Final = "order_arrivals.csv.gz"
TRIPS: Final = "gps_trips.csv.gz"

Point = tuple[float, float, float]
"""Seconds since the trip's start, latitude, longitude."""

_SHORTEST: Final = 240.0  # seconds of a trip that may be a delivery
_LONGEST: Final = 2400.0
_FEWEST_POINTS: Final = 20
_GAP: Final = 120.0


class DataError(Exception):
    """The files are not there, or hold too little."""


@dataclass(frozen=True, slots=True)
class OrderTrace:
    """Moments in real seconds from the first order's arrival, or from the step before."""

    at: float
    confirm: float
    prepare: float
    kitchen: float
    trip: list[Point]


def load(directory: Path, count: int, seed: int) -> list[OrderTrace]:
    """The `count` consecutive arrivals that lie densest, each with a trip. Raises DataError.

    The arrivals' file tells no later steps. They are drawn: lognormal, so that the median life
    is some 45 minutes with a median trip of 12 to 15.
    """
    arrivals = densest(_moments(directory), count)
    found = trips(directory)
    chance = Random(seed)
    return [
        OrderTrace(
            at=at,
            confirm=_around(120, chance),
            prepare=_around(120, chance),
            kitchen=_around(1500, chance),
            trip=chance.choice(found),
        )
        for at in arrivals
    ]


def densest(moments: list[float], count: int) -> list[float]:
    """The `count` consecutive moments that take the least time, from 0 on. Raises DataError."""
    if count > len(moments):
        raise DataError(f"there are {len(moments)} arrivals, not {count}")
    starts = range(len(moments) - count + 1)
    start = min(starts, key=lambda i: moments[i + count - 1] - moments[i])
    return [moment - moments[start] for moment in moments[start : start + count]]


def _around(median: float, chance: Random) -> float:
    return min(3 * median, chance.lognormvariate(log(median), 0.35))


def _moments(directory: Path) -> list[float]:
    return sorted(_seconds(row["created_at"]) for row in _rows(directory / ARRIVALS))


def trips(directory: Path) -> list[list[Point]]:
    """Those of a delivery's length. Raises DataError."""
    usable = [trip for trip in tracks(directory) if _is_usable(trip)]
    if not usable:
        raise DataError(f"{directory / TRIPS} holds no trip of a delivery's length")
    return usable


def tracks(directory: Path) -> list[list[Point]]:
    """All that was recorded. Raises DataError."""
    found: dict[str, list[Point]] = defaultdict(list)
    for row in _rows(directory / TRIPS):
        point = (_seconds(row["time"]), float(row["latitude"]), float(row["longitude"]))
        found[row["track_id"]].append(point)
    return [_from_zero(sorted(set(track))) for track in found.values()]


def _from_zero(track: list[Point]) -> list[Point]:
    return [(at - track[0][0], lat, lng) for at, lat, lng in track]


def _is_usable(trip: list[Point]) -> bool:
    gaps = [b[0] - a[0] for a, b in pairwise(trip)]
    long_enough = len(trip) >= _FEWEST_POINTS and _SHORTEST <= trip[-1][0] <= _LONGEST
    return long_enough and max(gaps) <= _GAP


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with gzip.open(path, "rt", newline="") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: {reason}; name the data's directory with --data") from None


def _seconds(text: str) -> float:
    """The files' clocks have no zone; only differences count here."""
    return datetime.fromisoformat(f"{text}+00:00").timestamp()
