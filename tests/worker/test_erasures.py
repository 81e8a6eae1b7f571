"""Erasing a customer's data: from everything that the store and the warehouse have."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from hub.bridge.log import LogReader
from hub.core.privacy.erasure import erased_event, erased_payload
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.services.customers import Customers
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.endpoints import EndpointStore
from hub.store.feed import FeedStore
from hub.store.keys import PARTITIONS, order_keys, partition_of
from hub.store.lanes import Lanes, Room, Settlement, State
from hub.store.log import Log
from hub.store.orders import OrderStore
from hub.store.remains import Remains
from hub.worker import warehouse as warehouse_module
from hub.worker.sources import sources
from hub.worker.warehouse import Warehouse
from schemas.customers import Erasure
from schemas.lifecycle import Role
from schemas.orders import EventList, Order
from schemas.wire import dumps
from tests.hub.harness import (
    SECRET,
    RunningHub,
    advance,
    fits,
    hubs,
    move,
    order_body,
    place,
)
from tests.worker.test_warehouse import rows

CUSTOMER: Final = "cus_secret"
PERSONAL: Final = (CUSTOMER, "Secret Lane", "+86 1", "31.23971", "changed my mind")
ADDRESS: Final = {"text": "7 Secret Lane", "lat": 31.23971, "lng": 121.49983, "contact": "+86 1"}
DATA: Final = f"/v1/customers/{CUSTOMER}/data"
NAMES: Final = Pseudonyms(SECRET)
KEY: Final = {"Idempotency-Key": "once"}
ALL: Final = frozenset(range(PARTITIONS))


@pytest.fixture
async def hub(store: EmbeddedStore, tmp_path: Path) -> AsyncIterator[RunningHub]:
    settings = {"warehouse": str(tmp_path), "webhook_allow": "127.0.0.0/8"}
    async with hubs(store, **settings) as (hub,):
        yield hub


class Bridge:
    """The steps of one, made by hand."""

    def __init__(self, connection: Connection) -> None:
        self.lanes = Lanes(connection)
        self._reader = LogReader(
            connection, self.lanes, EndpointStore(connection), FeedStore(connection)
        )

    async def read(self) -> None:
        await self._reader.expand(await self._reader.read(ALL, 0.01), lambda _: None)

    async def deliver(self, order_id: str) -> None:
        room, partition = Room(total=9, queue=9, origin=9, named={}), partition_of(order_id)
        while claims := (await self.lanes.claim(partition, 60.0, room)).items:
            for claim in claims:
                await self.lanes.settle(claim, Settlement(State.DELIVERED, {"status": 202}))

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
async def bridge(connection: Connection) -> AsyncIterator[Bridge]:
    bridge = Bridge(connection)
    yield bridge
    bridge.close()


async def audited(connection: Connection) -> None:
    """The audit has read all."""
    bridge = await Log(connection, "bridge").cursors(ALL)
    await Log(connection, "audit").keep({each: at for each, at in bridge.items() if at})


async def cancelled(hub: RunningHub) -> dict[str, Any]:
    """An order with all that is personal, which its customer has cancelled."""
    url = f"http://127.0.0.1:1/{CUSTOMER}"
    body = order_body(customerId=CUSTOMER, address=ADDRESS, notificationUrl=url)
    order = (await hub.platform.post("/v1/orders", json=body, headers=KEY)).json()
    mine = hub.http(Role.CUSTOMER, sub=CUSTOMER)
    assert 200 == (await move(mine, order, "CANCELLED", reason="I changed my mind")).status_code
    return dict(order)


async def everything(connection: Connection) -> str:
    """All that the store holds, but that this customer was erased."""
    client, told = connection.client, []
    async for key in client.scan_iter():
        if key.endswith(b":erased"):
            continue
        kind = (await client.type(key)).decode()
        reads = {
            "string": lambda k: client.get(k),
            "hash": lambda k: client.hgetall(k),
            "list": lambda k: client.lrange(k, 0, -1),
            "set": lambda k: client.smembers(k),
            "zset": lambda k: client.zrange(k, 0, -1),
            "stream": lambda k: client.xrange(k),
        }
        told.append((key, await reads[kind](key)))
    return repr(told)


def found(text: str) -> list[str]:
    return [each for each in PERSONAL if each in text]


async def test_nothing_personal_is_left_in_the_store(
    hub: RunningHub, connection: Connection, bridge: Bridge
) -> None:
    """Order, events, webhooks, kept answers, log: what others still need goes when they have it."""
    customers: Customers = hub.state.customers
    order = await cancelled(hub)
    before = (await hub.platform.get(f"/v1/orders/{order['orderId']}/events")).json()["events"]
    assert list(PERSONAL) == found(await everything(connection))

    answer = await hub.platform.delete(DATA)
    assert 202 == answer.status_code
    assert ("pending", 1) == (answer.json()["state"], answer.json()["orders"])
    assert ["worker"] == await waiting(hub)
    await customers.work()
    assert CUSTOMER in await everything(connection)  # the log is not read, the webhook not sent
    assert ["log"] == await waiting(hub)
    await bridge.read()
    await customers.work()
    assert ["log", "webhooks"] == await waiting(hub)
    await audited(connection)
    await customers.work()
    assert [CUSTOMER] == found(await everything(connection))  # the URL of the webhook that waits
    assert ["webhooks"] == await waiting(hub)
    await bridge.deliver(order["orderId"])
    await customers.work()
    assert ["warehouse"] == await waiting(hub)
    await _written(hub)
    assert [] == await waiting(hub)
    assert [] == found(await everything(connection))

    shown = fits(Order, (await hub.platform.get(f"/v1/orders/{order['orderId']}")).json())
    assert shown.erased
    assert ("erased", 31.2, 121.5, None) == (
        shown.address.text,
        shown.address.lat,
        shown.address.lng,
        shown.address.contact,
    )
    told = (await hub.platform.get(f"/v1/orders/{order['orderId']}/events")).json()
    assert [None, True] == [each.erased for each in fits(EventList, told).events]
    chain = [(each["seq"], each["prevHash"], each["hash"]) for each in before]
    assert chain == [(each["seq"], each["prevHash"], each["hash"]) for each in told["events"]]
    assert before[0] == told["events"][0]


async def waiting(hub: RunningHub) -> list[str]:
    """What the erasure is said to wait for."""
    return [str(each) for each in fits(Erasure, (await hub.platform.get(DATA)).json()).waiting_for]


async def _written(hub: RunningHub) -> None:
    """As if there were no warehouse to erase from."""
    (job,) = await hub.state.customers._erasures.pending()
    assert job.stored
    await hub.state.customers._erasures.note(job, 5.0, written=True)


async def test_the_first_answer_again_is_erased_too(
    hub: RunningHub, connection: Connection, bridge: Bridge
) -> None:
    """The same key makes no second order."""
    order = await cancelled(hub)
    await hub.platform.delete(DATA)
    await bridge.read()
    await audited(connection)
    await bridge.deliver(order["orderId"])
    await hub.state.customers.work()
    url = f"http://127.0.0.1:1/{CUSTOMER}"
    body = order_body(customerId=CUSTOMER, address=ADDRESS, notificationUrl=url)
    again = await hub.platform.post("/v1/orders", json=body, headers=KEY)
    assert (201, "true") == (again.status_code, again.headers["Idempotent-Replayed"])
    assert (order["orderId"], "erased") == (
        again.json()["orderId"],
        again.json()["address"]["text"],
    )


async def test_rows_of_the_warehouse_are_erased(
    hub: RunningHub,
    connection: Connection,
    bridge: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of orders that the store no longer has; other customers' stay."""
    monkeypatch.setattr(warehouse_module, "_UNDER_WAY", 0.0)
    filled = sources(OrderStore(connection, 3600), NAMES)
    filling = Warehouse(str(tmp_path), connection, filled, NAMES, interval=0.0)
    old, order = await cancelled(hub), await place(hub.platform, customerId="cus_other")
    await advance(hub.platform, order, "CONFIRMED", "CANCELLED")
    assert hub.state.logbook is not None
    await hub.state.logbook.write()
    await filling.step()
    await connection.client.flushall()
    other, mine = (NAMES.of(Role.CUSTOMER, each) for each in ("cus_other", CUSTOMER))
    assert {mine, other} == {each["customer"] for each in rows(tmp_path, "orders")}

    await hub.platform.delete(DATA)
    await filling.step()
    assert "pending" == (await hub.platform.get(DATA)).json()["state"]
    await hub.state.customers.work()
    await filling.step()
    done = fits(Erasure, (await hub.platform.get(DATA)).json())
    assert ("done", 0, 3) == (done.state, done.orders, done.rows)
    left = {each["order_id"]: each for each in rows(tmp_path, "orders")}
    assert [None] * 4 == [
        left[old["orderId"]][name] for name in ("customer", "reason", "address_lat", "address_lng")
    ]
    assert (other, "test") == tuple(left[order["orderId"]][each] for each in ("customer", "reason"))
    events = [each for each in rows(tmp_path, "events") if each["order_id"] == old["orderId"]]
    assert [(None, None)] == [
        (each["actor"], each["reason"]) for each in events if each["actor_role"] == "customer"
    ]
    assert mine not in repr(rows(tmp_path, "operations"))


async def test_one_that_was_asked_for_before_an_upgrade_goes_on(
    hub: RunningHub, connection: Connection
) -> None:
    """By a version that did not say what is waited for."""
    job = {"customer_id": CUSTOMER, "requested": 5.0, "orders": [], "stored": False}
    job |= {"written": True, "events": 0, "rows": 0, "done": None}
    await connection.ask("HSET", "oc:erasures", CUSTOMER, dumps(job))
    assert ["worker"] == await waiting(hub)
    await hub.state.customers.work()
    assert [] == await waiting(hub)


async def test_an_order_under_way_stands_in_the_way(hub: RunningHub) -> None:
    """409 with its id, until it is finished; nothing is noted."""
    order = await place(hub.platform, customerId=CUSTOMER)
    refused = await hub.platform.delete(DATA)
    assert (409, [order["orderId"]]) == (refused.status_code, refused.json()["orders"])
    assert 404 == (await hub.platform.get(DATA)).status_code
    await advance(hub.platform, order, "CANCELLED")
    assert 202 == (await hub.platform.delete(DATA)).status_code


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLATFORM])
async def test_only_the_platform_may(hub: RunningHub, role: Role) -> None:
    """403 for all others."""
    claims = {"restaurant": "res_1", "sub": CUSTOMER, "partner": "acme"}
    client: httpx2.AsyncClient = hub.http(role, **claims)
    assert 403 == (await client.delete(DATA)).status_code
    assert 403 == (await client.get(DATA)).status_code


async def test_an_id_that_is_none_is_refused(hub: RunningHub) -> None:
    """The field is named."""
    answer = await hub.platform.delete("/v1/customers/a%20b/data")
    assert (422, "#/customerId") == (answer.status_code, answer.json()["errors"][0]["pointer"])


async def test_a_worker_that_dies_goes_on_where_it_was(
    hub: RunningHub, connection: Connection, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any of its steps; the counts are those of one that did not."""
    orders = [await cancelled(hub)]
    for _ in range(2):
        order = await place(hub.platform, customerId=CUSTOMER)
        mine = hub.http(Role.CUSTOMER, sub=CUSTOMER)
        await move(mine, order, "CANCELLED", reason="I changed my mind")
        orders.append(order)
    await hub.platform.delete(DATA)
    await bridge.read()
    await audited(connection)
    for order in orders:
        await bridge.deliver(order["orderId"])
    for name in ("replace", "rewrite_answers", "rewrite_webhooks", "drop_entries"):
        with monkeypatch.context() as patched:
            patched.setattr(Remains, name, _dying(getattr(Remains, name)))
            with pytest.raises(ConnectionAbortedError):
                await hub.state.customers.work()
    await hub.state.customers.work()
    await _written(hub)
    done = fits(Erasure, (await hub.platform.get(DATA)).json())
    assert ("done", 3, 3) == (done.state, done.orders, done.events)
    assert [] == found(await everything(connection))


def _dying(method: Any) -> Any:
    async def done_and_dead(*arguments: Any) -> None:
        await method(*arguments)
        raise ConnectionAbortedError

    return done_and_dead


async def test_keys_keep_their_time_to_live(
    hub: RunningHub, connection: Connection, bridge: Bridge
) -> None:
    """An erased order is kept no longer than it would have been."""
    order = await cancelled(hub)
    keys = order_keys(order["orderId"])
    await hub.platform.delete(DATA)
    await hub.state.customers.work()
    for key in (keys.order, keys.events):
        assert 0 < await connection.ask("TTL", key) <= 7 * 86400


def test_an_event_without_anything_personal_stays_as_it_is() -> None:
    """So its hash does still hold."""
    event = {"seq": 1, "actor": {"role": "platform", "sub": "ops"}, "hash": "h"}
    assert event == erased_event(event)
    personal = {**event, "exception": {"code": "UNDELIVERABLE", "detail": "not at home"}}
    assert {**event, "exception": {"code": "UNDELIVERABLE"}, "erased": True} == erased_event(
        personal
    )
    assert erased_event(personal) == erased_event(erased_event(personal))


def test_a_payload_loses_reason_and_detail() -> None:
    """And nothing else; of an event about an endpoint it is the partner's own."""
    payload = b'{"eventType":"order.cancelled","payload":{"orderId":"o","reason":"mine"},"seq":2}'
    assert {"eventType": "order.cancelled", "payload": {"orderId": "o"}, "seq": 2} == json.loads(
        erased_payload(payload)
    )
    raised = b'{"exception":{"code":"ITEM_SOLD_OUT","detail":"mine"},"payload":{"orderId":"o"}}'
    told = {"exception": {"code": "ITEM_SOLD_OUT"}, "payload": {"orderId": "o"}}
    assert told == json.loads(erased_payload(raised))
    nothing = b'{"payload":{"orderId":"o"}}'
    assert nothing is erased_payload(nothing)
