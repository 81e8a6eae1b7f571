"""What a platform may ask about a customer's personal data."""

from typing import Final

from schemas.documents.routes.route import SEEN, Answer, Route
from schemas.lifecycle import Role

__all__ = ["CUSTOMERS"]

_PLATFORM: Final = (Role.PLATFORM,)
_PATH: Final = "/v1/customers/{customerId}/data"

CUSTOMERS: Final = (
    Route(
        "delete",
        _PATH,
        "eraseCustomer",
        "customers",
        "Erase a customer's personal data",
        _PLATFORM,
        (Answer(202, "It will be, also if we are stopped meanwhile.", "Erasure"),),
        (401, 403, 409, 422, 503),
        description=(
            "From orders, events, webhooks, kept answers and the warehouse. The hashes of events "
            "stay, so proofs still verify; an event that lost something says `erased`. While the "
            "customer has an order that is not finished: 409 with `orders`. Asked again, it begins "
            "anew."
        ),
    ),
    Route(
        "get",
        _PATH,
        "getErasure",
        "customers",
        "How far an erasure is",
        _PLATFORM,
        (
            Answer(
                200, "The one under way and what it waits for, or the last of 30 days.", "Erasure"
            ),
        ),
        SEEN,
    ),
)
