"""Place and change orders over HTTP: `PlatformClient`."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError

from clients.backoff import Window, backoff
from clients.errors import HubMessageError, ProblemError, UnreachableError
from clients.tokens import Token, TokenSource
from schemas.exceptions import ExceptionCode, ExceptionList, OrderException, Resolution
from schemas.lifecycle import CourierState, PaymentState, Status
from schemas.model import Wire
from schemas.orders import (
    CourierStateResult,
    EventList,
    Order,
    OrderPlaced,
    OrderRequest,
    Payment,
    Restaurant,
    RestaurantUpdate,
    Result,
    StatusResult,
)
from schemas.problems import BadField
from schemas.times import format_time

__all__ = ["PlatformClient"]

M = TypeVar("M", bound=Wire)

_RESTAURANTS: Final = "/v1/restaurants/"
_WAITS: Final = Window(0.0, 0.5)
_CEILING: Final = 5.0
_BAD_FIELDS: Final = TypeAdapter(tuple[BadField, ...])
_PASSING: Final = frozenset({429, 502, 503, 504})
_FAULTS: Final = (httpx2.NetworkError, httpx2.TimeoutException, httpx2.RemoteProtocolError)
_STANDARD: Final = frozenset({"type", "title", "status", "detail", "errors"})


class PlatformClient:
    """What a platform does with orders, one method a request. `async with` closes it.

    Every POST carries an `Idempotency-Key`, made up unless given, so that a request which is
    tried again has its effect once. Tried again, with jitter and until `deadline` seconds have
    passed, is what may pass: no connection, a lost answer, 429, 502, 503, 504, and 409 with
    `Retry-After` (the first try is still under way).

    Methods raise ProblemError for an error answer, UnreachableError if there was no answer
    until the deadline, and HubMessageError for an answer that is none of a hub's. Orders and
    restaurants may be given as models or as objects with the names of the wire.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        deadline: float = 30.0,
        timeout: float = 10.0,
        chance: Callable[[], float] = random.random,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._tokens = TokenSource(token)
        self._deadline = deadline
        self._chance = chance
        self._http = httpx2.AsyncClient(base_url=base_url, timeout=timeout, transport=transport)

    def __repr__(self) -> str:
        return f"<PlatformClient {self._http.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def place(
        self, order: OrderRequest | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> OrderPlaced:
        """The order, with the `stream_token` for its customer."""
        return await self._post(OrderPlaced, "/v1/orders", order, idempotency_key)

    async def get(self, order_id: str) -> Order:
        return await self._ask(Order, "GET", _order(order_id))

    async def events(self, order_id: str, *, after: int = 0) -> EventList:
        """The events with a seq above `after`, oldest first."""
        return await self._ask(EventList, "GET", _order(order_id, f"/events?after={after}"))

    async def change_status(
        self,
        order_id: str,
        status: Status,
        *,
        timestamp: float | None = None,
        estimated_time: int | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> StatusResult:
        """`timestamp` is when it happened, in Unix seconds, now unless given.

        CANCELLED needs a `reason`. A step that the lifecycle forbids is a ProblemError 409 with
        the `allowed` ones among its members.
        """
        body = {
            "status": status,
            "timestamp": format_time(time.time() if timestamp is None else timestamp),
            "estimatedTime": estimated_time,
            "reason": reason,
        }
        return await self._post(StatusResult, _order(order_id, "/status"), body, idempotency_key)

    async def payment(self, order_id: str, state: PaymentState) -> Payment:
        """`state` is PAID or FAILED."""
        return await self._post(Payment, _order(order_id, "/payment"), {"state": state})

    async def assign_rider(self, order_id: str, rider_id: str) -> Result:
        """Also from one rider to another: the old one is shut out at once."""
        path = _order(order_id, "/rider")
        return await self._ask(Result, "PUT", path, {"riderId": rider_id})

    async def unassign_rider(self, order_id: str) -> Result:
        return await self._ask(Result, "DELETE", _order(order_id, "/rider"))

    async def courier_state(self, order_id: str, state: CourierState) -> CourierStateResult:
        path = _order(order_id, "/courier-state")
        return await self._post(CourierStateResult, path, {"state": state})

    async def ready(self, order_id: str) -> Result:
        return await self._post(Result, _order(order_id, "/ready"), {})

    async def report(
        self,
        order_id: str,
        code: ExceptionCode,
        *,
        detail: str | None = None,
        items: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> OrderException:
        """Raise an exception, with its effect. ITEM_SOLD_OUT needs `items`, which are itemIds."""
        body = {"code": code, "detail": detail, "items": None if items is None else list(items)}
        path = _order(order_id, "/exceptions")
        return await self._post(OrderException, path, body, idempotency_key)

    async def resolve(
        self, order_id: str, exception_id: str, resolution: Resolution
    ) -> OrderException:
        """`accepted` and `declined` answer an offer; `cancelled` cancels the order."""
        path = _order(order_id, f"/exceptions/{quote(exception_id, safe='')}/resolve")
        return await self._post(OrderException, path, {"resolution": resolution})

    async def open_exceptions(self, *, limit: int = 100, after: str | None = None) -> ExceptionList:
        """A page of the open exceptions, oldest first; `after` is `next` of the page before."""
        query = f"?limit={limit}" + (f"&after={quote(after, safe='')}" if after else "")
        return await self._ask(ExceptionList, "GET", f"/v1/exceptions{query}")

    async def restaurant(self, restaurant_id: str) -> Restaurant:
        return await self._ask(Restaurant, "GET", _RESTAURANTS + quote(restaurant_id, safe=":"))

    async def put_restaurant(
        self, restaurant_id: str, restaurant: RestaurantUpdate | Mapping[str, Any]
    ) -> Restaurant:
        return await self._ask(
            Restaurant, "PUT", _RESTAURANTS + quote(restaurant_id, safe=":"), restaurant
        )

    async def _post(
        self,
        model: type[M],
        path: str,
        body: Wire | Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> M:
        key = idempotency_key or str(uuid.uuid4())
        return await self._ask(model, "POST", path, body, {"Idempotency-Key": key})

    async def _ask(
        self,
        model: type[M],
        method: str,
        path: str,
        body: Wire | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> M:
        response = await self._answer(method, path, _plain(body), headers or {})
        try:
            return model.model_validate_json(
                response.content, by_alias=True, by_name=False, extra="ignore"
            )
        except ValidationError as error:
            raise HubMessageError(f"{method} {path}: no {model.__name__}: {error}") from None

    async def _answer(
        self, method: str, path: str, body: dict[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx2.Response:
        """A success, after as many tries as it takes and the deadline allows."""
        clock = asyncio.get_running_loop().time
        ends = clock() + self._deadline
        for delay in backoff(self._chance, _WAITS, _CEILING):
            error: ProblemError | UnreachableError
            try:
                return await self._once(method, path, body, headers, ends - clock())
            except ProblemError as problem:
                if not _passes(problem):
                    raise
                error = problem
            except (*_FAULTS, TimeoutError) as fault:
                error = UnreachableError(f"{method} {path}: {fault!r}")
            wait = delay + (getattr(error, "retry_after", None) or 0.0)
            if clock() + wait >= ends:
                raise error
            await asyncio.sleep(wait)
        raise AssertionError("backoff has no end")

    async def _once(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        headers: Mapping[str, str],
        within: float,
    ) -> httpx2.Response:
        authorized = {"Authorization": f"Bearer {await self._tokens.get()}", **headers}
        async with asyncio.timeout(within):
            response = await self._http.request(method, path, json=body, headers=authorized)
        if not response.is_success:
            raise _problem(response)
        return response


def _order(order_id: str, tail: str = "") -> str:
    return f"/v1/orders/{quote(order_id, safe=':')}{tail}"


def _plain(body: Wire | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    if isinstance(body, Wire):
        return body.dump()
    return {name: value for name, value in body.items() if value is not None}


def _passes(problem: ProblemError) -> bool:
    if problem.status == 409:
        return problem.retry_after is not None
    return problem.status in _PASSING


def _problem(response: httpx2.Response) -> ProblemError:
    """What an error answer says, whatever its body is."""
    try:
        data = response.json()
    except ValueError:
        data = None
    data = data if isinstance(data, dict) else {}
    return ProblemError(
        response.status_code,
        str(data.get("title") or response.reason_phrase),
        str(data.get("detail") or ""),
        type=str(data.get("type") or "about:blank"),
        errors=_bad_fields(data.get("errors")),
        members={name: value for name, value in data.items() if name not in _STANDARD},
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _bad_fields(errors: Any) -> tuple[BadField, ...]:
    try:
        return _BAD_FIELDS.validate_python(tuple(errors or ()), extra="ignore")
    except (TypeError, ValidationError):
        return ()


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds; its other form, a date, no hub gives."""
    return float(header) if header is not None and header.isdecimal() else None
