"""HTTP: documents, restaurants, health, metrics, and the living hubs."""

import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.watchers.views import in_gcj02
from hub.errors import NotFoundError, UnavailableError, UnprocessableError
from hub.services.probe import PROBE_LIMIT
from hub.transports.exchange import answer, caller, query_int, read_body
from hub.transports.orders import gcj02, matches
from schemas.documents import document, model_schema
from schemas.lifecycle import Role
from schemas.model import Id
from schemas.orders import RestaurantUpdate
from schemas.wire import dumps

__all__ = ["ops_routes", "routes"]

_PUBLIC: Final = "public, max-age=3600"
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


def _static(request: Request, data: Mapping[str, Any]) -> Response:
    """Public, cached for an hour, revalidated by its digest."""
    body = dumps(data)
    etag = f'"{sha256(body).hexdigest()[:16]}"'
    headers = {"Cache-Control": _PUBLIC, "ETag": etag, "Access-Control-Allow-Origin": "*"}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


@lru_cache(maxsize=256)
def _document(name: str) -> dict[str, Any]:
    return document(name)


async def openapi(request: Request) -> Response:
    return _static(request, _document("openapi"))


async def asyncapi(request: Request) -> Response:
    return _static(request, _document("asyncapi"))


async def schema(request: Request) -> Response:
    found = model_schema(request.path_params["name"])
    if found is None:
        raise NotFoundError("there is no such schema")
    return _static(request, found)


def _new_id(name: str) -> str:
    """A restaurant that no order could name is refused. Raises UnprocessableError."""
    try:
        return _ID.validate_python(name)
    except ValidationError as error:
        wrong = error.errors()[0]["msg"]
        raise UnprocessableError(
            f"the restaurant's id: {wrong}", [("#/restaurantId", wrong)]
        ) from None


async def put_restaurant(request: Request) -> Response:
    await caller(request, Role.PLATFORM)
    restaurant_id = _new_id(request.path_params["restaurant_id"])
    told = (await read_body(request, RestaurantUpdate)).dump()
    await request.app.state.restaurants.put(restaurant_id, told)
    return answer({"restaurantId": restaurant_id, **told})


async def get_restaurant(request: Request) -> Response:
    restaurant_id, crs = request.path_params["restaurant_id"], gcj02(request)
    told = await request.app.state.restaurants.get(restaurant_id)
    if told is None:
        raise NotFoundError(f"no restaurant {restaurant_id}")
    if crs and "location" in told:
        told = {**told, "location": in_gcj02(told["location"])}
    return _static(request, {"restaurantId": restaurant_id, **told})


async def healthz(request: Request) -> Response:
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Ready: the store answers, and the bus has lately brought our own probe back."""
    state = request.app.state
    age = state.probe.age()
    reasons = []
    if state.degraded:
        reasons.append("the bus is not connected")
    elif age > PROBE_LIMIT:
        reasons.append(f"no probe for {age:.0f} s")
    if state.sockets.draining:
        reasons.append("draining")
    try:
        await state.connection.ping()
    except UnavailableError as error:
        reasons.append(f"the store does not answer: {error}")
    ready = {"ready": not reasons, "hub": state.hub_id}
    return answer({**ready, "reasons": reasons}, 503 if reasons else 200)


async def metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def hubs(request: Request) -> Response:
    await caller(request, Role.OPS)
    limit, after = query_int(request, "limit", 100, 1, 500), request.query_params.get("after", "")
    living = await request.app.state.roster.living(time.time())
    left = [each for each in living if each["hub"] > after]
    following = left[limit - 1]["hub"] if len(left) > limit else None
    return answer({"items": left[:limit], "next": following})


routes: Final = [
    Route("/openapi.json", openapi, methods=["GET"]),
    Route("/asyncapi.json", asyncapi, methods=["GET"]),
    Route("/schemas/{name}.json", schema, methods=["GET"]),
    Route("/v1/restaurants/{restaurant_id}", put_restaurant, methods=["PUT"]),
    Route("/v1/restaurants/{restaurant_id}", get_restaurant, methods=["GET"]),
    Route("/v1/hubs", hubs, methods=["GET"]),
]

ops_routes: Final = [
    Route("/healthz", healthz, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
