"""The HTTP side of registered endpoints and of the partner's secret (contract 6)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.endpoints import Endpoints
from hub.transports.exchange import answer, caller, query_int, read_body
from schemas.lifecycle import Role
from schemas.webhooks import EndpointPatch, EndpointRequest

__all__ = ["routes"]

_LIMIT: Final = 100
_LIMIT_MAX: Final = 500
_SECRET: Final = {"Cache-Control": "no-store"}


async def _partner(request: Request) -> str:
    """Whose endpoints these are."""
    return (await caller(request, Role.PARTNER)).partner


def _endpoints(request: Request) -> Endpoints:
    endpoints: Endpoints = request.app.state.endpoints
    return endpoints


async def create(request: Request) -> Response:
    partner = await _partner(request)
    made = await _endpoints(request).create(partner, await read_body(request, EndpointRequest))
    where = {"Location": f"/v1/endpoints/{made.endpoint_id}"}
    return answer(made, 201, where | _SECRET)


async def show_all(request: Request) -> Response:
    partner, limit = await _partner(request), query_int(request, "limit", _LIMIT, 1, _LIMIT_MAX)
    after = request.query_params.get("after")
    items, following = await _endpoints(request).list(partner, limit=limit, after=after)
    return answer({"items": [item.dump() for item in items], "next": following})


async def show(request: Request) -> Response:
    partner = await _partner(request)
    return answer(await _endpoints(request).get(partner, request.path_params["endpoint_id"]))


async def change(request: Request) -> Response:
    partner, endpoint_id = await _partner(request), request.path_params["endpoint_id"]
    patch = await read_body(request, EndpointPatch)
    return answer(await _endpoints(request).patch(partner, endpoint_id, patch))


async def remove(request: Request) -> Response:
    partner = await _partner(request)
    await _endpoints(request).delete(partner, request.path_params["endpoint_id"])
    return Response(status_code=204)


async def rotate(request: Request) -> Response:
    partner = await _partner(request)
    rotated = await _endpoints(request).rotate(partner, request.path_params["endpoint_id"])
    return answer(rotated, headers=_SECRET)


async def show_partner(request: Request) -> Response:
    secret = await _endpoints(request).partner_secret(await _partner(request))
    return answer(secret, headers=_SECRET)


routes: Final = [
    Route("/v1/endpoints", create, methods=["POST"]),
    Route("/v1/endpoints", show_all, methods=["GET"]),
    Route("/v1/endpoints/{endpoint_id}", show, methods=["GET"]),
    Route("/v1/endpoints/{endpoint_id}", change, methods=["PATCH"]),
    Route("/v1/endpoints/{endpoint_id}", remove, methods=["DELETE"]),
    Route("/v1/endpoints/{endpoint_id}/rotate", rotate, methods=["POST"]),
    Route("/v1/partner", show_partner, methods=["GET"]),
]
