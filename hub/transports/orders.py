"""HTTP: orders, from their placing to their end (contract 2)."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.callers.claims import READERS, Claims
from hub.core.orders.state import OrderState
from hub.core.watchers.views import order_view
from hub.errors import UnprocessableError
from hub.services.orders import Changed, Orders
from hub.transports.exchange import answer, body_of, caller, query_int, read_body
from hub.transports.idempotency import Operation, once
from schemas.lifecycle import Role
from schemas.orders import (
    CourierStateUpdate,
    OrderRequest,
    OrderStatusUpdate,
    PaymentUpdate,
    RiderAssignment,
)

__all__ = ["gcj02", "matches", "routes"]

_LIVE: Final = "private, no-cache"
_FINAL: Final = "private, max-age=3600"
_MAX_SEQ: Final = 2**53


def _orders(request: Request) -> Orders:
    orders: Orders = request.app.state.orders
    return orders


def _order_id(request: Request) -> str:
    return str(request.path_params["order_id"])


def gcj02(request: Request) -> bool:
    """Whether coordinates are asked for in GCJ-02. Raises UnprocessableError."""
    crs = request.query_params.get("crs", "wgs84")
    if crs not in ("wgs84", "gcj02"):
        raise UnprocessableError("crs is unknown", [("#/crs", "must be wgs84 or gcj02")])
    return crs == "gcj02"


def _result(changed: Changed, **more: Any) -> Response:
    state = changed.state
    return answer({"orderId": state.order_id, "seq": state.seq, "applied": changed.applied, **more})


@once(Role.PLATFORM)
async def place(request: Request, claims: Claims, operation: Operation) -> Response:
    asked = await read_body(request, OrderRequest)
    placed = await _orders(request).place(asked, claims, operation)
    state = placed.state
    token = request.app.state.tokens.stream_token(state.order_id)
    return answer(
        {**order_view(state, claims.role), "streamToken": token},
        status=201 if placed.applied else 200,
        headers={"Location": f"/v1/orders/{state.order_id}", "ETag": _etag(state)},
    )


def _etag(state: OrderState) -> str:
    """Epoch and seq, and what else the order shows that no event has told."""
    quiet = f".{state.quiet}" if state.quiet else ""
    erased = "-erased" if state.request.get("erased") else ""
    return f'"{state.epoch}-{state.seq}{quiet}{erased}"'


def matches(header: str | None, etag: str) -> bool:
    """If-None-Match by weak comparison (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    tags = (tag.strip().removeprefix("W/") for tag in header.split(","))
    return any(tag in ("*", etag) for tag in tags)


async def get(request: Request) -> Response:
    claims = await caller(request, *READERS)
    state = await _orders(request).get(_order_id(request), claims)
    headers = {
        "ETag": _etag(state),
        "Cache-Control": _FINAL if state.final else _LIVE,
        "Vary": "Authorization",
    }
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return answer(order_view(state, claims.role, gcj02(request)), headers=headers)


@once(Role.PLATFORM, Role.MERCHANT, Role.RIDER, Role.CUSTOMER)
async def change_status(request: Request, claims: Claims, operation: Operation) -> Response:
    update = await read_body(request, OrderStatusUpdate)
    if update.order_id not in (None, _order_id(request)):
        wrong = "is not the order in the path"
        raise UnprocessableError(f"orderId {wrong}", [("#/orderId", wrong)])
    changed = await _orders(request).change_status(_order_id(request), update, claims)
    late = {"late": True} if changed.late else {}
    return _result(changed, status=changed.state.status.value, **late)


@once(Role.PLATFORM)
async def pay(request: Request, claims: Claims, operation: Operation) -> Response:
    told = await read_body(request, PaymentUpdate)
    changed = await _orders(request).pay(_order_id(request), told.state, claims)
    return answer({**_payment(changed.state), "applied": changed.applied})


def _payment(state: OrderState) -> dict[str, Any]:
    return {"orderId": state.order_id, "paymentState": state.payment_state.value}


async def get_payment(request: Request) -> Response:
    claims = await caller(request, *READERS)
    state = await _orders(request).get(_order_id(request), claims)
    return answer(_payment(state), headers={"Cache-Control": _LIVE})


async def assign_rider(request: Request) -> Response:
    claims = await caller(request, Role.PLATFORM)
    asked = await read_body(request, RiderAssignment)
    changed = await _orders(request).assign_rider(_order_id(request), asked.rider_id, claims)
    return _courier(changed)


async def unassign_rider(request: Request) -> Response:
    claims = await caller(request, Role.PLATFORM)
    return _courier(await _orders(request).unassign_rider(_order_id(request), claims))


def _courier(changed: Changed) -> Response:
    state = changed.state
    rider = {"riderId": state.rider_id} if state.rider_id else {}
    return _result(
        changed, courierState=state.courier_state.value, status=state.status.value, **rider
    )


@once(Role.RIDER)
async def move_courier(request: Request, claims: Claims, operation: Operation) -> Response:
    told = await read_body(request, CourierStateUpdate)
    return _courier(await _orders(request).move_courier(_order_id(request), told.state, claims))


@once(Role.MERCHANT)
async def mark_ready(request: Request, claims: Claims, operation: Operation) -> Response:
    await body_of(request)  # nothing is asked for, but it has the limit of all bodies
    return _result(await _orders(request).mark_ready(_order_id(request), claims), ready=True)


async def events(request: Request) -> Response:
    claims = await caller(request, *READERS)
    after = query_int(request, "after", 0, 0, _MAX_SEQ)
    reading = await _orders(request).history(_order_id(request), claims, after)
    state = reading.state
    return answer(
        {"orderId": state.order_id, "epoch": state.epoch, "events": reading.events},
        headers={"Cache-Control": _LIVE},
    )


_ONE: Final = "/v1/orders/{order_id}"

routes: Final = [
    Route("/v1/orders", place, methods=["POST"]),
    Route(_ONE, get, methods=["GET"]),
    Route(f"{_ONE}/status", change_status, methods=["POST"]),
    Route(f"{_ONE}/payment", pay, methods=["POST"]),
    Route(f"{_ONE}/payment", get_payment, methods=["GET"]),
    Route(f"{_ONE}/rider", assign_rider, methods=["PUT"]),
    Route(f"{_ONE}/rider", unassign_rider, methods=["DELETE"]),
    Route(f"{_ONE}/courier-state", move_courier, methods=["POST"]),
    Route(f"{_ONE}/ready", mark_ready, methods=["POST"]),
    Route(f"{_ONE}/events", events, methods=["GET"]),
]
