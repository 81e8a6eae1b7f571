"""What goes wrong with orders, over HTTP and on the sockets, with a worker beside (contract 3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from hub.store.deadlines import DeadlineStore
from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from hub.tasks import end
from hub.worker.deadlines import Deadlines
from hub.worker.worker import Worker
from schemas.exceptions import ExceptionReport, OrderException
from schemas.lifecycle import Role
from tests.hub.harness import (
    RunningHub,
    advance,
    assign,
    eventually,
    fits,
    fix,
    fresh,
    hubs,
    move,
    on_delivery,
    place,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO = [
    {"itemId": "i1", "name": "Noodles", "quantity": 2, "unitPriceCents": 1850},
    {"itemId": "i2", "name": "Tea", "quantity": 1, "unitPriceCents": 300},
]


async def report(
    client: httpx2.AsyncClient, order: dict[str, Any], code: str, **more: Any
) -> httpx2.Response:
    headers = more.pop("headers", None)
    path = f"/v1/orders/{order['orderId']}/exceptions"
    return await client.post(path, json={"code": code, **more}, headers=headers)


async def resolve(
    client: httpx2.AsyncClient, exception: dict[str, Any], resolution: str
) -> httpx2.Response:
    path = f"/v1/orders/{exception['orderId']}/exceptions/{exception['exceptionId']}/resolve"
    return await client.post(path, json={"resolution": resolution})


async def shown(client: httpx2.AsyncClient, order: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/v1/orders/{order['orderId']}")).json()
    return answer


async def told(client: httpx2.AsyncClient, order: dict[str, Any]) -> list[str]:
    answer = await client.get(f"/v1/orders/{order['orderId']}/events")
    return [event["eventType"] for event in answer.json()["events"]]


async def is_open(client: httpx2.AsyncClient, order: dict[str, Any], code: str) -> bool:
    exceptions = (await shown(client, order)).get("exceptions", [])
    return any(each["code"] == code for each in exceptions)


@asynccontextmanager
async def working(hub: RunningHub) -> AsyncIterator[None]:
    """A worker's deadlines, in this process."""
    duty = Deadlines(DeadlineStore(hub.state.connection), hub.state.exceptions)
    running = asyncio.create_task(Worker([duty]).run())
    yield
    await end([running])


async def test_sold_out_is_asked_and_answered(hub: RunningHub) -> None:
    """The merchant says so, the customer sees the question live and answers; the order goes on."""
    platform, merchant = hub.platform, hub.http(Role.MERCHANT, restaurant="res_1")
    order = await place(platform, items=TWO)
    customer = hub.http(Role.CUSTOMER, orders=[order["orderId"]])
    async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire:
        await wire.subscribe(order["orderId"])
        response = await report(merchant, order, "ITEM_SOLD_OUT", items=["i2"], detail="no tea")
        assert 201 == response.status_code
        offer = response.json()
        fits(OrderException, offer)
        (event,) = await wire.events(1)
        assert ("order.exception", offer) == (event["eventType"], event["exception"])
        assert [offer] == (await shown(customer, order))["exceptions"]
        answered = await resolve(customer, offer, "accepted")
        assert (200, "accepted") == (answered.status_code, answered.json()["resolution"])
        (event,) = await wire.events(1)
        assert answered.json() == event["exception"]
        late = await wire.subscribe(order["orderId"])
        assert "exceptions" not in late["snapshot"]
    left = await shown(platform, order)
    assert (["i1"], 3700) == ([item["itemId"] for item in left["items"]], left["totalCents"])
    again = await resolve(customer, offer, "accepted")
    assert (200, answered.json()) == (again.status_code, again.json())
    otherwise = await resolve(customer, offer, "declined")
    assert (409, "accepted") == (otherwise.status_code, otherwise.json()["resolution"])


async def test_a_code_that_cancels(hub: RunningHub) -> None:
    """The stream ends with the order's end; the answer shows how the exception did."""
    order = await place(hub.platform)
    customer = hub.http(Role.CUSTOMER, orders=[order["orderId"]])
    async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire:
        await wire.subscribe(order["orderId"])
        response = await report(customer, order, "CUSTOMER_CANCELLED", detail="too long")
        assert (201, "cancelled") == (response.status_code, response.json()["resolution"])
        ended = await wire.until("unsubscribed")
        assert "finished" == ended["reason"]
        kinds = [each["eventType"] for each in wire.seen if each["type"] == "event"]
    assert ["order.exception", "order.exception_resolved", "order.cancelled"] == kinds
    final = await shown(hub.platform, order)
    assert ("CANCELLED", "CUSTOMER_CANCELLED") == (final["status"], final["reason"])


async def test_once_by_its_key(hub: RunningHub) -> None:
    """The same Idempotency-Key raises one, and answers the same, also where it ended the order."""
    order = await place(hub.platform)
    key = {"Idempotency-Key": fresh("key")}
    first = await report(hub.platform, order, "MERCHANT_REJECTED", headers=key)
    second = await report(hub.platform, order, "MERCHANT_REJECTED", headers=key)
    assert (201, "true") == (second.status_code, second.headers["idempotent-replayed"])
    assert first.json() == second.json()
    assert 4 == len(await told(hub.platform, order))


async def test_an_answer_that_was_lost(hub: RunningHub) -> None:
    """A run that died after its commit is found by its operation."""
    order = await place(hub.platform, items=TWO)
    exceptions, claims = (
        hub.state.exceptions,
        await hub.state.tokens.verify(hub.platform.headers["authorization"].split()[1]),
    )
    for code, items in (("ITEM_SOLD_OUT", ["i1"]), ("MERCHANT_REJECTED", None)):
        body = ExceptionReport.read({"code": code} | ({"items": items} if items else {}))
        first = await exceptions.report(order["orderId"], body, claims, f"op_{code}")
        again = await exceptions.report(order["orderId"], body, claims, f"op_{code}")
        assert first == again


REFUSED = [
    ({"code": "NO_SUCH"}, 422, "#/code"),
    ({}, 422, "#/code"),
    ({"code": "ITEM_SOLD_OUT"}, 422, "#/items"),
    ({"code": "ITEM_SOLD_OUT", "items": []}, 422, "#/items"),
    ({"code": "ITEM_SOLD_OUT", "items": ["nope"]}, 422, "#/items/0"),
    ({"code": "ITEM_SOLD_OUT", "items": [7]}, 422, "#/items/0"),
    ({"code": "MERCHANT_REJECTED", "items": ["i1"]}, 422, "#/items"),
    ({"code": "MERCHANT_REJECTED", "detail": ""}, 422, "#/detail"),
    ({"code": "MERCHANT_REJECTED", "why": "x"}, 422, "#/why"),
]


@pytest.mark.parametrize(("body", "status", "pointer"), REFUSED)
async def test_a_bad_report(
    hub: RunningHub, body: dict[str, Any], status: int, pointer: str
) -> None:
    order = await place(hub.platform)
    path = f"/v1/orders/{order['orderId']}/exceptions"
    response = await hub.platform.post(path, json=body)
    assert status == response.status_code, response.text
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert ["order.created"] == await told(hub.platform, order)


async def test_whose_it_is_to_raise_and_to_resolve(hub: RunningHub) -> None:
    """403 for a role, 404 for another's order and an unknown exception."""
    order = await place(hub.platform)
    mine = hub.http(Role.MERCHANT, restaurant="res_1")
    other = hub.http(Role.MERCHANT, restaurant="res_2")
    customer = hub.http(Role.CUSTOMER, orders=[order["orderId"]])
    assert 403 == (await report(mine, order, "CUSTOMER_CANCELLED")).status_code
    assert 403 == (await report(mine, order, "MERCHANT_TIMEOUT")).status_code
    assert 404 == (await report(other, order, "MERCHANT_REJECTED")).status_code
    assert (
        403
        == (
            await report(hub.http(Role.PARTNER, partner="p"), order, "MERCHANT_REJECTED")
        ).status_code
    )
    warned = (await report(hub.platform, order, "MERCHANT_TIMEOUT")).json()
    assert 403 == (await resolve(customer, warned, "resolved")).status_code
    assert 404 == (await resolve(other, warned, "resolved")).status_code
    assert 422 == (await resolve(mine, warned, "expired")).status_code
    assert 422 == (await resolve(mine, warned, "accepted")).status_code
    unknown = {**warned, "exceptionId": "exc_unknown"}
    assert 404 == (await resolve(mine, unknown, "resolved")).status_code
    assert 409 == (await report(hub.platform, order, "MERCHANT_TIMEOUT")).status_code
    assert 200 == (await resolve(mine, warned, "resolved")).status_code


async def test_the_open_ones_in_pages(hub: RunningHub) -> None:
    """Oldest first, each once, whatever the size of a page; resolved ones are gone from it."""
    raised = []
    for _ in range(7):
        order = await place(hub.platform)
        raised.append((await report(hub.platform, order, "MERCHANT_TIMEOUT")).json())
    await resolve(hub.platform, raised.pop(3), "resolved")
    for size in (1, 4, 500):
        listed, after = [], None
        while True:
            query = {"state": "open", "limit": size, **({"after": after} if after else {})}
            page = (await hub.platform.get("/v1/exceptions", params=query)).json()
            listed += page["items"]
            after = page["next"]
            if after is None:
                break
        assert listed == sorted(listed, key=lambda each: str(each["openedAt"]))
        ours = {each["exceptionId"] for each in raised}
        assert [each for each in listed if each["exceptionId"] in ours] == raised
    for each in raised:
        assert 200 == (await resolve(hub.platform, each, "cancelled")).status_code


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("state=resolved", "#/state"), ("after=x", "#/after"), ("limit=0", "#/limit")],
)
async def test_a_bad_list(hub: RunningHub, query: str, pointer: str) -> None:
    response = await hub.platform.get(f"/v1/exceptions?{query}")
    assert (422, pointer) == (response.status_code, response.json()["errors"][0]["pointer"])


async def test_the_list_is_the_platforms(hub: RunningHub) -> None:
    for client, status in ((hub.http(), 401), (hub.http(Role.MERCHANT, restaurant="r"), 403)):
        assert status == (await client.get("/v1/exceptions")).status_code


# Deadlines


async def test_a_rider_falls_silent_and_is_heard(shared_store: EmbeddedStore) -> None:
    """Raised without fixes, resolved by the next one; then the time runs anew."""
    async with hubs(shared_store, 2, rider_silent="300ms") as (one, two), working(one):
        rider_id = fresh("rid")
        order = await on_delivery(one.platform, rider_id)
        async with two.rider(rider_id) as rider, one.stream() as wire:
            await wire.subscribe(order["orderId"])
            await eventually(lambda: is_open(one.platform, order, "RIDER_SILENT"))
            held = two.state.riders._riders[rider_id].held[order["orderId"]]
            await eventually(lambda: held.state.exceptions)
            await rider.send(type="fix", **fix(1))
            heard = await wire.until("event", lambda each: "resolution" in each["exception"])
            assert ("order.exception_resolved", "resolved") == (
                heard["eventType"],
                heard["exception"]["resolution"],
            )
            again = await wire.until("event")
            assert "order.exception" == again["eventType"]


async def test_each_fix_puts_the_silence_off(shared_store: EmbeddedStore) -> None:
    """Also those that are told to nobody, of a rider who stands."""
    async with hubs(shared_store, rider_silent="1s") as (hub,):
        rider_id = fresh("rid")
        order = await on_delivery(hub.platform, rider_id)
        member, key = f"{order['orderId']}|RIDER_SILENT", order_keys(order["orderId"]).deadlines

        async def due() -> int:
            return int(await hub.state.connection.ask("ZSCORE", key, member))

        async def later(before: int) -> bool:
            return await due() > before

        async with hub.rider(rider_id) as rider:
            for seq in range(1, 4):
                before = await due()
                await rider.send(type="fix", **fix(seq, offset=seq))
                await eventually(lambda before=before: later(before))


async def test_the_merchants_time(shared_store: EmbeddedStore) -> None:
    """Warned, then given up; one who confirms in between goes on."""
    times = {"merchant_warning": "200ms", "merchant_timeout": "1500ms"}
    async with hubs(shared_store, **times) as (hub,), working(hub):
        order, other = await place(hub.platform), await place(hub.platform)
        await eventually(lambda: is_open(hub.platform, other, "MERCHANT_TIMEOUT"))
        await advance(hub.platform, other, "CONFIRMED")
        assert ["order.created", "order.exception"] == (await told(hub.platform, order))[:2]

        async def cancelled() -> bool:
            return bool((await shown(hub.platform, order))["status"] == "CANCELLED")

        await eventually(cancelled)
        assert "MERCHANT_TIMEOUT" == (await shown(hub.platform, order))["reason"]
        assert "CONFIRMED" == (await shown(hub.platform, other))["status"]
        assert "exceptions" not in await shown(hub.platform, other)


async def test_nobody_answers_and_nobody_rides(shared_store: EmbeddedStore) -> None:
    """An offer expires; an order without a rider says so until it has one."""
    times = {"sold_out_timeout": "200ms", "rider_timeout": "200ms"}
    async with hubs(shared_store, **times) as (hub,), working(hub):
        offered, lonely = await place(hub.platform, items=TWO), await place(hub.platform)
        await report(hub.platform, offered, "ITEM_SOLD_OUT", items=["i1"])
        await advance(hub.platform, lonely, "CONFIRMED", "PREPARING")
        await eventually(lambda: is_open(hub.platform, lonely, "RIDER_TIMEOUT"))
        await assign(hub.platform, lonely, fresh("rid"))
        assert "exceptions" not in await shown(hub.platform, lonely)

        async def expired() -> bool:
            return bool((await shown(hub.platform, offered))["status"] == "CANCELLED")

        await eventually(expired)
        events = (await hub.platform.get(f"/v1/orders/{offered['orderId']}/events")).json()
        assert "expired" == events["events"][-2]["exception"]["resolution"]


async def test_an_estimate_that_has_passed(shared_store: EmbeddedStore) -> None:
    """The customer is told that it is late."""
    async with hubs(shared_store, overdue="1ms") as (hub,), working(hub):
        order = await place(hub.platform)
        await move(hub.platform, order, "CONFIRMED", estimatedTime=0)
        await eventually(lambda: is_open(hub.platform, order, "DELIVERY_OVERDUE"))
        assert "order.delayed" == (await told(hub.platform, order))[-1]
