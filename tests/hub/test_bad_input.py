"""Whatever comes in: the answer that the contract names, and nothing has changed.

Each test ends by asking for the order anew: the hub still answers, and status and seq are as
they were.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import msgpack
import pytest
import pytest_asyncio

from schemas.lifecycle import Role
from schemas.wire import Codec
from tests.hub.harness import (
    CODECS,
    SECRET,
    RunningHub,
    assign,
    fix,
    fresh,
    now,
    order_body,
    place,
    status_body,
    token,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIDER = "r_bad"
PROBLEM = "application/problem+json"


@pytest_asyncio.fixture(loop_scope="module")
async def order(hub: RunningHub) -> AsyncIterator[dict[str, Any]]:
    """An order that must be the same afterwards."""
    order = await place(hub.platform, customerId="cus_bad")
    await assign(hub.platform, order, RIDER)
    path = f"/v1/orders/{order['orderId']}"
    before = await hub.platform.get(path)
    yield order
    after = await hub.platform.get(path)
    assert (200, before.json()) == (after.status_code, after.json())


def item(**changes: Any) -> list[dict[str, Any]]:
    whole = {"itemId": "i", "name": "n", "quantity": 1, "unitPriceCents": 1}
    return [{**whole, **changes}]


def address(**changes: Any) -> dict[str, Any]:
    return {"text": "t", "lat": 31.2, "lng": 121.5, **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in order_body().items() if key != name}


# Bodies over HTTP

ORDERS = [
    (without("restaurantId"), "#/restaurantId"),
    (without("items"), "#/items"),
    (without("address"), "#/address"),
    (without("paymentMethod"), "#/paymentMethod"),
    (order_body(restaurantId=5), "#/restaurantId"),
    (order_body(restaurantId=""), "#/restaurantId"),
    (order_body(restaurantId="x" * 65), "#/restaurantId"),
    (order_body(restaurantId="a b"), "#/restaurantId"),
    (order_body(restaurantId="res\n"), "#/restaurantId"),
    (order_body(items=[]), "#/items"),
    (order_body(items="noodles"), "#/items"),
    (order_body(items=item() * 101), "#/items"),
    (order_body(items=[None]), "#/items/0"),
    (order_body(items=item(quantity=0)), "#/items/0/quantity"),
    (order_body(items=item(quantity=100)), "#/items/0/quantity"),
    (order_body(items=item(quantity="1")), "#/items/0/quantity"),
    (order_body(items=item(quantity=1.5)), "#/items/0/quantity"),
    (order_body(items=item(quantity=True)), "#/items/0/quantity"),
    (order_body(items=item(quantity=10**30)), "#/items/0/quantity"),
    (order_body(items=item(unitPriceCents=-1)), "#/items/0/unitPriceCents"),
    (order_body(items=item(unitPriceCents=18.5)), "#/items/0/unitPriceCents"),
    (order_body(items=item(name="")), "#/items/0/name"),
    (order_body(items=item(extra=1)), "#/items/0/extra"),
    (order_body(items=item() + item(name=7)), "#/items/1/name"),
    (order_body(address="here"), "#/address"),
    (order_body(address=address(lat=90.1)), "#/address/lat"),
    (order_body(address=address(lng=-180.1)), "#/address/lng"),
    (order_body(address=address(lat="31")), "#/address/lat"),
    (order_body(address=address(lat=None)), "#/address/lat"),
    (order_body(address=address(crs="bd09")), "#/address/crs"),
    (order_body(address=address(text="x" * 501)), "#/address/text"),
    (order_body(paymentMethod="BARTER"), "#/paymentMethod"),
    (order_body(paymentMethod=["CASH"]), "#/paymentMethod"),
    (order_body(externalId="x" * 65), "#/externalId"),
    (order_body(externalId=""), "#/externalId"),
    (order_body(customerId=1), "#/customerId"),
    (order_body(pickup={"lat": 31.2}), "#/pickup/lng"),
    (order_body(notificationUrl=""), "#/notificationUrl"),
    (order_body(notificationUrl="http://example.com/x"), "#/notificationUrl"),
    (order_body(notificationUrl="https://127.0.0.1/x"), "#/notificationUrl"),
    (order_body(notificationUrl="https://169.254.169.254/x"), "#/notificationUrl"),
    (order_body(notificationUrl="javascript:alert(1)"), "#/notificationUrl"),
    (order_body(restaurant_id="res_1"), "#/restaurant_id"),
    (order_body(status="COMPLETED"), "#/status"),
    ([], "#"),
    ("order", "#"),
]


@pytest.mark.parametrize(("body", "pointer"), ORDERS, ids=range(len(ORDERS)))
async def test_an_order_that_does_not_fit(
    hub: RunningHub, order: dict[str, Any], body: Any, pointer: str
) -> None:
    """422, with a pointer to the field that is wrong."""
    answer = await hub.platform.post("/v1/orders", json=body)
    assert (422, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])
    assert pointer in [field["pointer"] for field in answer.json()["errors"]]


UNREADABLE = [
    b"",
    b"{",
    b"nonsense",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 1,}',
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    '{"a": 1}'.encode("utf-16"),
    b"[" * 60_000,
    b'{"a":' * 12_000,
    b'{"a": ' + b"9" * 5000 + b"}",
    b"\x81\xa1a\x01",
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize(
    "path", ["/v1/orders", "/v1/orders/{}/status", f"/v1/riders/{RIDER}/positions"]
)
async def test_a_body_that_is_no_json(
    hub: RunningHub, order: dict[str, Any], path: str, body: bytes
) -> None:
    """400, whatever route it comes to."""
    client = hub.http(Role.RIDER, sub=RIDER) if "riders" in path else hub.platform
    answer = await client.post(path.format(order["orderId"]), content=body)
    assert (400, PROBLEM) == (answer.status_code, answer.headers["Content-Type"]), answer.text


STRANGE = [
    b'{"\\ud800": 1}',
    b'{"restaurantId": "\\ud800"}',
    b'{"items": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"restaurantId": "a\\u0000b"}',
    b'{"items": 1e999}',
    b'{"' + b"k" * 60_000 + b'": 1}',
    b'{"a/b~c": 1}',
]


@pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
async def test_json_of_a_strange_kind(hub: RunningHub, order: dict[str, Any], body: bytes) -> None:
    """Lone surrogates, deep nesting, NUL, infinity, endless keys: JSON that does not fit, 422."""
    answer = await hub.platform.post("/v1/orders", content=body)
    assert (422, PROBLEM) == (answer.status_code, answer.headers["Content-Type"]), answer.text


async def test_a_pointer_is_escaped(hub: RunningHub, order: dict[str, Any]) -> None:
    """Slash and tilde in a name stand as RFC 6901 has them."""
    answer = await hub.platform.post("/v1/orders", json=order_body(**{"a/b~c": 1}))
    assert "#/a~1b~0c" in [field["pointer"] for field in answer.json()["errors"]]


STATUSES = [
    ({"timestamp": now()}, 422, "#/status"),
    ({"status": "CONFIRMED"}, 422, "#/timestamp"),
    ({"status": "confirmed", "timestamp": now()}, 422, "#/status"),
    ({"status": "CONFIRMED", "timestamp": "yesterday"}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": 1795374343}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": 1795374343.5}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": -1e300}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": "2026-11-22T19:05:43"}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": "2026-13-41T19:05:43Z"}, 422, "#/timestamp"),
    ({"status": "CONFIRMED", "timestamp": "9999-12-31T23:59:59Z"}, 422, "#/timestamp"),
    ({"status": "CANCELLED", "timestamp": now()}, 422, "#/reason"),
    ({"status": "CANCELLED", "timestamp": now(), "reason": ""}, 422, "#/reason"),
    (status_body("CONFIRMED", orderId="ord_other"), 422, "#/orderId"),
    (status_body("CONFIRMED", estimatedTime=-1), 422, "#/estimatedTime"),
    (status_body("CONFIRMED", estimatedTime=1441), 422, "#/estimatedTime"),
    (status_body("CONFIRMED", estimatedTime=2.5), 422, "#/estimatedTime"),
    (status_body("CONFIRMED", order_id="x"), 422, "#/order_id"),
]


@pytest.mark.parametrize(("body", "status", "pointer"), STATUSES, ids=range(len(STATUSES)))
async def test_a_status_that_does_not_fit(
    hub: RunningHub, order: dict[str, Any], body: Any, status: int, pointer: str
) -> None:
    """422, with a pointer."""
    answer = await hub.platform.post(f"/v1/orders/{order['orderId']}/status", json=body)
    assert status == answer.status_code
    assert pointer in [field["pointer"] for field in answer.json()["errors"]]


@pytest.mark.parametrize(
    "status", ["PREPARING", "ON_DELIVERY", "COMPLETED", "RETURNING", "RETURNED"]
)
async def test_a_forbidden_step(hub: RunningHub, order: dict[str, Any], status: str) -> None:
    """A PENDING order must be CONFIRMED first: 409 names what is allowed."""
    answer = await hub.platform.post(
        f"/v1/orders/{order['orderId']}/status", json=status_body(status)
    )
    assert (409, ["CONFIRMED", "CANCELLED"]) == (answer.status_code, answer.json()["allowed"])


OTHERS = [
    ("post", "/v1/orders/{}/payment", {"state": "UNPAID"}, 422),
    ("post", "/v1/orders/{}/payment", {"state": ["PAID"]}, 422),
    ("post", "/v1/orders/{}/payment", {"state": 1}, 422),
    ("post", "/v1/orders/{}/payment", {}, 422),
    ("put", "/v1/orders/{}/rider", {"riderId": ""}, 422),
    ("put", "/v1/orders/{}/rider", {"riderId": "a}b"}, 422),
    ("put", "/v1/orders/{}/rider", {}, 422),
    ("get", "/v1/orders/{}/events?after=-1", None, 422),
    ("get", "/v1/orders/{}/events?after=x", None, 422),
    ("get", "/v1/orders/{}/events?after=1.5", None, 422),
    ("get", "/v1/orders/{}/events?after=" + "9" * 400, None, 422),
    ("get", "/v1/orders/{}/events?after=%EF%BC%91", None, 422),
    ("get", "/v1/orders/ord_nothing", None, 404),
    ("get", "/v1/orders/" + "x" * 3000, None, 404),
    ("get", "/v1/orders/%00%ff%fe", None, 404),
    ("get", "/v1/orders/..%2f..%2fetc", None, 404),
    ("post", "/v1/orders/ord_nothing/status", status_body("CONFIRMED"), 404),
    ("put", "/v1/orders/ord_nothing/rider", {"riderId": "r"}, 404),
    ("get", "/v1/nothing", None, 404),
    ("get", "/", None, 404),
    ("delete", "/v1/orders/{}", None, 405),
    ("put", "/v1/orders", {}, 405),
    ("get", "/v1/orders/{}/status", None, 405),
    ("get", "/v1/stream", None, 426),
    ("put", "/v1/restaurants/res_1", {"name": 1}, 422),
    ("put", "/v1/restaurants/res_1", {}, 422),
    ("put", "/v1/restaurants/a%20b", {"name": "n"}, 422),
    ("put", "/v1/restaurants/" + "x" * 65, {"name": "n"}, 422),
    ("get", "/schemas/Nothing.json", None, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), OTHERS, ids=range(len(OTHERS)))
async def test_other_requests_that_do_not_fit(
    hub: RunningHub, order: dict[str, Any], method: str, path: str, body: Any, status: int
) -> None:
    """A problem with the status that the contract names."""
    answer = await hub.platform.request(method, path.format(order["orderId"]), json=body)
    assert (status, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])
    assert status == answer.json()["status"]


async def test_a_socket_s_path_says_what_it_speaks(hub: RunningHub) -> None:
    """RFC 9110, 15.5.22."""
    answer = await hub.platform.get("/v1/stream")
    assert (426, "websocket") == (answer.status_code, answer.headers["Upgrade"])


@pytest.mark.parametrize("state", ["UNPAID", "REFUNDED", 1, None])
async def test_what_a_payment_may_be_is_said(
    hub: RunningHub, order: dict[str, Any], state: Any
) -> None:
    """The two that can be told, not the third that it has before."""
    path = f"/v1/orders/{order['orderId']}/payment"
    answer = await hub.platform.post(path, json={"state": state})
    wanted = [{"pointer": "#/state", "detail": "must be PAID or FAILED"}]
    assert (422, wanted) == (answer.status_code, answer.json()["errors"])


async def test_where_nothing_is_and_what_is_not_allowed_is_said(
    hub: RunningHub, order: dict[str, Any]
) -> None:
    """In words, and the methods in `Allow` too."""
    missing = await hub.platform.get("/v1/nothing")
    wrong = await hub.platform.put("/v1/orders", json={})
    assert "there is nothing at this path" == missing.json()["detail"]
    assert "PUT is not for this path; allowed: GET, HEAD, POST" == wrong.json()["detail"]
    assert "GET, HEAD, POST" == wrong.headers["Allow"]


async def test_a_body_of_64_kib(hub: RunningHub, order: dict[str, Any]) -> None:
    """One byte more than 64 KiB is 413; 64 KiB are read."""
    body = json.dumps(order_body()).encode()
    fits = await hub.platform.post("/v1/orders", content=body.ljust(65_536))
    over = await hub.platform.post("/v1/orders", content=body.ljust(65_537))
    assert (201, 413) == (fits.status_code, over.status_code)
    assert PROBLEM == over.headers["Content-Type"]


async def test_a_body_that_nobody_reads(hub: RunningHub, order: dict[str, Any]) -> None:
    """Has the same limit."""
    merchant = hub.http(Role.MERCHANT, restaurant="res_1")
    path = f"/v1/orders/{order['orderId']}/ready"
    assert 413 == (await merchant.post(path, content=b"x" * 65_537)).status_code


async def test_a_body_without_end(hub: RunningHub, order: dict[str, Any]) -> None:
    """A chunked body is cut off at the limit, not collected."""
    head = (
        f"POST /v1/orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token(Role.PLATFORM)}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(head.encode() + b"".join(b"1000\r\n" + b" " * 4096 + b"\r\n" for _ in range(17)))
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_an_idempotency_key_that_is_too_long(hub: RunningHub, order: dict[str, Any]) -> None:
    """At most 255 characters, and not none."""
    for key in ("k" * 256, ""):
        headers = {"Idempotency-Key": key}
        answer = await hub.platform.post("/v1/orders", json=order_body(), headers=headers)
        assert 422 == answer.status_code


async def test_an_idempotency_key_for_another_path(hub: RunningHub, order: dict[str, Any]) -> None:
    """A key belongs to its method, path and body."""
    key = {"Idempotency-Key": fresh("key")}
    await hub.platform.post("/v1/orders", json=order_body(), headers=key)
    path = f"/v1/orders/{order['orderId']}/status"
    answer = await hub.platform.post(path, json=order_body(), headers=key)
    assert 422 == answer.status_code


LAST_EVENT_IDS = ["nonsense", "-", "abcdefgh-", "abcdefgh--1", "abcdefgh-9999999999999999", "-3"]


@pytest.mark.parametrize("place", [*LAST_EVENT_IDS, "x" * 3000 + "-1"])
async def test_a_bad_last_event_id(hub: RunningHub, order: dict[str, Any], place: str) -> None:
    """A place that is none gets the snapshot, as without."""
    path = f"/v1/orders/{order['orderId']}/stream"
    headers = {"Last-Event-ID": place}
    async with hub.platform.stream("GET", path, headers=headers) as answer:
        lines = answer.aiter_lines()
        while not (line := await anext(lines)).startswith("data: "):
            pass
    assert 200 == answer.status_code
    told = json.loads(line.removeprefix("data: "))
    assert ("subscribed", False) == (told["type"], told["recovered"])


# Tokens


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    payload = {"aud": "ordercast", "role": "platform", "exp": int(time.time()) + 600, **changes}
    told = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(told, secret, algorithm=algorithm)


def unsigned() -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (
            {"alg": "none", "typ": "JWT"},
            {"aud": "ordercast", "role": "platform", "exp": int(time.time()) + 600},
        )
    )
    return f"{head}.{body}."


TOKENS = {
    "no token at all": "nonsense",
    "three empty parts": "..",
    "alg none": unsigned(),
    "expired": signed(exp=int(time.time()) - 120),
    "without exp": signed(exp=None),
    "without aud": signed(aud=None),
    "without role": signed(role=None),
    "another audience": signed(aud="elsewhere"),
    "another secret": signed("another secret, also long enough"),
    "another algorithm": signed(SECRET * 2, "HS512"),
    "an unknown role": signed(role="king"),
    "a role of another type": signed(role=["platform"]),
    "exp of another type": signed(exp="soon"),
    "not yet": signed(nbf=int(time.time()) + 600),
    "merchant without restaurant": signed(role="merchant"),
    "rider without sub": signed(role="rider"),
    "customer of nothing": signed(role="customer"),
    "orders of another type": signed(role="customer", orders="ord_1"),
    "sub of another type": signed(role="rider", sub=["r"]),
    "cut short": signed()[:-8],
}
WRONG_ROLES = [
    (Role.PARTNER, {"partner": "p"}),
    (Role.OPS, {}),
]


@pytest.mark.parametrize("name", TOKENS)
async def test_a_bad_token_over_http(hub: RunningHub, order: dict[str, Any], name: str) -> None:
    """401 with WWW-Authenticate, and the token is not in the answer."""
    headers = {"Authorization": f"Bearer {TOKENS[name]}"}
    answer = await hub.http().get(f"/v1/orders/{order['orderId']}", headers=headers)
    assert (401, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/v1/stream", f"/v1/riders/{RIDER}/stream"])
@pytest.mark.parametrize("name", TOKENS)
async def test_a_bad_token_on_a_socket(
    hub: RunningHub, order: dict[str, Any], name: str, path: str
) -> None:
    """The upgrade succeeds; then 4501, both in the header and in `auth`."""
    async with hub.socket(path, TOKENS[name]) as wire:
        assert 4501 == await wire.close_code()
    async with hub.socket(path) as wire:
        await wire.send(type="auth", token=TOKENS[name])
        assert 4501 == await wire.close_code()


@pytest.mark.parametrize("header", ["", "Basic dTpw", "Bearer", "bearer x y"])
async def test_a_bad_authorization_header(
    hub: RunningHub, order: dict[str, Any], header: str
) -> None:
    """Another scheme, or nothing behind it, is no token."""
    headers = {"Authorization": header}
    answer = await hub.http().get(f"/v1/orders/{order['orderId']}", headers=headers)
    assert 401 == answer.status_code


@pytest.mark.parametrize(("role", "claims"), WRONG_ROLES)
async def test_a_wrong_role(
    hub: RunningHub, order: dict[str, Any], role: Role, claims: dict[str, Any]
) -> None:
    """403 over HTTP, 4503 on the sockets."""
    answer = await hub.http(role, **claims).get(f"/v1/orders/{order['orderId']}")
    assert (403, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])
    for path in ("/v1/stream", f"/v1/riders/{RIDER}/stream"):
        async with hub.socket(path, token(role, **claims)) as wire:
            assert 4503 == await wire.close_code()


async def test_another_riders_path(hub: RunningHub, order: dict[str, Any]) -> None:
    """A rider has one path of their own: 403 and 4503 elsewhere."""
    path, stranger = f"/v1/riders/{RIDER}", "r_stranger"
    answer = await hub.http(Role.RIDER, sub=stranger).post(f"{path}/positions", json=fix(1))
    assert 403 == answer.status_code
    async with hub.socket(f"{path}/stream", token(Role.RIDER, sub=stranger)) as wire:
        assert 4503 == await wire.close_code()


async def test_a_token_refreshed_by_another_riders(hub: RunningHub, order: dict[str, Any]) -> None:
    """A path is one rider's: 4503."""
    async with hub.rider(fresh("r_refresh")) as wire:
        await wire.send(type="auth", token=token(Role.RIDER, sub=RIDER))
        assert 4503 == await wire.close_code()


# Sockets

PATHS = ["/v1/stream", f"/v1/riders/{RIDER}/stream"]


def bearer_for(path: str) -> str:
    return token(Role.RIDER, sub=RIDER) if "riders" in path else token(Role.PLATFORM)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


UNDECODABLE: dict[Codec, list[Any]] = {
    "json": [
        "",
        "{",
        "null",
        "[]",
        "5",
        "{}",
        '{"type": 5}',
        '{"type": null}',
        '{"type": "ping", "id": NaN}',
        "[" * 60_000,
        '{"type": "ping", "x": ' + "[" * 40 + "]" * 40 + "}",
        '{"type": "ping", "id": ' + "9" * 5000 + "}",
        b'{"type": "ping"}',
        msgpack.packb({"type": "ping"}),
    ],
    "msgpack": [
        b"",
        b"\xc1",
        msgpack.packb({"type": "ping", "id": "x"})[:-1],
        msgpack.packb({"type": "ping"}) + b"\x00",
        msgpack.packb([]),
        msgpack.packb(5),
        msgpack.packb({}),
        msgpack.packb({"type": 5}),
        msgpack.packb({5: "ping", "type": "ping"}),
        msgpack.packb({"type": b"ping"}),
        b"\x81\xa4type\xa4\xff\xfe\xfd\xfc",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\x7f\xff\xff\xff",
        b"\xc6\x7f\xff\xff\xff",
        b"\x91" * 2000,
        msgpack.packb({"type": "ping", "x": deep(40)}),
        '{"type": "ping"}',
    ],
}
NO_UTF_8 = [
    b'{"type": "ping", "id": "\xff"}',
    b'{"type": "ping", "id": "\xed\xa0\x80"}',
    '{"type": "ping"}'.encode("utf-16"),
]
UNDECODABLES = [(codec, bad) for codec, bads in UNDECODABLE.items() for bad in bads]


@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
@pytest.mark.parametrize(("codec", "bad"), UNDECODABLES, ids=range(len(UNDECODABLES)))
async def test_what_cannot_be_decoded(
    hub: RunningHub, order: dict[str, Any], path: str, codec: Codec, bad: Any
) -> None:
    """What is no message of the codec, lacks a type, or comes in the wrong frames: 4502."""
    async with hub.socket(path, bearer_for(path), codec) as wire:
        await wire.send_raw(bad)
        assert 4502 == await wire.close_code()


@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
@pytest.mark.parametrize("bad", NO_UTF_8, ids=range(len(NO_UTF_8)))
async def test_text_that_is_no_utf_8(
    hub: RunningHub, order: dict[str, Any], path: str, bad: bytes
) -> None:
    """A text frame with other bytes in it: 4502."""
    async with hub.socket(path, bearer_for(path)) as wire:
        await wire.connection.send(bad, text=True)
        assert 4502 == await wire.close_code()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
async def test_a_message_over_64_kib(
    hub: RunningHub, order: dict[str, Any], path: str, codec: Codec
) -> None:
    """64 KiB are read, one byte more closes with 1009, in one frame or in fragments."""
    async with hub.socket(path, bearer_for(path), codec) as wire:
        await wire.until("welcome")
        await wire.send_raw(sized(codec, 65_536))
        assert "bad_request" == (await wire.until("error"))["code"]
        await wire.send_raw(sized(codec, 65_537))
        assert 1009 == await wire.close_code()
    async with hub.socket(path, bearer_for(path), codec) as wire:
        whole = sized(codec, 65_537)
        await wire.send_raw([whole[:30_000], whole[30_000:60_000], whole[60_000:]])
        assert 1009 == await wire.close_code()


def sized(codec: Codec, size: int) -> Any:
    """A ping with an overlong member, in exactly so many bytes."""
    if codec == "json":
        return '{"type":"ping","x":""}'.replace('""', '"' + "x" * (size - 22) + '"')
    return msgpack.packb({"type": "ping", "x": "x" * (size - 16)})


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
async def test_a_message_in_fragments(
    hub: RunningHub, order: dict[str, Any], path: str, codec: Codec
) -> None:
    """A message may come in many frames, as RFC 6455 allows."""
    whole: Any = '{"type":"ping","id":"ü"}'
    if codec == "msgpack":
        whole = msgpack.packb({"type": "ping", "id": "ü"})
    async with hub.socket(path, bearer_for(path), codec) as wire:
        await wire.send_raw([whole[n : n + 1] for n in range(len(whole))])
        assert "ü" == (await wire.until("pong"))["id"]


FRAGMENTS = {
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
    "a new message within one": b"\x01\x81\0\0\0\0x" + b"\x81\x81\0\0\0\0x",
}


@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
@pytest.mark.parametrize("name", FRAGMENTS)
async def test_fragments_out_of_order(
    hub: RunningHub, order: dict[str, Any], path: str, name: str
) -> None:
    """Frames that make no message: a close code that says do not come back as you are."""
    async with hub.socket(path, bearer_for(path)) as wire:
        wire.connection.transport.write(FRAGMENTS[name])
        assert await wire.close_code() in (1002, 4502)


BROKEN_FRAMES = {
    "reserved bits": b"\xf1\x80\0\0\0\0",
    "an unknown opcode": b"\x83\x80\0\0\0\0",
    "an unmasked frame": b"\x81\x02{}",
    "a ping in fragments": b"\x09\x80\0\0\0\0",
    "a ping too long": b"\x89\xfe\x00\x80\0\0\0\0" + b"x" * 128,
    "a length of 2**63": b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0",
}


@pytest.mark.parametrize("path", PATHS, ids=["stream", "rider"])
@pytest.mark.parametrize("name", BROKEN_FRAMES)
async def test_frames_against_the_protocol(
    hub: RunningHub, order: dict[str, Any], path: str, name: str
) -> None:
    """What RFC 6455 forbids ends the connection with a code that forbids to come back."""
    async with hub.socket(path, bearer_for(path)) as wire:
        await wire.until("welcome")
        wire.connection.transport.write(BROKEN_FRAMES[name])
        assert await wire.close_code() in (1002, 1009, 4502)


STREAM_ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"type": "nonsense"}, "unknown_type"),
    ({"type": ""}, "unknown_type"),
    ({"type": "fix"}, "unknown_type"),
    ({"type": "x" * 5000}, "unknown_type"),
    ({"type": "subscribe"}, "bad_request"),
    ({"type": "subscribe", "id": 1}, "bad_request"),
    ({"type": "subscribe", "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": 5}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": ""}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "x" * 65}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "a b"}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "ord_nothing"}, "not_found"),
    ({"type": "subscribe", "id": 1, "orderId": "ord_1", "more": 1}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "ord_1", "crs": "bd09"}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "ord_1", "after": 5}, "bad_request"),
    ({"type": "subscribe", "id": 1, "orderId": "ord_1", "after": {"seq": 1}}, "bad_request"),
    (
        {"type": "subscribe", "id": 1, "orderId": "o", "after": {"epoch": "e", "seq": -1}},
        "bad_request",
    ),
    (
        {"type": "subscribe", "id": 1, "orderId": "o", "after": {"epoch": "e", "seq": "1"}},
        "bad_request",
    ),
    (
        {"type": "subscribe", "id": 1, "orderId": "o", "after": {"epoch": "e", "seq": 2**60}},
        "not_found",
    ),
    ({"type": "subscribe", "id": 1.5, "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": None, "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": True, "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": [], "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": "", "orderId": "ord_1"}, "not_found"),
    ({"type": "subscribe", "id": "x" * 65, "orderId": "ord_1"}, "bad_request"),
    ({"type": "subscribe", "id": 2**60, "orderId": "ord_1"}, "not_found"),
    ({"type": "unsubscribe", "id": 1}, "bad_request"),
    ({"type": "ping", "id": {}}, "bad_request"),
    ({"type": "auth"}, "bad_request"),
    ({"type": "auth", "token": 5}, "bad_request"),
    ({"type": "auth", "token": "x" * 9000}, "bad_request"),
]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("message", "code"), STREAM_ERRORS, ids=range(len(STREAM_ERRORS)))
async def test_a_message_that_does_not_fit(
    hub: RunningHub, order: dict[str, Any], codec: Codec, message: dict[str, Any], code: str
) -> None:
    """An `error` with its code, and the `id` given back if it is one; the socket stays."""
    async with hub.stream(codec=codec) as wire:
        await wire.send(**message)
        answer = await wire.until("error")
        assert code == answer["code"]
        told = message.get("id")
        valid = type(told) is int or (isinstance(told, str) and len(told) <= 64)
        assert (told if valid else None) == answer.get("id")
        assert (await wire.subscribe(order["orderId"]))["snapshot"]["seq"] == 2


RIDER_ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"type": "subscribe", "id": 1, "orderId": "ord_1"}, "unknown_type"),
    ({"type": "fixes"}, "bad_request"),
    ({"type": "fixes", "fixes": []}, "bad_request"),
    ({"type": "fixes", "fixes": {}}, "bad_request"),
    ({"type": "fixes", "fixes": [{}] * 101}, "bad_request"),
    ({"type": "fixes", "fixes": [{}], "more": 1}, "bad_request"),
    ({"type": "ping", "id": 1.5}, "bad_request"),
]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("message", "code"), RIDER_ERRORS, ids=range(len(RIDER_ERRORS)))
async def test_a_riders_message_that_does_not_fit(
    hub: RunningHub, order: dict[str, Any], codec: Codec, message: dict[str, Any], code: str
) -> None:
    """An `error` with its code, and none of its fixes is taken; the socket stays."""
    async with hub.rider(RIDER, codec) as wire:
        await wire.send(**message)
        assert code == (await wire.until("error"))["code"]
        assert "ack" not in [said["type"] for said in await wire.quiet()]


NAN = float("nan")
FIXES: list[tuple[Any, str]] = [
    (fix(1, lat=90.1), "out_of_range"),
    (fix(1, lng=-181), "out_of_range"),
    (fix(1, lat=0, lng=0), "null_island"),
    (fix(1, offset=3600), "future"),
    (fix(1, lat="31"), "malformed"),
    (fix(1, lat=None), "malformed"),
    (fix(1, at="now"), "malformed"),
    (fix(1, at=1795374343), "malformed"),
    (fix(1, at=1795374343.5), "malformed"),
    (fix(1, at=-1e300), "malformed"),
    (fix(-1), "malformed"),
    (fix(1, extra=1), "malformed"),
    (fix(1, crs="bd09"), "malformed"),
    (fix(1, heading="north"), "malformed"),
    (5, "malformed"),
    (None, "malformed"),
    ([], "malformed"),
]
NOT_FINITE = [
    (fix(1, lat=NAN), "not_finite"),
    (fix(1, lng=float("inf")), "not_finite"),
    (fix(1, speed=NAN), "not_finite"),
    (fix(1, accuracy=-float("inf")), "not_finite"),
    (fix(1, at=NAN), "malformed"),
]
HALF_A_PAIR = fix(1, **{"\ud800": 1})  # which msgpack, whose texts are UTF-8, cannot tell
ONLY_JSON = [(HALF_A_PAIR, "malformed"), ({**HALF_A_PAIR, "lat": "\ud800"}, "malformed")]
BAD_FIXES = [("json", *bad) for bad in FIXES + ONLY_JSON] + [
    ("msgpack", *bad) for bad in FIXES + NOT_FINITE
]


@pytest.mark.parametrize(("codec", "bad", "reason"), BAD_FIXES, ids=range(len(BAD_FIXES)))
async def test_one_bad_fix_in_a_batch(
    hub: RunningHub, order: dict[str, Any], codec: Codec, bad: Any, reason: str
) -> None:
    """It is rejected with its reason, alone: its neighbours are taken."""
    rider = fresh("r_fix")
    own = await place(hub.platform)
    await assign(hub.platform, own, rider)
    async with hub.rider(rider, codec) as wire:
        await wire.send(type="fixes", fixes=[fix(7, offset=-2), bad, fix(9, offset=-1)])
        rejected = await wire.until("rejected")
        assert 9 == (await wire.until("ack"))["seq"]
    named = bad["seq"] if isinstance(bad, dict) and bad["seq"] >= 0 else None
    assert (reason, named) == (rejected["reason"], rejected.get("seq"))


async def test_json_has_no_nan(hub: RunningHub, order: dict[str, Any]) -> None:
    """NaN is no JSON: the message is malformed, not the fix in it."""
    async with hub.rider(RIDER) as wire:
        await wire.send_raw(json.dumps({"type": "fix", **fix(1, lat=NAN)}))
        assert 4502 == await wire.close_code()


async def test_half_a_surrogate_pair_in_a_fix_over_http(
    hub: RunningHub, order: dict[str, Any]
) -> None:
    """Rejected like any fix that does not fit."""
    rider = hub.http(Role.RIDER, sub=RIDER)
    body = json.dumps(HALF_A_PAIR)
    answer = await rider.post(f"/v1/riders/{RIDER}/positions", content=body)
    assert (200, [{"seq": 1, "reason": "malformed"}]) == (
        answer.status_code,
        answer.json()["rejected"],
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ("fix", 422),
        ({"fixes": []}, 422),
        ({"fixes": {}}, 422),
        ({"fixes": [fix(1)] * 101}, 422),
    ],
)
async def test_positions_that_do_not_fit(
    hub: RunningHub, order: dict[str, Any], body: Any, status: int
) -> None:
    """By HTTP the whole body is refused where it is no fix and no batch."""
    rider = hub.http(Role.RIDER, sub=RIDER)
    answer = await rider.post(f"/v1/riders/{RIDER}/positions", json=body)
    assert (status, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])


async def test_before_auth(hub: RunningHub, order: dict[str, Any]) -> None:
    """Anything but `auth` first is 4501."""
    for message in ({"type": "ping"}, {"type": "subscribe", "id": 1, "orderId": "o"}):
        async with hub.socket("/v1/stream") as wire:
            await wire.send(**message)
            assert 4501 == await wire.close_code()


async def test_the_129th_subscription(hub: RunningHub, order: dict[str, Any]) -> None:
    """A socket carries 128 orders; one more is refused, and one less makes room."""
    placed = await asyncio.gather(*(place(hub.platform) for _ in range(129)))
    ids = [each["orderId"] for each in placed]
    async with hub.stream() as wire:
        for order_id in ids[:128]:
            await wire.subscribe(order_id)
        refused = await wire.ask("subscribe", "error", id="last", orderId=ids[128])
        assert ("last", "too_many_subscriptions") == (refused["id"], refused["code"])
        await wire.ask("unsubscribe", "unsubscribed", id=1, orderId=ids[0])
        assert ids[128] == (await wire.subscribe(ids[128]))["orderId"]


async def test_too_many_messages(hub: RunningHub, order: dict[str, Any]) -> None:
    """A flood is closed with 4029; the client may come back later."""
    async with hub.stream() as wire:
        for _ in range(400):
            await wire.send(type="ping")
        assert 4029 == await wire.close_code()


async def test_unknown_socket_paths(hub: RunningHub, order: dict[str, Any]) -> None:
    """There is no socket elsewhere: the upgrade is refused with 404."""
    from websockets.exceptions import InvalidStatus

    for path in ("/v1/nothing", "/v1/stream/", "/v1/riders//stream", "/"):
        with pytest.raises(InvalidStatus) as refused:
            async with hub.socket(path, token(Role.PLATFORM)):
                pass
        assert 404 == refused.value.response.status_code


async def test_garbage_instead_of_http(hub: RunningHub, order: dict[str, Any]) -> None:
    """Bytes that are no HTTP end that connection and nothing else."""
    for garbage in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(garbage + b"\r\n" * 2)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 505"))
