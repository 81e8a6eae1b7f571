"""Watching one order by Server-Sent Events: the socket's messages, by plain HTTP (contract 2)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role
from schemas.messages import PositionMessage, StreamEvent, Subscribed
from tests.hub.harness import (
    PATIENCE,
    SHOP,
    RunningHub,
    advance,
    eventually,
    fits,
    fix,
    fresh,
    hubs,
    on_delivery,
    place,
    token,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class EventSource:
    """A reader of one stream: pairs of `id` (or None) and message."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str | None, dict[str, Any]]:
        """The next message. Raises StopAsyncIteration at the end of the stream."""
        name, data = None, None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await anext(self._lines)
                field, _, value = line.partition(": ")
                if field == "id":
                    name = value
                elif field == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    return name, data

    async def rest(self) -> list[tuple[str | None, dict[str, Any]]]:
        """All that comes until the hub ends the stream."""
        told = []
        try:
            while True:
                told.append(await self.next())
        except StopAsyncIteration:
            return told


@asynccontextmanager
async def watching(
    client: httpx2.AsyncClient, order: dict[str, Any], after: str | None = None, **query: str
) -> AsyncIterator[EventSource]:
    headers = {} if after is None else {"Last-Event-ID": after}
    path = f"/v1/orders/{order['orderId']}/stream"
    async with client.stream("GET", path, headers=headers, params=query) as response:
        yield EventSource(response)


async def test_watching_to_the_end(platform: httpx2.AsyncClient) -> None:
    """First `subscribed`, then each event under its place as id, then the stream ends."""
    order = await place(platform)
    async with watching(platform, order) as source:
        first = await source.next()
        await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
        rest = await source.rest()
    epoch = order["epoch"]
    assert "text/event-stream" in source.response.headers["Content-Type"]
    assert "no-store" == source.response.headers["Cache-Control"]
    assert (f"{epoch}-1", "subscribed") == (first[0], first[1]["type"])
    fits(Subscribed, first[1])
    assert [*(f"{epoch}-{seq}" for seq in (2, 3, 4, 5)), None] == [name for name, _ in rest]
    for _, event in rest[:-1]:
        fits(StreamEvent, event)
    ended = {"type": "unsubscribed", "orderId": order["orderId"], "reason": "finished"}
    assert ended == rest[-1][1]


async def test_the_same_messages_as_the_socket(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Events are equal to the letter; `subscribed` has no `id` of a request, and an estimate of its
    own moment.
    """
    order = await place(platform)
    async with watching(platform, order) as source, hub.stream() as wire:
        by_socket = await wire.subscribe(order["orderId"])
        _, by_sse = await source.next()
        await advance(platform, order, "CONFIRMED", "CANCELLED")
        events = await wire.events(2)
        rest = await source.rest()
    del by_socket["id"]
    assert by_socket["snapshot"].pop("eta").keys() == by_sse["snapshot"].pop("eta").keys()
    assert by_socket == by_sse
    assert events == [message for _, message in rest[:-1]]


async def test_resuming(platform: httpx2.AsyncClient) -> None:
    """With Last-Event-ID, what was missed is inside `subscribed`, whose id is the snapshot's."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "PREPARING")
    async with watching(platform, order, f"{order['epoch']}-1") as source:
        name, told = await source.next()
        await advance(platform, order, "ON_DELIVERY")
        following, _ = await source.next()
    assert (f"{order['epoch']}-3", True) == (name, told["recovered"])
    assert [2, 3] == [event["seq"] for event in told["events"]]
    assert f"{order['epoch']}-4" == following


@pytest.mark.parametrize("place_of", ["zzzzzzzz-1", "{epoch}-99"])
async def test_resuming_from_nowhere(platform: httpx2.AsyncClient, place_of: str) -> None:
    """Another epoch or a future seq: the snapshot is the new truth."""
    order = await place(platform)
    async with watching(platform, order, place_of.format(epoch=order["epoch"])) as source:
        _, told = await source.next()
    assert (False, []) == (told["recovered"], told["events"])


async def test_after_the_end(platform: httpx2.AsyncClient) -> None:
    """Who has seen the end gets 204 and stays away; who has not gets it, and then the end."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "CANCELLED")
    async with watching(platform, order, f"{order['epoch']}-3") as source:
        assert 204 == source.response.status_code
    async with watching(platform, order, f"{order['epoch']}-2") as source:
        told = [message for _, message in await source.rest()]
    assert ["subscribed", "unsubscribed"] == [message["type"] for message in told]
    assert ([3], "CANCELLED") == (
        [event["seq"] for event in told[0]["events"]],
        told[0]["snapshot"]["status"],
    )


async def test_positions_carry_no_id(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """A client that comes back resumes at an event, never at a position; privacy as ever."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    customer = hub.http(Role.CUSTOMER, orders=[order["orderId"]])
    async with watching(customer, order) as source, hub.rider(rider_id) as rider:
        await source.next()
        await rider.send(type="fix", **fix(1, accuracy=3.0, battery=0.4))
        name, position = await source.next()
    fits(PositionMessage, position)
    assert (None, "position") == (name, position["type"])
    assert not {"riderId", "accuracy", "battery"} & set(position)


async def test_positions_in_gcj02(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """`crs` in the query, as everywhere."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with watching(platform, order, crs="gcj02") as source, hub.rider(rider_id) as rider:
        await source.next()
        await rider.send(type="fix", **fix(1))
        _, position = await source.next()
    assert SHOP["lat"] != position["lat"]


async def test_another_hubs_events(
    shared_store: EmbeddedStore, platform: httpx2.AsyncClient
) -> None:
    """What is written by one hub is told by every other."""
    order = await place(platform)
    async with hubs(shared_store) as (other,), watching(other.platform, order) as source:
        await source.next()
        await advance(platform, order, "CANCELLED")
        rest = await source.rest()
    assert ["event", "unsubscribed"] == [message["type"] for _, message in rest]


async def test_a_token_in_the_query(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """A customer's token for this one order opens the stream, and nothing else."""
    order = await place(platform)
    query = {"access_token": order["streamToken"]}
    async with watching(hub.http(), order, **query) as source:
        assert "subscribed" == (await source.next())[1]["type"]
    for path in ("", "/events", "/payment"):
        answer = await hub.http().get(f"/v1/orders/{order['orderId']}{path}", params=query)
        assert 401 == answer.status_code


async def test_other_tokens_in_the_query(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """A token that could do more must not stand in an address."""
    order = await place(platform, customerId="cus_q")
    order_id = order["orderId"]
    others = [
        token(Role.PLATFORM),
        token(Role.CUSTOMER, sub="cus_q"),
        token(Role.CUSTOMER, orders=[order_id, "ord_2"]),
        token(Role.CUSTOMER, orders=[order_id], ttl=-60),
        token(Role.MERCHANT, restaurant="res_1"),
        "nonsense",
        "",
    ]
    for other in others:
        async with watching(hub.http(), order, access_token=other) as source:
            assert 401 == source.response.status_code


async def test_a_token_for_another_order(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """It opens no other stream."""
    order, other = await place(platform), await place(platform)
    async with watching(hub.http(), order, access_token=other["streamToken"]) as source:
        assert source.response.status_code in (401, 404)


async def test_an_unknown_order(platform: httpx2.AsyncClient) -> None:
    """404 before anything is streamed."""
    async with watching(platform, {"orderId": "ord_nothing"}) as source:
        assert 404 == source.response.status_code


async def test_draining(shared_store: EmbeddedStore, platform: httpx2.AsyncClient) -> None:
    """A hub that ends says so and ends the stream; the client resumes elsewhere."""
    order = await place(platform)
    context = hubs(shared_store)
    (hub,) = await context.__aenter__()
    bearer = {"Authorization": f"Bearer {token(Role.PLATFORM)}"}
    async with (  # not one of the hub's own clients, which are closed with it
        httpx2.AsyncClient(base_url=hub.url, headers=bearer) as client,
        watching(client, order) as source,
    ):
        name, _ = await source.next()
        leaving = asyncio.create_task(context.__aexit__(None, None, None))
        rest = await source.rest()
    await leaving
    assert ["draining"] == [message["code"] for _, message in rest]
    await advance(platform, order, "CANCELLED")
    async with watching(platform, order, name) as source:
        assert [2] == [event["seq"] for event in (await source.next())[1]["events"]]


async def test_a_client_that_leaves(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Its subscription goes with it."""
    order = await place(platform)
    async with watching(platform, order) as source:
        await source.next()
        assert order["orderId"] in hub.state.fanout._feeds
    await eventually(lambda: order["orderId"] not in hub.state.fanout._feeds)
    assert 0 == len(hub.state.event_streams)


async def test_clients_that_leave_at_once(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Whoever is gone before the answer begins leaves no subscription behind."""
    order = await place(platform)
    request = (
        f"GET /v1/orders/{order['orderId']}/stream HTTP/1.1\r\nHost: h\r\n"
        f"Authorization: Bearer {token(Role.PLATFORM)}\r\n\r\n"
    ).encode()
    for turns in range(12):
        _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(request)
        for _ in range(turns):  # at each stage of the request
            await asyncio.sleep(0)
        writer.transport.abort()
        await platform.get("/healthz")
    await eventually(lambda: order["orderId"] not in hub.state.fanout._feeds)
