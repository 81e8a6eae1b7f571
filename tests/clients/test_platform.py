import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from clients.errors import HubMessageError, ProblemError, UnreachableError
from clients.platform import PlatformClient
from schemas.exceptions import ExceptionCode, Resolution
from schemas.lifecycle import CourierState, PaymentState, Status
from schemas.orders import Address, Item, OrderRequest, RestaurantUpdate
from schemas.problems import BadField
from tests.clients.orders import Log

ORDER = OrderRequest(
    restaurant_id="res_1",
    items=[Item(item_id="1", name="Noodles", quantity=1, unit_price_cents=2800)],
    address=Address(text="here", lat=31.2, lng=121.4),
    payment_method="CASH",
)
PLACED = Log("ord_1").snapshot(streamToken="customer-token")
RESULT = {"orderId": "ord_1", "seq": 2, "applied": True}

Answer = httpx2.Response | Exception


class Service:
    """Answers with what it was given, one after the other, and remembers the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> PlatformClient:
        options.setdefault("chance", lambda: 0.0)
        transport = httpx2.MockTransport(self)
        return PlatformClient("http://hub.test", "token", transport=transport, **options)


def answer(status: int, data: object, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=data, headers=named)


async def test_an_order_is_placed() -> None:
    """The request is the contract's, and the answer its model, stream token included."""
    service = Service(answer(201, PLACED))
    async with service.client() as client:
        placed = await client.place(ORDER, idempotency_key="key-1")

    (request,) = service.requests
    assert (request.method, request.url.path) == ("POST", "/v1/orders")
    assert request.headers["Authorization"] == "Bearer token"
    assert request.headers["Idempotency-Key"] == "key-1"
    assert json.loads(request.content) == ORDER.dump()
    assert (placed.order_id, placed.stream_token) == ("ord_1", "customer-token")
    assert placed.status is Status.PENDING


Call = Callable[[PlatformClient], Any]
EXCEPTION = {
    "exceptionId": "exc_1",
    "code": "ITEM_SOLD_OUT",
    "orderId": "ord_1",
    "state": "open",
    "openedAt": "2026-11-22T19:06:10.000Z",
    "items": ["i1"],
}


@pytest.mark.parametrize(
    ("call", "reply", "expected"),
    [
        (lambda c: c.get("ord_1"), Log("ord_1").snapshot(), ("GET", "/v1/orders/ord_1", None)),
        (
            lambda c: c.events("ord_1", after=3),
            {"orderId": "ord_1", "epoch": "abcdefgh", "events": []},
            ("GET", "/v1/orders/ord_1/events?after=3", None),
        ),
        (
            lambda c: c.change_status("ord_1", Status.CANCELLED, timestamp=0.0, reason="closed"),
            {**RESULT, "status": "CANCELLED"},
            (
                "POST",
                "/v1/orders/ord_1/status",
                {
                    "status": "CANCELLED",
                    "timestamp": "1970-01-01T00:00:00.000Z",
                    "reason": "closed",
                },
            ),
        ),
        (
            lambda c: c.payment("ord_1", PaymentState.PAID),
            {"orderId": "ord_1", "paymentState": "PAID"},
            ("POST", "/v1/orders/ord_1/payment", {"state": "PAID"}),
        ),
        (
            lambda c: c.assign_rider("ord_1", "rider-7"),
            RESULT,
            ("PUT", "/v1/orders/ord_1/rider", {"riderId": "rider-7"}),
        ),
        (lambda c: c.unassign_rider("ord_1"), RESULT, ("DELETE", "/v1/orders/ord_1/rider", None)),
        (
            lambda c: c.courier_state("ord_1", CourierState.PICKED_UP),
            {**RESULT, "courierState": "PICKED_UP", "status": "ON_DELIVERY"},
            ("POST", "/v1/orders/ord_1/courier-state", {"state": "PICKED_UP"}),
        ),
        (
            lambda c: c.report("ord_1", ExceptionCode.ITEM_SOLD_OUT, items=["i1"]),
            EXCEPTION,
            ("POST", "/v1/orders/ord_1/exceptions", {"code": "ITEM_SOLD_OUT", "items": ["i1"]}),
        ),
        (
            lambda c: c.resolve("ord_1", "exc_1", Resolution.ACCEPTED),
            EXCEPTION,
            ("POST", "/v1/orders/ord_1/exceptions/exc_1/resolve", {"resolution": "accepted"}),
        ),
        (
            lambda c: c.open_exceptions(limit=5, after="1-exc_1"),
            {"items": [EXCEPTION], "next": None},
            ("GET", "/v1/exceptions?limit=5&after=1-exc_1", None),
        ),
        (lambda c: c.ready("ord_1"), RESULT, ("POST", "/v1/orders/ord_1/ready", {})),
        (
            lambda c: c.restaurant("res_1"),
            {"restaurantId": "res_1", "name": "Noodles"},
            ("GET", "/v1/restaurants/res_1", None),
        ),
        (
            lambda c: c.put_restaurant("res_1", RestaurantUpdate(name="Noodles")),
            {"restaurantId": "res_1", "name": "Noodles"},
            ("PUT", "/v1/restaurants/res_1", {"name": "Noodles"}),
        ),
    ],
)
async def test_each_method_is_one_request(
    call: Call, reply: object, expected: tuple[str, str, object]
) -> None:
    """Every method asks what the contract says, and takes members that a newer hub adds."""
    service = Service(answer(200, {**reply, "addedLater": 1} if isinstance(reply, dict) else {}))
    async with service.client() as client:
        await call(client)

    (request,) = service.requests
    body = json.loads(request.content) if request.content else None
    assert (request.method, request.url.raw_path.decode(), body) == expected
    assert ("Idempotency-Key" in request.headers) is (request.method == "POST")


async def test_a_problem_says_what_is_wrong() -> None:
    """An RFC 9457 answer becomes an error with all of its members."""
    problem = {
        "type": "https://ordercast.example/problems/forbidden-step",
        "title": "Conflict",
        "status": 409,
        "detail": "PENDING cannot become COMPLETED",
        "errors": [{"pointer": "#/status", "detail": "not allowed"}],
        "allowed": ["CONFIRMED", "CANCELLED"],
    }
    service = Service(answer(409, problem))
    async with service.client() as client:
        with pytest.raises(ProblemError) as caught:
            await client.change_status("ord_1", Status.COMPLETED)

    error = caught.value
    assert (error.status, error.title, error.detail, error.type) == (
        409,
        "Conflict",
        "PENDING cannot become COMPLETED",
        "https://ordercast.example/problems/forbidden-step",
    )
    assert error.errors == (BadField(pointer="#/status", detail="not allowed"),)
    assert error.members == {"allowed": ["CONFIRMED", "CANCELLED"]}
    assert str(error) == "409 Conflict: PENDING cannot become COMPLETED"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"errors": 7}', b'{"errors": [7]}'])
async def test_an_error_that_is_no_problem(body: bytes) -> None:
    """Whatever stands in an error answer, it is a ProblemError with the status."""
    service = Service(httpx2.Response(403, content=body))
    async with service.client() as client:
        with pytest.raises(ProblemError, match="403 Forbidden"):
            await client.get("ord_1")


@pytest.mark.parametrize(
    "passing",
    [
        answer(503, {}, Retry_After="0"),
        answer(502, {}),
        answer(504, {}),
        answer(429, {}, Retry_After="0"),
        answer(409, {}, Retry_After="0"),
        httpx2.ConnectError("refused"),
        httpx2.ReadError("reset"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("closed"),
    ],
    ids=repr,
)
async def test_what_passes_is_tried_again(passing: Answer) -> None:
    """A passing fault is tried again with the same Idempotency-Key."""
    service = Service(passing, answer(201, PLACED))
    async with service.client() as client:
        await client.place(ORDER)

    first, second = (request.headers["Idempotency-Key"] for request in service.requests)
    assert first == second


async def test_each_request_has_a_key_of_its_own() -> None:
    """Two orders placed without a key are two orders."""
    service = Service(answer(201, PLACED), answer(201, PLACED))
    async with service.client() as client:
        await client.place(ORDER)
        await client.place(ORDER)

    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
async def test_what_does_not_pass_is_raised_at_once(status: int) -> None:
    """An answer that would be the same again is not asked for again."""
    service = Service(answer(status, {}))
    async with service.client() as client:
        with pytest.raises(ProblemError):
            await client.place(ORDER)

    assert len(service.requests) == 1


async def test_the_deadline_ends_the_trying() -> None:
    """A Retry-After beyond the deadline is not waited for."""
    service = Service(answer(503, {}, Retry_After="3600"))
    async with service.client() as client:
        with pytest.raises(ProblemError) as caught:
            await client.get("ord_1")

    assert (caught.value.status, caught.value.retry_after) == (503, 3600)


async def test_no_answer_until_the_deadline() -> None:
    """Without any answer the error says so, and what was tried."""
    service = Service(httpx2.ConnectError("refused"))
    async with service.client(chance=lambda: 1.0, deadline=0.1) as client:
        with pytest.raises(UnreachableError, match=r"GET /v1/orders/ord_1: .*refused"):
            await client.get("ord_1")


async def test_an_answer_that_is_none() -> None:
    """A success that does not fit the contract is an error of its own."""
    service = Service(httpx2.Response(200, content=b"<html>welcome to the hotel</html>"))
    async with service.client() as client:
        with pytest.raises(HubMessageError, match="no Order"):
            await client.get("ord_1")


async def test_an_order_id_stays_in_its_path() -> None:
    """An id with slashes and question marks does not ask for something else."""
    service = Service(answer(404, {}))
    async with service.client() as client:
        with pytest.raises(ProblemError):
            await client.get("../restaurants/res_1?x=1")

    assert service.requests[0].url.raw_path == b"/v1/orders/..%2Frestaurants%2Fres_1%3Fx%3D1"
