"""The HTTP side of the audit log (contract 7). Heads, keys and consistency are public: they tell
nothing of any order, and who is to be convinced need not be a caller of ours.
"""

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.callers.claims import READERS
from hub.errors import UnprocessableError
from hub.services.audit import Audit
from hub.transports.exchange import answer, caller, query_int

__all__ = ["routes"]

_LIMIT: Final = 100
_LIMIT_MAX: Final = 500
_MOST: Final = 2**53
_LIVE: Final = "private, no-cache"
_PUBLIC: Final = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*"}
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


def _audit(request: Request) -> Audit:
    audit: Audit = request.app.state.audit
    return audit


def _size(request: Request, name: str) -> int | None:
    """A number of events in the query, if there is one. Raises UnprocessableError."""
    given = name in request.query_params
    return query_int(request, name, 0, 0, _MOST) if given else None


async def heads(request: Request) -> Response:
    limit = query_int(request, "limit", _LIMIT, 1, _LIMIT_MAX)
    after = request.query_params.get("after") or "0"
    if not _NUMBER.fullmatch(after):
        raise UnprocessableError("after is no cursor", [("#/after", "is no cursor of the heads")])
    items, following = await _audit(request).heads(int(after), limit)
    page: dict[str, Any] = {"items": items, "next": following and str(following)}
    return answer(page, headers=_PUBLIC)


async def keys(request: Request) -> Response:
    return answer(await _audit(request).keys(), headers=_PUBLIC)


async def consistency(request: Request) -> Response:
    first = _size(request, "from")
    if first is None:
        raise UnprocessableError("from is needed", [("#/from", "is required")])
    shown = await _audit(request).consistency(first, _size(request, "to"))
    return answer(shown, headers=_PUBLIC)


async def proof(request: Request) -> Response:
    claims = await caller(request, *READERS)
    order_id = str(request.path_params["order_id"])
    shown = await _audit(request).proof(order_id, claims, _size(request, "from"))
    return answer(shown, headers={"Cache-Control": _LIVE})


routes: Final = [
    Route("/v1/orders/{order_id}/proof", proof, methods=["GET"]),
    Route("/v1/audit/heads", heads, methods=["GET"]),
    Route("/v1/audit/key", keys, methods=["GET"]),
    Route("/v1/audit/consistency", consistency, methods=["GET"]),
]
