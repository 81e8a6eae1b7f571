"""The documents that the hub serves, and the hub measured by them."""

import json
import re
from typing import Any, get_args

import httpx2
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from starlette.routing import Route as StarletteRoute

from schemas.documents import document, model_schema
from schemas.documents.models import public_models
from schemas.documents.routes import ROUTES
from schemas.documents.routes.route import Route
from schemas.lifecycle import Role
from schemas.messages import TO_RIDER, TO_USER
from schemas.wire import dumps
from tests.hub.harness import (
    SHOP,
    RunningHub,
    advance,
    assign,
    fix,
    fresh,
    order_body,
    place,
    status_body,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPENAPI = document("openapi")
PUBLIC = "public, max-age=3600"


@pytest.mark.parametrize(
    ("path", "name"), [("/openapi.json", "openapi"), ("/asyncapi.json", "asyncapi")]
)
async def test_a_served_document_is_the_exported_one(hub: RunningHub, path: str, name: str) -> None:
    """Public, kept for an hour, revalidated by its ETag."""
    first = await hub.http().get(path)
    again = await hub.http().get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert document(name) == first.json()
    assert (PUBLIC, "application/json") == (
        first.headers["Cache-Control"],
        first.headers["Content-Type"],
    )
    assert (304, b"") == (again.status_code, again.content)


@pytest.mark.parametrize("name", sorted(public_models()))
async def test_a_served_schema_is_the_models(hub: RunningHub, name: str) -> None:
    """Every model of the contract stands under its name."""
    answer = await hub.http().get(f"/schemas/{name}.json")
    assert json.loads(dumps(model_schema(name))) == answer.json()
    assert PUBLIC == answer.headers["Cache-Control"]


# The routes


def path_of(route: Route) -> str:
    return re.sub(r"{\w+}", "nothing_here", route.path)


CLAIMS: dict[Role, dict[str, Any]] = {
    Role.MERCHANT: {"restaurant": "res_1"},
    Role.RIDER: {"sub": "nothing_here"},
    Role.CUSTOMER: {"sub": "c"},
    Role.PARTNER: {"partner": "p"},
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_the_documented_roles_are_the_real_ones(hub: RunningHub, route: Route) -> None:
    """Those named are let in, all others get 403, and nobody without a token."""
    if not route.roles:
        return
    for role in Role:
        client = hub.http(role, **CLAIMS.get(role, {}))
        answer = await client.request(route.method, path_of(route), json={})
        assert (role not in route.roles) is (answer.status_code == 403), (role, answer.text)
        assert answer.status_code not in (401, 405, 500)
    nobody = await hub.http().request(route.method, path_of(route), json={})
    assert 401 == nobody.status_code


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_every_answer_is_documented(hub: RunningHub, route: Route) -> None:
    """Whatever the hub says to an empty request is among the route's answers."""
    told = {answer.status for answer in route.answers} | set(route.errors)
    for role in route.roles or (None,):
        client = hub.http(role, **CLAIMS.get(role, {})) if role else hub.http()
        answer = await client.request(route.method, path_of(route), json={})
        assert answer.status_code in told or (answer.status_code == 404 and not role), answer.text


async def test_every_route_is_documented(hub: RunningHub) -> None:
    """What the application answers to is what the document lists, and nothing beside it."""
    served = {
        (method.lower(), re.sub(r"{(\w+)}", "{}", route.path))
        for route in hub.app.routes
        if isinstance(route, StarletteRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }
    listed = {(route.method, re.sub(r"{(\w+)}", "{}", route.path)) for route in ROUTES}
    sockets = {("get", "/v1/stream"), ("get", "/v1/riders/{}/stream")}
    assert listed == served - sockets


# Live answers


def check(method: str, path: str, answer: httpx2.Response) -> None:
    """The answer has the status, type and shape that the document gives for it."""
    told = OPENAPI["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = OPENAPI["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    for name in told.get("headers", {}):
        if name not in ("Idempotent-Replayed", "Retry-After"):  # these depend
            assert name in answer.headers, f"{method} {path} lacks {name}"
    if "content" not in told:
        assert b"" == answer.content
        return
    media = answer.headers["Content-Type"].split(";")[0]
    schema = {**told["content"][media]["schema"], "components": OPENAPI["components"]}
    errors = Draft202012Validator(schema).iter_errors(answer.json())
    assert [] == [f"{method} {path}: {error.json_path} {error.message}" for error in errors]


async def test_live_answers_fit_the_document(hub: RunningHub) -> None:
    """An order's whole way over HTTP: each answer validates against its schema."""
    platform = hub.platform
    one = "/v1/orders/{orderId}"

    async def ask(
        client: httpx2.AsyncClient, method: str, path: str, status: int = 200, **options: Any
    ) -> Any:
        where = path.format(**names)
        answer = await client.request(method, where, **options)
        assert status == answer.status_code, answer.text
        check(method, path, answer)
        return answer

    names = {"restaurantId": fresh("res"), "riderId": fresh("r")}
    rider = hub.http(Role.RIDER, sub=names["riderId"])
    merchant = hub.http(Role.MERCHANT, restaurant=names["restaurantId"])
    restaurant = {"name": "Noodles", "location": SHOP, "address": "1 Road"}
    await ask(platform, "put", "/v1/restaurants/{restaurantId}", json=restaurant)
    await ask(hub.http(), "get", "/v1/restaurants/{restaurantId}")
    body = order_body(restaurantId=names["restaurantId"], externalId=fresh("x"), customerId="c")
    placed = await ask(platform, "post", "/v1/orders", 201, json=body)
    await ask(platform, "post", "/v1/orders", 200, json=body)
    await ask(platform, "post", "/v1/orders", 422, json={})
    await ask(platform, "post", "/v1/orders", 400, content=b"{")
    await ask(platform, "post", "/v1/orders", 413, content=b" " * 65_537)
    names["orderId"] = placed.json()["orderId"]
    await ask(platform, "get", one)
    etag = {"If-None-Match": placed.headers["ETag"]}
    await ask(platform, "get", one, 304, headers=etag)
    await ask(hub.http(Role.CUSTOMER, sub="other"), "get", one, 404)
    await ask(hub.http(), "get", one, 401)
    await ask(hub.http(Role.OPS), "get", one, 403)
    await ask(platform, "post", f"{one}/payment", json={"state": "PAID"})
    await ask(platform, "get", f"{one}/payment")
    await ask(platform, "post", f"{one}/status", 409, json=status_body("COMPLETED"))
    await ask(merchant, "post", f"{one}/status", json=status_body("CONFIRMED", estimatedTime=30))
    await ask(merchant, "post", f"{one}/ready")
    await ask(platform, "put", f"{one}/rider", json={"riderId": names["riderId"]})
    await ask(rider, "post", f"{one}/courier-state", json={"state": "AT_STORE"})
    await ask(rider, "post", f"{one}/courier-state", json={"state": "PICKED_UP"})
    await ask(rider, "post", "/v1/riders/{riderId}/positions", json=fix(1))
    await ask(rider, "post", "/v1/riders/{riderId}/positions", json={"fixes": [fix(2, lat=99)]})
    late = await ask(platform, "post", f"{one}/status", json=status_body("PREPARING", offset=-99))
    assert late.json()["late"]
    await ask(platform, "delete", f"{one}/rider")
    await ask(platform, "post", f"{one}/status", json=status_body("CANCELLED"))
    await ask(platform, "get", f"{one}/events")
    seen = {"Last-Event-ID": await last_id(platform, names)}
    await ask(platform, "get", f"{one}/stream", 204, headers=seen)
    await ask(hub.http(Role.OPS), "get", "/v1/hubs")
    await ask(hub.http(), "get", "/healthz")
    await ask(hub.http(), "get", "/readyz")


async def last_id(platform: httpx2.AsyncClient, names: dict[str, str]) -> str:
    told = (await platform.get(f"/v1/orders/{names['orderId']}/events")).json()
    return f"{told['epoch']}-{told['events'][-1]['seq']}"


async def test_live_messages_fit_the_document(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """All that the sockets said on an order's way validates against the models they export."""
    rider_id = fresh("r")
    order = await place(platform)
    await assign(platform, order, rider_id)
    async with hub.rider(rider_id) as rider, hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        await advance(platform, order, "CONFIRMED", "ON_DELIVERY")
        await rider.until("orders", lambda told: told["orders"][0]["status"] == "ON_DELIVERY")
        await rider.send(type="fix", **fix(1, accuracy=3.0))
        await rider.send(type="fix", **fix(2, lat=99))
        await rider.until("rejected")
        await watcher.until("position")
        await watcher.send(type="nonsense", id=1)
        await rider.send(type="nonsense")
        await advance(platform, order, "COMPLETED")
        await watcher.until("unsubscribed")
        await watcher.quiet()
        await rider.quiet()
    for said, models in ((watcher.seen, TO_USER), (rider.seen, TO_RIDER)):
        by_type = {get_args(model.model_fields["type"].annotation)[0]: model for model in models}
        for message in said:
            by_type[message["type"]].model_validate_json(json.dumps(message))
    assert {"welcome", "subscribed", "event", "position", "error", "unsubscribed", "pong"} == {
        message["type"] for message in watcher.seen
    }
    assert {"welcome", "orders", "cadence", "ack", "rejected", "error", "pong"} == {
        message["type"] for message in rider.seen
    }
