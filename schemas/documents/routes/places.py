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
        (404, 503),
        ("ifNoneMatch",),
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

PLACES: Final = (*_RESTAURANTS, *_RIDERS)
