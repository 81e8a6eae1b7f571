"""How everything stands, and the orders under way."""

from typing import Final

from schemas.documents.routes.route import Answer, Route
from schemas.lifecycle import Role

__all__ = ["OVERVIEW"]

OVERVIEW: Final = (
    Route(
        "get",
        "/v1/overview",
        "getOverview",
        "operations",
        "Show how everything stands",
        (Role.PLATFORM, Role.OPS),
        (Answer(200, "Counts, and the processes that live.", "Overview"),),
        (401, 403, 503),
        description=(
            "Orders are counted exactly. A hub tells the same again for a second; of webhooks for "
            "five, and longer where counting took long. `/metrics` says more, and keeps the past."
        ),
    ),
    Route(
        "get",
        "/v1/orders",
        "listOrders",
        "orders",
        "List the orders under way, or find one",
        (Role.PLATFORM,),
        (Answer(200, "A page, those placed last first.", "OrderList"),),
        (401, 403, 422, 503),
        ("orderStatus", "search", "limit", "cursor", "crs"),
        description="Finished orders are found by `q` alone, for as long as they are kept.",
    ),
)
