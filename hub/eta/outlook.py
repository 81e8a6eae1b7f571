"""What a model says of a new order, in the words that the order keeps. Pure."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hub.core.orders.estimate import Outlook, Remaining
from hub.eta.estimator import Estimator
from hub.eta.features import Features
from hub.eta.forecast import quantiles
from hub.eta.road import Approach, approach
from schemas.motion import distance

__all__ = ["Town", "features_of", "outlook", "way"]


class Town(Struct, frozen=True):
    """What goes on while an order is placed. None: not known."""

    open_orders: float | None = None
    on_duty: float | None = None


def features_of(request: dict[str, Any], created_at: float, town: Town) -> Features:
    """`request` is the wire form of an OrderRequest."""
    items = request["items"]
    prices = [item["unitPriceCents"] for item in items]
    return Features(
        created_at=created_at,
        store=request["restaurantId"],
        items=float(sum(item["quantity"] for item in items)),
        distinct_items=float(len(items)),
        subtotal=float(sum(item["quantity"] * item["unitPriceCents"] for item in items)),
        least_price=float(min(prices)),
        highest_price=float(max(prices)),
        on_duty=town.on_duty,
        open_orders=town.open_orders,
        metres=_metres(request),
    )


def _metres(request: dict[str, Any]) -> float | None:
    pickup, door = request.get("pickup"), request["address"]
    if pickup is None:
        return None
    return distance(pickup["lat"], pickup["lng"], door["lat"], door["lng"])


def outlook(estimator: Estimator, features: Features) -> Outlook:
    """The whole order's time, and that of the road, as quantiles."""
    whole = quantiles(estimator.forecast(features), estimator.conformal)
    if features.metres is None:
        return Outlook(whole, None)
    sight = estimator.road.see(Approach(features.metres))
    return Outlook(whole, quantiles(sight.forecast, estimator.road.conformal))


def way(
    estimator: Estimator, points: Sequence[tuple[float, float, float]], lat: float, lng: float
) -> Remaining:
    """What is left of a way, by the fixes of the last minutes, oldest first and one at least."""
    return estimator.road.left(approach(points, lat, lng))
