"""The HTTP side of webhooks for partners: endpoints, deliveries, the feed, the secret
(contract 6).
"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import UnprocessableError
from hub.services.deliveries import Deliveries, Filter
from hub.services.endpoints import Endpoints
from hub.services.pull import Pull
from hub.transports.exchange import answer, body_of, caller, query_int, read_body
from schemas.lifecycle import Role
from schemas.webhooks import (
    Delivery,
    DeliveryState,
    EndpointPatch,
    EndpointRequest,
    FeedAck,
    Recovered,
    RecoverRequest,
)

__all__ = ["routes"]

_LIMIT: Final = 100
_LIMIT_MAX: Final = 500
_SECRET: Final = {"Cache-Control": "no-store"}
_FRESH: Final = {"Cache-Control": "private, no-cache"}
_FEED_CURSOR: Final = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")


async def _partner(request: Request) -> str:
    """Whose endpoints these are."""
    return (await caller(request, Role.PARTNER)).partner


def _endpoints(request: Request) -> Endpoints:
    endpoints: Endpoints = request.app.state.endpoints
    return endpoints


def _deliveries(request: Request) -> Deliveries:
    deliveries: Deliveries = request.app.state.deliveries
    return deliveries


def _pull(request: Request) -> Pull:
    pull: Pull = request.app.state.pull
    return pull


def _accepted(delivery: Delivery) -> Response:
    """It is enqueued; the bridge sends it."""
    return answer(delivery, 202, {"Location": f"/v1/deliveries/{delivery.delivery_id}"})


def _state(text: str | None) -> DeliveryState | None:
    """Raises UnprocessableError."""
    if text is None:
        return None
    try:
        return DeliveryState(text)
    except ValueError:
        wrong = f"must be one of {', '.join(DeliveryState)}"
        raise UnprocessableError(f"state {wrong}", [("#/state", wrong)]) from None


async def create(request: Request) -> Response:
    partner = await _partner(request)
    made = await _endpoints(request).create(partner, await read_body(request, EndpointRequest))
    where = {"Location": f"/v1/endpoints/{made.endpoint_id}"}
    return answer(made, 201, where | _SECRET)


async def show_all(request: Request) -> Response:
    partner, limit = await _partner(request), query_int(request, "limit", _LIMIT, 1, _LIMIT_MAX)
    after = request.query_params.get("after") or None
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
    partner, _ = await _partner(request), await body_of(request)
    rotated = await _endpoints(request).rotate(partner, request.path_params["endpoint_id"])
    return answer(rotated, headers=_SECRET)


async def stats(request: Request) -> Response:
    partner, endpoint_id = await _partner(request), request.path_params["endpoint_id"]
    return answer(await _endpoints(request).stats(partner, endpoint_id), headers=_FRESH)


async def test(request: Request) -> Response:
    partner, endpoint_id = await _partner(request), request.path_params["endpoint_id"]
    await body_of(request)
    return _accepted(await _deliveries(request).test(partner, endpoint_id))


async def recover(request: Request) -> Response:
    partner, endpoint_id = await _partner(request), request.path_params["endpoint_id"]
    asked = await read_body(request, RecoverRequest)
    again = await _deliveries(request).recover(partner, endpoint_id, asked.since)
    return answer(Recovered(recovered=again), 202)


async def show_deliveries(request: Request) -> Response:
    partner, limit = await _partner(request), query_int(request, "limit", _LIMIT, 1, _LIMIT_MAX)
    endpoint, order_id, state, after = (
        request.query_params.get(name) or None for name in ("endpoint", "orderId", "state", "after")
    )
    wanted = Filter(endpoint, order_id, _state(state))
    items, following = await _deliveries(request).list(partner, wanted, limit=limit, after=after)
    return answer({"items": [item.dump() for item in items], "next": following})


async def show_delivery(request: Request) -> Response:
    partner, delivery_id = await _partner(request), request.path_params["delivery_id"]
    return answer(await _deliveries(request).get(partner, delivery_id))


async def replay(request: Request) -> Response:
    partner, delivery_id = await _partner(request), request.path_params["delivery_id"]
    await body_of(request)
    return _accepted(await _deliveries(request).replay(partner, delivery_id))


async def show_feed(request: Request) -> Response:
    partner, limit = await _partner(request), query_int(request, "limit", _LIMIT, 1, _LIMIT_MAX)
    after = request.query_params.get("after") or None
    if after is not None and not _FEED_CURSOR.fullmatch(after):
        raise UnprocessableError("after is no cursor", [("#/after", "is no cursor of the feed")])
    items, following = await _pull(request).read(partner, limit=limit, after=after)
    return answer({"items": items, "next": following}, headers=_FRESH)


async def ack_feed(request: Request) -> Response:
    partner, asked = await _partner(request), await read_body(request, FeedAck)
    return answer({"cursor": await _pull(request).ack(partner, asked.cursor)})


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
    Route("/v1/endpoints/{endpoint_id}/stats", stats, methods=["GET"]),
    Route("/v1/endpoints/{endpoint_id}/test", test, methods=["POST"]),
    Route("/v1/endpoints/{endpoint_id}/recover", recover, methods=["POST"]),
    Route("/v1/deliveries", show_deliveries, methods=["GET"]),
    Route("/v1/deliveries/{delivery_id}", show_delivery, methods=["GET"]),
    Route("/v1/deliveries/{delivery_id}/replay", replay, methods=["POST"]),
    Route("/v1/feed", show_feed, methods=["GET"]),
    Route("/v1/feed/ack", ack_feed, methods=["POST"]),
    Route("/v1/partner", show_partner, methods=["GET"]),
]
