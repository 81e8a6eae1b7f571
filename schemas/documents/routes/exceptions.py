"""What goes wrong with orders (contract 3)."""

from typing import Final

from schemas.documents.routes.route import CHANGE, KEY, PARTIES, REPLAYED, Answer, Route
from schemas.exceptions import CATALOGUE
from schemas.lifecycle import Role

__all__ = ["EXCEPTIONS"]


def _catalogue() -> str:
    rows = []
    for code, kind in CATALOGUE.items():
        settings = (f"ORDERCAST_{name.upper()}" for name in kind.deadlines)
        cells = (code, ", ".join(sorted(kind.raised_by)), ", ".join(settings), kind.effect.value)
        rows.append(f"| {' | '.join(cells)} |")
    head = ["| code | raised by | deadlines (settings) | effect |", "|---|---|---|---|"]
    return "\n".join(head + rows)


EXCEPTIONS: Final = (
    Route(
        "post",
        "/v1/orders/{orderId}/exceptions",
        "raiseException",
        "exceptions",
        "Raise an exception",
        PARTIES,
        (Answer(201, "Raised, and its effect done.", "OrderException", REPLAYED),),
        CHANGE,
        KEY,
        ("ExceptionReport",),
        description=(
            "The platform may raise every code, deadlines raise those that have one. `cancel`: the "
            "order is cancelled at once, with the code as its reason. `raise`: it stays open until "
            "it is resolved, or its cause has gone. `offer`: the customer is offered what is not "
            "sold out; all items, or no answer in time, cancel. `delay`: as `raise`, with an "
            "`order.delayed`. 409 where the order's status does not allow it, or one of the code "
            "is open already (`exceptionId`).\n\n" + _catalogue()
        ),
    ),
    Route(
        "post",
        "/v1/orders/{orderId}/exceptions/{exceptionId}/resolve",
        "resolveException",
        "exceptions",
        "Resolve an exception",
        (Role.PLATFORM, Role.MERCHANT, Role.CUSTOMER),
        (Answer(200, "Resolved; the same again where it was.", "OrderException", REPLAYED),),
        CHANGE,
        KEY,
        ("ResolutionRequest",),
        description=(
            "A customer answers offers: `accepted` takes the rest, and the order's items are those "
            "from then on; `declined` cancels the order. Platform and merchant say `resolved`, or "
            "`cancelled`, which cancels the order; the platform may answer for the customer. 409 "
            "where it was resolved otherwise before."
        ),
    ),
    Route(
        "get",
        "/v1/exceptions",
        "listExceptions",
        "exceptions",
        "List the open exceptions, oldest first",
        (Role.PLATFORM,),
        (Answer(200, "A page.", "ExceptionList"),),
        (401, 403, 422, 503),
        ("openOnly", "limit", "cursor"),
    ),
)
