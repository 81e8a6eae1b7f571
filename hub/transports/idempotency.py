"""Idempotency-Key for every POST under /v1/orders (the IETF httpapi draft's header).

A request with a key runs once per caller: its answer, 2xx or 4xx, is kept for a day and given
again. What fails with 5xx is not kept; the next try resumes the same operation.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.core.callers.claims import Claims
from hub.errors import (
    ConflictError,
    RefusedError,
    UnprocessableError,
)
from hub.store.once import Begin, Busy, Differs, Done, Once
from hub.transports.exchange import body_of, caller, error_handlers
from schemas.lifecycle import Role
from schemas.wire import dumps

__all__ = ["Handler", "Operation", "once"]

_KEEP: Final = 24 * 3600
_MAX_KEY: Final = 255
_KEPT_HEADERS: Final = ("content-type", "location", "etag", "www-authenticate")

Operation = str
Handler = Callable[[Request, Claims, Operation], Awaitable[Response]]


def once(*roles: Role) -> Callable[[Handler], Callable[[Request], Awaitable[Response]]]:
    """A POST handler for `roles`, run once per Idempotency-Key.

    It gets the id of its operation: the same again where an earlier run died half way.
    """

    def decorate(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        @wraps(handler)
        async def endpoint(request: Request) -> Response:
            claims = await caller(request, *roles)
            key = request.headers.get("idempotency-key")
            if key is None:
                return await handler(request, claims, token_hex(10))
            return await _with_key(request, claims, key, handler)

        return endpoint

    return decorate


async def _with_key(request: Request, claims: Claims, key: str, handler: Handler) -> Response:
    if not 1 <= len(key) <= _MAX_KEY:
        raise UnprocessableError(f"Idempotency-Key must have 1 to {_MAX_KEY} characters")
    store: Once = request.app.state.once
    digest = sha256(dumps([claims.caller, key])).hexdigest()
    target = f"{request.method} {request.url.path}\n".encode()
    fingerprint = sha256(target + await body_of(request)).hexdigest()
    begun = await store.begin("key", digest, fingerprint, token_hex(10), time.time(), _KEEP)
    match begun:
        case Done(kept):
            return _replay(kept)
        case Busy():
            raise ConflictError("the first request with this key is under way", retry_after=1)
        case Differs():
            raise UnprocessableError("this Idempotency-Key came with another request before")
        case Begin(operation):
            return await _run(request, claims, handler, operation, store, digest)


async def _run(
    request: Request,
    claims: Claims,
    handler: Handler,
    operation: Operation,
    store: Once,
    digest: str,
) -> Response:
    try:
        response = await _answered(request, claims, handler, operation)
    except BaseException:
        await _release(store, digest)
        raise
    if response.status_code < 500:
        await store.finish("key", digest, _kept(response), _told_order(request, response), _KEEP)
    return response


async def _answered(
    request: Request, claims: Claims, handler: Handler, operation: Operation
) -> Response:
    """The handler's answer, a refusal turned into its problem here so that it can be kept."""
    try:
        return await handler(request, claims, operation)
    except RefusedError as error:
        refused: Response = await error_handlers[RefusedError](request, error)
        return refused


async def _release(store: Once, digest: str) -> None:
    with suppress(Exception):  # the lease runs out by itself
        await store.release("key", digest)


def _kept(response: Response) -> dict[str, Any]:
    headers = {n: response.headers[n] for n in _KEPT_HEADERS if n in response.headers}
    return {"status": response.status_code, "headers": headers, "body": bytes(response.body)}


def _told_order(request: Request, response: Response) -> str | None:
    """The order that was made, or something of which was; other answers tell nothing personal."""
    if response.status_code != 201:
        return None
    made = response.headers.get("location", "").rpartition("/")[2]
    return request.path_params.get("order_id") or made or None


def _replay(kept: dict[str, Any]) -> Response:
    headers = {**kept["headers"], "Idempotent-Replayed": "true"}
    return Response(kept["body"], kept["status"], headers)
