"""How everything stands, and the orders under way, over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from hub.metrics import event_lag_counts
from hub.store.books import Books
from hub.store.bridges import Bridges
from hub.store.embedded import EmbeddedStore
from hub.store.index import OrderIndex
from hub.store.keys import order_keys
from hub.store.lanes import Lanes, News, Target
from hub.store.riders import RiderIndex
from hub.store.roster import Roster
from hub.tasks import end
from hub.worker.presence import Presence
from hub.worker.worker import Worker
from schemas.exceptions import ExceptionCode
from schemas.lifecycle import Role, Status
from schemas.orders import Order
from schemas.overview import Overview
from tests.hub.harness import (
    RunningHub,
    advance,
    assign,
    eventually,
    fits,
    fresh,
    hubs,
    move,
    on_delivery,
    place,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Everything is counted, so nobody else may be here."""
    store = EmbeddedStore(Path(tmp_path_factory.mktemp("s")))
    store.start()
    yield store
    store.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(own_store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(own_store, webhook_allow="127.0.0.0/8") as (hub,):
        yield hub


async def overview(hub: RunningHub, role: Role = Role.PLATFORM) -> dict[str, Any]:
    """As of now: nothing that was kept from before."""
    hub.state.overview._whole._kept = None
    hub.state.overview._webhooks._kept = None
    answer = await hub.http(role).get("/v1/overview")
    assert 200 == answer.status_code, answer.text
    view: dict[str, Any] = answer.json()
    fits(Overview, view)
    return view


async def counted(hub: RunningHub) -> tuple[dict[str, int], dict[str, int]]:
    orders = (await overview(hub))["orders"]
    return orders["live"], orders["entered"]


async def listed(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get("/v1/orders", params=query)
        assert 200 == answer.status_code, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            return items
        query["after"] = page["next"]


def ids(orders: list[dict[str, Any]]) -> list[str]:
    return [order["orderId"] for order in orders]


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: n - before[name] for name, n in after.items() if n != before[name]}


# Orders


async def test_every_status_is_counted_exactly(hub: RunningHub) -> None:
    """An order counts once, where it is; a finished one no more, but among those of the hour."""
    live, entered = await counted(hub)
    orders = [await place(hub.platform) for _ in range(4)]
    await advance(hub.platform, orders[0], "CONFIRMED", "PREPARING", "ON_DELIVERY", "RETURNING")
    await advance(hub.platform, orders[1], "CONFIRMED", "COMPLETED")
    await advance(hub.platform, orders[2], "CANCELLED")
    now, since = await counted(hub)
    assert {"PENDING": 1, "RETURNING": 1} == grown(live, now)
    assert {
        "PENDING": 4,
        "CONFIRMED": 2,
        "PREPARING": 1,
        "ON_DELIVERY": 1,
        "RETURNING": 1,
        "COMPLETED": 1,
        "CANCELLED": 1,
    } == grown(entered, since)
    await advance(hub.platform, orders[0], "RETURNED")
    await advance(hub.platform, orders[3], "CANCELLED")
    assert {} == grown(live, (await counted(hub))[0])


async def test_what_changes_no_status_changes_no_count(hub: RunningHub) -> None:
    """A repeated update, a rider, a flag, an exception."""
    order = await place(hub.platform)
    await advance(hub.platform, order, "CONFIRMED")
    before = await counted(hub)
    assert not (await move(hub.platform, order, "CONFIRMED")).json()["applied"]
    await assign(hub.platform, order, fresh("rid"))
    await hub.http(Role.MERCHANT, restaurant="res_1").post(f"/v1/orders/{order['orderId']}/ready")
    await report(hub, order, "DELIVERY_OVERDUE")
    assert before == await counted(hub)


async def test_many_at_once_are_counted_once_each(hub: RunningHub) -> None:
    """All want the same step of the same order: one gets it."""
    order = await place(hub.platform)
    live, entered = await counted(hub)
    await asyncio.gather(*(move(hub.platform, order, "CONFIRMED") for _ in range(8)))
    now, since = await counted(hub)
    assert {"PENDING": -1, "CONFIRMED": 1} == grown(live, now)
    assert {"CONFIRMED": 1} == grown(entered, since)


async def test_an_order_that_nobody_ended_is_struck_off(hub: RunningHub) -> None:
    """The store forgets it in its time, and so do the counts; one of its age that was changed
    since stays.
    """
    live, _ = await counted(hub)
    gone, kept = await place(hub.platform), await place(hub.platform)
    await report(hub, gone, "MERCHANT_TIMEOUT")
    await hub.state.connection.ask("DEL", order_keys(gone["orderId"]).order)
    index = OrderIndex(hub.state.connection, retention=1)
    assert 2 == (await index.census(time.time())).live["PENDING"] - live["PENDING"]
    assert 1 == (await index.census(time.time() + 10)).live["PENDING"] - live["PENDING"]
    keys = order_keys(gone["orderId"])
    named = await hub.state.connection.ask("ZRANGE", keys.exceptions, 0, -1)
    assert not [each for each in named if gone["orderId"].encode() in each]
    assert kept["orderId"] in ids(await listed(hub.platform, status="PENDING"))


async def test_a_tally_ends(hub: RunningHub) -> None:
    """It holds the last hour, and goes from the store."""
    order = await place(hub.platform)
    at = time.time()
    index: OrderIndex = hub.state.overview._index
    assert 0 < (await index.census(at)).entered["PENDING"]
    assert 0 < (await index.census(at + 3599)).entered["PENDING"]
    assert 0 == (await index.census(at + 3600 + 300)).entered["PENDING"]
    keys = order_keys(order["orderId"])
    left = await hub.state.connection.ask("TTL", keys.tally(int(at // 300)))
    assert 0 < left <= 7200


async def test_the_orders_under_way_in_pages(hub: RunningHub) -> None:
    """Newest first, each once, whatever the size of a page; by status, or all."""
    orders = [await place(hub.platform) for _ in range(7)]
    await advance(hub.platform, orders[2], "CONFIRMED")
    await advance(hub.platform, orders[5], "CANCELLED")
    wanted = [order["orderId"] for index, order in enumerate(orders) if index != 5][::-1]
    for size in (1, 3, 500):
        found = [each for each in ids(await listed(hub.platform, limit=size)) if each in wanted]
        assert wanted == found
        pending = ids(await listed(hub.platform, status="PENDING", limit=size))
        assert [each for each in wanted if each != orders[2]["orderId"]] == [
            each for each in pending if each in wanted
        ]
    (confirmed, *_) = await listed(hub.platform, status="CONFIRMED")
    fits(Order, confirmed)
    assert orders[2]["orderId"] == confirmed["orderId"]


async def test_an_order_is_found_by_its_numbers(hub: RunningHub) -> None:
    """By id and externalId also when it is finished, by its rider while it is under way."""
    number, rider = f"No. {fresh('x')} 新", fresh("rid")
    order = await on_delivery(hub.platform, rider, externalId=number)
    other = await on_delivery(hub.platform, rider)
    elsewhere = await place(hub.http(Role.PLATFORM, partner="other"), externalId=number)
    assert [order["orderId"]] == ids(await listed(hub.platform, q=order["orderId"]))
    assert [elsewhere["orderId"], order["orderId"]] == ids(await listed(hub.platform, q=number))
    assert [other["orderId"], order["orderId"]] == ids(await listed(hub.platform, q=f" {rider} "))
    assert [order["orderId"]] == ids(await listed(hub.platform, q=number, status="ON_DELIVERY"))
    await advance(hub.platform, order, "COMPLETED")
    assert [order["orderId"]] == ids(await listed(hub.platform, q=number, status="COMPLETED"))
    assert [other["orderId"]] == ids(await listed(hub.platform, q=rider))
    assert [] == await listed(hub.platform, q="nothing of the kind")
    assert [] == await listed(hub.platform, q=fresh("ord"))


async def test_orders_of_one_moment_are_on_one_page_each(hub: RunningHub) -> None:
    """Also where all of them are in one partition."""
    key, names = order_keys("one").live("RETURNING"), [f"ord_same_{each}" for each in "abcde"]
    for name in names:
        await hub.state.connection.ask("ZADD", key, 1000, name)
    index, found, after = OrderIndex(hub.state.connection, 60), [], None
    for _ in names:
        (after,) = await index.page([Status.RETURNING], after, 1)
        found.append(after.order_id)
    assert [] == await index.page([Status.RETURNING], after, 1)
    assert names[::-1] == found
    await hub.state.connection.ask("DEL", key)


async def test_a_former_riders_orders_are_not_theirs(hub: RunningHub) -> None:
    """The index of riders may name an order too many."""
    former, order = fresh("rid"), await on_delivery(hub.platform, fresh("rid"))
    await RiderIndex(hub.state.connection).add(former, order["orderId"])
    assert [] == await listed(hub.platform, q=former)


async def test_an_externalid_that_came_again_names_one_order(hub: RunningHub) -> None:
    number = fresh("x")
    first = await place(hub.platform, externalId=number)
    again = await hub.platform.post("/v1/orders", json={**BODY, "externalId": number})
    assert 409 == again.status_code
    assert [first["orderId"]] == ids(await listed(hub.platform, q=number))


BODY = {
    "restaurantId": "res_2",
    "items": [{"itemId": "i", "name": "n", "quantity": 1, "unitPriceCents": 1}],
    "address": {"text": "x", "lat": 31.0, "lng": 121.0},
    "paymentMethod": "CASH",
}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=COMPLETED", "#/status"),
        ("status=nothing", "#/status"),
        ("q=x&status=nothing", "#/status"),
        ("after=x", "#/after"),
        ("limit=0", "#/limit"),
        (f"q={'x' * 65}", "#/q"),
    ],
)
async def test_a_bad_list(hub: RunningHub, query: str, pointer: str) -> None:
    answer = await hub.platform.get(f"/v1/orders?{query}")
    assert (422, pointer) == (answer.status_code, answer.json()["errors"][0]["pointer"])


# Exceptions


async def report(hub: RunningHub, order: dict[str, Any], code: str) -> dict[str, Any]:
    path = f"/v1/orders/{order['orderId']}/exceptions"
    answer = await hub.platform.post(path, json={"code": code})
    assert 201 == answer.status_code, answer.text
    raised: dict[str, Any] = answer.json()
    return raised


async def test_open_exceptions_are_counted_by_code(hub: RunningHub) -> None:
    before = (await overview(hub))["exceptions"]
    raised = await report(hub, await place(hub.platform), "MERCHANT_TIMEOUT")
    await report(hub, await place(hub.platform), "MERCHANT_TIMEOUT")
    await report(hub, await place(hub.platform), "DELIVERY_OVERDUE")
    await report(hub, await place(hub.platform), "MERCHANT_REJECTED")  # is over at once
    then = (await overview(hub))["exceptions"]
    assert 3 == then["open"] - before["open"]
    codes = {code.value: 0 for code in ExceptionCode}
    assert {"MERCHANT_TIMEOUT": 2, "DELIVERY_OVERDUE": 1} == grown(
        codes | before["byCode"], codes | then["byCode"]
    )
    page = (await hub.platform.get("/v1/exceptions")).json()["items"]
    assert (then["open"], then["oldestAt"]) == (len(page), page[0]["openedAt"])
    path = f"/v1/orders/{raised['orderId']}/exceptions/{raised['exceptionId']}/resolve"
    assert 200 == (await hub.platform.post(path, json={"resolution": "resolved"})).status_code
    assert 2 == (await overview(hub))["exceptions"]["open"] - before["open"]


# Webhooks


def news(order_id: str, partner: str, *targets: Target) -> News:
    return News(
        order_id, "abcdefgh", 1, partner, "https://a.example", b'{"eventType":"x"}', targets
    )


async def test_every_endpoint_is_named_with_what_waits(hub: RunningHub) -> None:
    """Of all partners, worst first, without what a URL may keep secret; callbacks together."""
    partner, other = fresh("p"), fresh("p")
    made = []
    for each in (partner, other):
        client = hub.http(Role.PARTNER, partner=each)
        body = {"url": "https://127.0.0.1:9/hook?key=secret"}
        made.append((await client.post("/v1/endpoints", json=body)).json()["endpointId"])
    lanes, order = Lanes(hub.state.connection), fresh("ord")
    await lanes.add(
        news(
            order,
            partner,
            Target(made[1], made[1]),
            Target(made[0], made[0], held=True),
            Target("changes", "https://a.example|abc"),
        )
    )
    webhooks = (await overview(hub))["webhooks"]
    rows = {row["endpointId"]: row for row in webhooks["endpoints"]}
    assert made[1] == webhooks["endpoints"][0]["endpointId"]
    assert ("https://127.0.0.1:9", other, "enabled") == tuple(
        rows[made[1]][name] for name in ("origin", "partner", "state")
    )
    assert (1, 0) == (rows[made[1]]["waiting"], rows[made[1]]["held"])
    assert (0, 1) == (rows[made[0]]["waiting"], rows[made[0]]["held"])
    assert {"waiting": 1, "retrying": 0, "dead": 0, "held": 0} == webhooks["callbacks"]
    assert webhooks["registered"] == len(webhooks["endpoints"]) == 2
    _, standings = await Books(hub.state.connection).standings([made[1]], time.time() - 60)
    assert 1 == standings[made[1]].retrying  # due later than a minute ago


# Who lives


async def test_the_processes_that_live(hub: RunningHub, own_store: EmbeddedStore) -> None:
    """Hubs with their sockets and lag, bridges and workers; the dead are gone."""
    workers, bridges = Roster(hub.state.connection, "worker"), Bridges(hub.state.connection)
    await workers.sign_in("silent", {}, time.time() - 16)
    await bridges.beat("bridge-1", 4)
    running = asyncio.create_task(Worker([Presence(workers, "worker-1")]).run())
    async with hub.stream() as wire, hubs(own_store) as (second,):
        order = await place(hub.platform)
        await wire.subscribe(order["orderId"])
        await advance(hub.platform, order, "CONFIRMED")
        await wire.events(1)

        async def signed_in() -> Any:
            about = {
                "eventLag": hub.state.lag.after(event_lag_counts()).view(),
                "address": hub.state.address,
                "sockets": 1,
                "feeds": 1,
            }
            await hub.state.roster.sign_in(hub.state.hub_id, about, time.time())
            view = await overview(second, Role.OPS)
            return view if view["workers"] and len(view["hubs"]) == 2 else None

        view = await eventually(signed_in)
    await end([running])
    assert ["worker-1"] == [each["worker"] for each in view["workers"]]
    assert [{"bridge": "bridge-1"}] == view["bridges"]
    ours = next(each for each in view["hubs"] if each["hub"] == hub.state.hub_id)
    assert 1 <= ours["eventLag"]["events"]
    assert 0 <= ours["eventLag"]["p50Ms"] <= ours["eventLag"]["p99Ms"]
    gone = await overview(hub)
    assert [hub.state.hub_id] == [each["hub"] for each in gone["hubs"]]


async def test_many_who_ask_cost_one_count(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted is told again for a second."""
    asked = 0
    count = OrderIndex.census

    async def counting(index: OrderIndex, now: float) -> Any:
        nonlocal asked
        asked += 1
        return await count(index, now)

    await overview(hub)
    monkeypatch.setattr(OrderIndex, "census", counting)
    hub.state.overview._whole._kept = None
    answers = await asyncio.gather(*(hub.platform.get("/v1/overview") for _ in range(10)))
    assert 1 == asked
    assert 1 == len({answer.text for answer in answers})
    assert "private, no-cache" == answers[0].headers["Cache-Control"]
