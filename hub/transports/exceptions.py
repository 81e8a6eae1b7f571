"""HTTP: what goes wrong with orders (contract 3)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.callers.claims import Claims
from hub.errors import UnprocessableError
from hub.services.exceptions import Exceptions
from hub.transports.exchange import answer, caller, query_int, read_body
from hub.transports.idempotency import Operation, once
from schemas.exceptions import ExceptionReport, ExceptionState, ResolutionRequest
from schemas.lifecycle import Role

__all__ = ["routes"]

_FRESH: Final = {"Cache-Control": "private, no-cache"}


def _exceptions(request: Request) -> Exceptions:
    exceptions: Exceptions = request.app.state.exceptions
    return exceptions


@once(Role.PLATFORM, Role.MERCHANT, Role.RIDER, Role.CUSTOMER)
async def report(request: Request, claims: Claims, operation: Operation) -> Response:
    told = await read_body(request, ExceptionReport)
    order_id = request.path_params["order_id"]
    return answer(await _exceptions(request).report(order_id, told, claims, operation), 201)


@once(Role.PLATFORM, Role.MERCHANT, Role.CUSTOMER)
async def resolve(request: Request, claims: Claims, operation: Operation) -> Response:
    told = await read_body(request, ResolutionRequest)
    names = request.path_params
    return answer(
        await _exceptions(request).resolve(
            names["order_id"], names["exception_id"], told.resolution, claims
        )
    )


async def show_open(request: Request) -> Response:
    await caller(request, Role.PLATFORM)
    if request.query_params.get("state", ExceptionState.OPEN) != ExceptionState.OPEN:
        wrong = "must be open; an order's events tell of those that are resolved"
        raise UnprocessableError(f"state {wrong}", [("#/state", wrong)])
    limit = query_int(request, "limit", 100, 1, 500)
    items, following = await _exceptions(request).open(limit, request.query_params.get("after"))
    return answer({"items": items, "next": following}, headers=_FRESH)


_OF_ORDER: Final = "/v1/orders/{order_id}/exceptions"

routes: Final = [
    Route(_OF_ORDER, report, methods=["POST"]),
    Route(f"{_OF_ORDER}/{{exception_id}}/resolve", resolve, methods=["POST"]),
    Route("/v1/exceptions", show_open, methods=["GET"]),
]
