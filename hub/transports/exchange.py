"""One HTTP exchange: who is calling, what they sent, and the answer, a problem included."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from hub.core.callers.claims import Claims
from hub.errors import (
    BadRequestError,
    ForbiddenError,
    RefusedError,
    RequestTimeoutError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnprocessableError,
)
from schemas.lifecycle import Role
from schemas.model import Wire
from schemas.wire import dumps, loads

__all__ = [
    "answer",
    "bearer",
    "body_of",
    "caller",
    "error_handlers",
    "problem",
    "query_int",
    "read_body",
]

Model = TypeVar("Model", bound=Wire)

MAX_BODY: Final = 65_536
_TOO_LARGE: Final = f"bodies are at most {MAX_BODY} bytes"
_RETRY_AFTER: Final = 1
_MAX_DIGITS: Final = 16
_BODY_TIMEOUT: Final = 20.0


def bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def caller(request: Request, *roles: Role) -> Claims:
    """Who is calling. Raises UnauthenticatedError, and ForbiddenError for any other role."""
    token = bearer(request.headers)
    if token is None:
        raise UnauthenticatedError("a bearer token is needed")
    claims: Claims = await request.app.state.tokens.verify(token)
    request.scope["claims"] = claims
    if claims.role not in roles:
        raise ForbiddenError(f"not for role {claims.role}")
    return claims


async def body_of(request: Request) -> bytes:
    """The body, read once and kept. Raises TooLargeError over 64 KiB, as soon as it is known."""
    kept = getattr(request.state, "body", None)
    if kept is not None:
        return bytes(kept)
    if int(request.headers.get("content-length", 0)) > MAX_BODY:  # uvicorn let only digits pass
        raise TooLargeError(_TOO_LARGE)
    try:
        async with asyncio.timeout(_BODY_TIMEOUT):
            body = await _collect(request)
    except TimeoutError:
        raise RequestTimeoutError("the body did not come in time") from None
    request.state.body = body
    return body


async def _collect(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLargeError(_TOO_LARGE)
    return bytes(body)


async def read_body(request: Request, model: type[Model]) -> Model:
    """The body as a model. Raises BadRequestError for no JSON, UnprocessableError for no fit."""
    body = await body_of(request)
    try:
        data = loads(body)
    except ValueError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from None
    try:
        return model.read(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise UnprocessableError("the body does not fit", [_field(d) for d in details]) from None
    except RecursionError:
        raise UnprocessableError("the body is nested too deep") from None


def _field(detail: ErrorDetails) -> tuple[str, str]:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in detail["loc"])
    said = detail["msg"].removeprefix("Value error, ")
    return "#" + "".join(f"/{step}" for step in steps), said


def query_int(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number in the query. Raises UnprocessableError."""
    text = request.query_params.get(name)
    if text is None:
        return default
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    if not (digits and low <= int(text) <= high):
        wrong = f"must be a whole number from {low} to {high}"
        raise UnprocessableError(f"{name} {wrong}", [(f"#/{name}", wrong)])
    return int(text)


def answer(
    data: dict[str, Any] | Wire, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = data.dump() if isinstance(data, Wire) else data
    return Response(dumps(body), status, headers, media_type="application/json")


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    slug = title.lower().replace(" ", "-")
    body = {
        "type": f"urn:ordercast:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        **members,
    }
    return Response(dumps(body), status, headers, media_type="application/problem+json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooLargeError | RequestTimeoutError):
        headers["Connection"] = "close"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return problem(error.status, error.title, error.detail, headers, **error.members)


async def _unavailable(request: Request, error: Exception) -> Response:
    headers = {"Retry-After": str(_RETRY_AFTER)}
    detail = "the store is away; ask again, with the same Idempotency-Key if there is one"
    return problem(503, "Unavailable", detail, headers)


async def _http(request: Request, error: Exception) -> Response:
    """What the routing refuses: a path, a method, or HTTP where a WebSocket is spoken."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted(_allowed(request)))
        detail = f"{request.method} is not for this path; allowed: {allowed}"
        return problem(405, "Method Not Allowed", detail, {"Allow": allowed})
    detail = "there is nothing at this path" if error.status_code == 404 else str(error.detail)
    return problem(error.status_code, HTTPStatus(error.status_code).phrase, detail, error.headers)


def _allowed(request: Request) -> set[str]:
    """The methods of a path (RFC 9110, 15.5.6), which may be spread over several routes."""
    routes = (each for each in request.app.routes if isinstance(each, Route))
    fits = (each for each in routes if each.matches(request.scope)[0] is not Match.NONE)
    return {method for each in fits for method in each.methods or ()}


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


error_handlers: Final[Mapping[Any, Any]] = {
    RefusedError: _refused,
    UnavailableError: _unavailable,
    HTTPException: _http,
    ClientDisconnect: _gone,
}
