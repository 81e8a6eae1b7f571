"""HTTP: how everything stands, and the orders under way."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.watchers.views import order_view
from hub.errors import UnprocessableError
from hub.services.search import Search
from hub.store.index import LIVE
from hub.transports.exchange import answer, caller, query_int
from hub.transports.orders import gcj02
from schemas.lifecycle import Role, Status

__all__ = ["routes"]

_FRESH: Final = {"Cache-Control": "private, no-cache"}
_MAX_TEXT: Final = 64


async def overview(request: Request) -> Response:
    await caller(request, Role.PLATFORM, Role.OPS)
    return answer(await request.app.state.overview.view(), headers=_FRESH)


async def show_orders(request: Request) -> Response:
    await caller(request, Role.PLATFORM)
    search: Search = request.app.state.search
    query = request.query_params
    text, status = query.get("q", "").strip(), query.get("status")
    limit, crs = query_int(request, "limit", 100, 1, 500), gcj02(request)
    if text:
        found, following = await search.find(_short(text), _status(status, Status)), None
        found = found[:limit]
    else:
        found, following = await search.live(_status(status, LIVE), limit, query.get("after"))
    items = [order_view(state, Role.PLATFORM, crs) for state in found]
    return answer({"items": items, "next": following}, headers=_FRESH)


def _short(text: str) -> str:
    if len(text) > _MAX_TEXT:
        wrong = f"has {_MAX_TEXT} characters at most"
        raise UnprocessableError(f"q {wrong}", [("#/q", wrong)])
    return text


def _status(text: str | None, known: Any) -> Status | None:
    """Raises UnprocessableError."""
    if text is None:
        return None
    if text not in tuple(known):
        wrong = f"must be one of {', '.join(known)}"
        raise UnprocessableError(f"status {wrong}", [("#/status", wrong)])
    return Status(text)


routes: Final = [
    Route("/v1/overview", overview, methods=["GET"]),
    Route("/v1/orders", show_orders, methods=["GET"]),
]
