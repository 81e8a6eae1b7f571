"""Restaurants, and where riders are (contract 2 and 5)."""

from typing import Final

from schemas.documents.routes.route import (
    CACHED,
    NOT_MODIFIED,
    Answer,
    Route,
)
from schemas.lifecycle import Role

__all__ = ["PLACES"]

_RESTAURANTS: Final = (
    Route(
        "put",
        "/v1/restaurants/{restaurantId}",
        "putRestaurant",
        "restaurants",
        "Tell what a restaurant is called and where it is",
        (Role.PLATFORM,),
        (Answer(200, "Kept.", "Restaurant"),),
        (400, 401, 403, 413, 422, 503),
        request=("RestaurantUpdate",),
    ),
    Route(
        "get",
        "/v1/restaurants/{restaurantId}",
        "getRestaurant",
        "restaurants",
        "Show a restaurant",
        (),
        (Answer(200, "The restaurant.", "Restaurant", CACHED), NOT_MODIFIED),
        (404, 422, 503),
        ("ifNoneMatch", "crs"),
    ),
)

_RIDERS: Final = (
    Route(
        "post",
        "/v1/riders/{riderId}/positions",
        "sendPositions",
        "courier",
        "Send one fix, or several",
        (Role.RIDER,),
        (Answer(200, "Which fixes were not taken, and why.", "FixResult"),),
        (400, 401, 403, 413, 422, 503),
        request=("Fix", "FixBatch"),
        description="The same as `fix` and `fixes` on the rider's socket, with the same filter.",
    ),
)

_OSMAND_FIX: Final = (
    "device",
    "fixLat",
    "fixLon",
    "fixLocation",
    "fixCrs",
    "fixTimestamp",
    "fixSpeed",
    "fixBearing",
    "fixAccuracy",
    "fixBattery",
)
_OSMAND_TOLD: Final = (
    "For existing tracker apps: the OsmAnd protocol as Traccar's app speaks it, one fix a request. "
    "The fix is judged as on the rider's socket; one that is not taken is answered as one that is, "
    "since apps send again, and hold up all that follows, until they see a 2xx. Other parameters "
    "are passed over."
)
_OSMAND_DONE: Final = (Answer(200, "Seen; there is no body.", media=""),)

_OSMAND: Final = (
    Route(
        "get",
        "/v1/osmand",
        "sendOsmandFix",
        "courier",
        "Send one fix from a tracker app, in the URL",
        (),
        _OSMAND_DONE,
        (400, 401, 503),
        _OSMAND_FIX,
        description=_OSMAND_TOLD,
        device=True,
    ),
    Route(
        "post",
        "/v1/osmand",
        "postOsmandFix",
        "courier",
        "Send one fix from a tracker app, in the URL or the body",
        (),
        _OSMAND_DONE,
        (400, 401, 413, 503),
        _OSMAND_FIX,
        ("OsmandBody",),
        description=_OSMAND_TOLD + " What the body says goes before what the URL says.",
        form=True,
        device=True,
    ),
)

PLACES: Final = (*_RESTAURANTS, *_RIDERS, *_OSMAND)
