"""Shapes that only the documents need: what the code treats more loosely, and the ops answers.

The hub judges each fix alone and therefore takes a batch of anything; here stands what a rider's
app should send.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from schemas.model import Wire
from schemas.overview import HubInstance
from schemas.positions import MAX_FIXES, Fix
from schemas.webhooks import Delivery, Endpoint, EndpointFeedItem, FeedItem

__all__ = [
    "DeliveryList",
    "EndpointList",
    "Feed",
    "FeedPlace",
    "FixBatch",
    "FixMessage",
    "Fixes",
    "HubList",
    "Liveness",
    "OsmandBattery",
    "OsmandBody",
    "OsmandCoords",
    "OsmandLocation",
    "Readiness",
]

_Batch = Annotated[list[Fix], Field(min_length=1, max_length=MAX_FIXES)]
_Cursor = Annotated[str | None, Field(description="give it as `after`; null at the end")]


class FixMessage(Fix):
    """One fix, its fields beside the type."""

    type: Literal["fix"]


class Fixes(Wire):
    """What was buffered offline, oldest first. A bad fix is rejected alone."""

    type: Literal["fixes"]
    fixes: _Batch


class FixBatch(Wire):
    """Several fixes over HTTP, oldest first. A bad fix is rejected alone."""

    fixes: _Batch


_FOREIGN: Final = ConfigDict(extra="allow", alias_generator=None)
"""In the words of others, who may say more than we read."""


class OsmandCoords(Wire):
    """Accuracy, speed and heading below 0 are not known."""

    model_config = _FOREIGN

    latitude: float
    longitude: float
    accuracy: Annotated[float | None, Field(description="metres")] = None
    speed: Annotated[float | None, Field(description="m/s")] = None
    heading: Annotated[float | None, Field(description="degrees clockwise from north")] = None


class OsmandBattery(Wire):
    model_config = _FOREIGN

    level: Annotated[float | None, Field(description="0..1, or -1")] = None


class OsmandLocation(Wire):
    model_config = _FOREIGN

    timestamp: Annotated[
        str | float | None, Field(description="as the parameter of that name; without it: now")
    ] = None
    coords: OsmandCoords
    battery: OsmandBattery | None = None


class OsmandBody(Wire):
    """One fix as Traccar's app sends it since 9.0."""

    model_config = _FOREIGN

    device_id: str
    location: OsmandLocation


class EndpointList(Wire):
    items: list[Endpoint]
    next: _Cursor


class DeliveryList(Wire):
    """By order, the one first told of last; within an order by seq. With a filter a page may be
    short, or empty, before the end.
    """

    items: list[Delivery]
    next: _Cursor


class Feed(Wire):
    items: list[FeedItem | EndpointFeedItem]
    next: Annotated[
        str | None,
        Field(description="the place after these: give it as `after`, or acknowledge it"),
    ]


class FeedPlace(Wire):
    """Where the acknowledgement stands."""

    cursor: str


class Liveness(Wire):
    status: Literal["ok"]


class Readiness(Wire):
    """Ready means: the store answers and a pub/sub probe came back lately."""

    ready: bool
    hub: str
    reasons: Annotated[list[str], Field(description="what is missing, in words")]


class HubList(Wire):
    items: list[HubInstance]
    next: _Cursor
