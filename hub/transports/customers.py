"""HTTP: a customer's personal data."""

from typing import Final

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import UnprocessableError
from hub.services.customers import Customers
from hub.transports.exchange import answer, caller
from schemas.lifecycle import Role
from schemas.model import Id

__all__ = ["routes"]

_PATH: Final = "/v1/customers/{customer_id}/data"
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


def _customers(request: Request) -> Customers:
    customers: Customers = request.app.state.customers
    return customers


def _customer_id(request: Request) -> str:
    """An id that no order could name is refused. Raises UnprocessableError."""
    try:
        return _ID.validate_python(request.path_params["customer_id"])
    except ValidationError as error:
        wrong = error.errors()[0]["msg"]
        raise UnprocessableError(f"the customer's id: {wrong}", [("#/customerId", wrong)]) from None


async def erase(request: Request) -> Response:
    await caller(request, Role.PLATFORM)
    return answer(await _customers(request).erase(_customer_id(request)), 202)


async def look(request: Request) -> Response:
    await caller(request, Role.PLATFORM)
    return answer(await _customers(request).look(request.path_params["customer_id"]))


routes: Final = [
    Route(_PATH, erase, methods=["DELETE"]),
    Route(_PATH, look, methods=["GET"]),
]
