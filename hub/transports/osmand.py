"""`/v1/osmand`: fixes of apps that speak the OsmAnd protocol, as Traccar's does (contract 5)."""

import time
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.riders.osmand import JSON, QUERY, Dialect, device_of, fix_of
from hub.errors import BadRequestError
from hub.services.intake import Intake
from hub.services.riders import Riders
from hub.transports.exchange import body_of
from schemas.wire import loads

__all__ = ["routes"]

_DONE: Final = {"Cache-Control": "no-store"}


async def osmand(request: Request) -> Response:
    """One fix, with the device id in place of a token."""
    said, dialect = await _said(request)
    rider_id = request.app.state.tokens.rider_of(device_of(said, dialect))
    fix = fix_of(said, dialect, time.time())
    riders: Riders = request.app.state.riders
    intake: Intake = request.app.state.intake
    intake.take(await riders.on_duty(rider_id), [fix])
    # Whether it was taken or not: an app sends the same fix until it is answered by 2xx, and all
    # later ones wait behind it. Sent again, a rejected fix would be rejected again. One over the
    # rate would be taken in the end, but a newer one is worth more: it must not wait either.
    # `ordercast_fixes_rejected_total` tells of them.
    return Response(headers=_DONE)


async def _said(request: Request) -> tuple[dict[str, Any], Dialect]:
    """All parameters, wherever they stand: the body's go before the URL's.

    An app's URL may thus hold what the app itself cannot say, such as `crs`.
    """
    said: dict[str, Any] = dict(request.query_params)
    body = await body_of(request) if request.method == "POST" else b""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media == "application/json":
        return said | _object(body), JSON
    return said | dict(QueryParams(body)), QUERY


def _object(body: bytes) -> dict[str, Any]:
    """Raises BadRequestError."""
    try:
        data = loads(body)
    except ValueError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadRequestError("the body must be an object")
    return data


_route: Final = Route("/v1/osmand", osmand, methods=["GET", "POST"])
_route.methods = {"GET", "POST"}  # HEAD, which Starlette adds, is for asking without effect

routes: Final[list[Route]] = [_route]
