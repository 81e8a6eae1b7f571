"""Fixes (what a rider sends) and positions (what an audience sees)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.model import Crs, Id, Latitude, Longitude, Wire
from schemas.times import Timestamp

__all__ = [
    "MAX_FIXES",
    "Fix",
    "FixBatch",
    "FixRejected",
    "FixResult",
    "Freshness",
    "Position",
    "Rejection",
    "TrailPoint",
    "fresh_until",
    "freshness",
]

MAX_FIXES = 100
"""Fixes in one batch."""

STALE_AFTER = 30.0
LOST_AFTER = 120.0


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    LOST = "lost"


_FRESH, _STALE, _LOST = (each.value for each in Freshness)


def freshness(age: float) -> str:
    """What a position is worth `age` seconds after its fix: the value of a Freshness."""
    if age < STALE_AFTER:
        return _FRESH
    return _STALE if age < LOST_AFTER else _LOST


def fresh_until(at: float, worth: str) -> float | None:
    """When a position of a fix taken `at` is worth less than that; None where it cannot be."""
    if worth == _FRESH:
        return at + STALE_AFTER
    return at + LOST_AFTER if worth == _STALE else None


class Rejection(StrEnum):
    """Why a fix was not taken."""

    OFF_DUTY = "off_duty"
    OUT_OF_RANGE = "out_of_range"
    NULL_ISLAND = "null_island"
    NOT_FINITE = "not_finite"
    OLD = "old"
    FUTURE = "future"
    TOO_FAST = "too_fast"
    RATE = "rate"
    MALFORMED = "malformed"


class Fix(Wire):
    """One GPS fix. Range and finiteness are judged by the fix filter, which names the reason."""

    seq: Annotated[int, Field(ge=0, le=2**53)]
    at: Timestamp
    lat: float
    lng: float
    heading: Annotated[float, Field(description="degrees clockwise from north, 0..360")] | None = (
        None
    )
    speed: Annotated[float, Field(description="m/s")] | None = None
    accuracy: Annotated[float, Field(description="metres")] | None = None
    battery: Annotated[float, Field(description="0..1")] | None = None
    crs: Crs = "wgs84"


class FixRejected(Wire):
    seq: int | None = Field(description="null when the fix named none")
    reason: Rejection


class FixBatch(Wire):
    """Body of `POST /v1/riders/{riderId}/positions` with several fixes."""

    fixes: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_FIXES)]


class FixResult(Wire):
    taken: int
    rejected: list[FixRejected]


class TrailPoint(Wire):
    at: Timestamp
    lat: Latitude
    lng: Longitude


class Position(Wire):
    """Where the rider of an order was at `at`, as much of it as the audience may see."""

    order_id: Id
    at: Timestamp
    lat: Latitude
    lng: Longitude
    heading: float | None = None
    speed: float | None = None
    accuracy: float | None = None
    freshness: Freshness
    estimated_time: int | None = None
    rider_id: str | None = Field(default=None, description="platform only")
    battery: float | None = Field(default=None, description="platform only")
    trail: list[TrailPoint] | None = Field(
        default=None, description="the way since the position before, oldest first"
    )
