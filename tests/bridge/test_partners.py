"""What a partner sees and does: deliveries, tests, replays, recovery, the feed, being switched off.

A hub and a bridge on one store, both as they run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from aiohttp import web

from hub.bridge.attempts import Pace
from hub.bridge.bridge import Bridge
from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role
from schemas.webhooks import DeliveryDetail, EndpointBody, RegisteredBody
from tests.bridge.rig import Receiver, running, seqs
from tests.hub.harness import RunningHub, advance, eventually, fresh, hubs, place

MakeBridge = Callable[..., Bridge]
MakeReceiver = Callable[[], Awaitable[Receiver]]
STEPS = ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")


@pytest.fixture
async def town(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store, webhook_allow=("127.0.0.0/8",)) as (hub,):
        yield hub


class Partner:
    """One partner's API, and the platform that places its orders."""

    def __init__(self, hub: RunningHub, name: str) -> None:
        self.api = hub.http(Role.PARTNER, partner=name)
        self.platform = hub.http(Role.PLATFORM, partner=name)

    async def endpoint(self, url: str, **more: Any) -> dict[str, Any]:
        response = await self.api.post("/v1/endpoints", json={"url": url, **more})
        assert 201 == response.status_code, response.text
        made: dict[str, Any] = response.json()
        return made

    async def order(self, *steps: str, **changes: Any) -> str:
        order = await place(self.platform, **changes)
        await advance(self.platform, order, *steps)
        return str(order["orderId"])

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        response = await self.api.get(path, params=query)
        assert 200 == response.status_code, response.text
        shown: dict[str, Any] = response.json()
        return shown

    async def post(self, path: str, status: int, body: Any = None) -> dict[str, Any]:
        response = await self.api.post(path, json=body)
        assert status == response.status_code, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        """All pages, two at a time."""
        found: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            page = await self.get("/v1/deliveries", limit=2, **query, **after)
            found += page["items"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    async def states(self, number: int, *states: str) -> list[dict[str, Any]]:
        """All deliveries, once so many are in one of these states."""
        found: list[dict[str, Any]] = []

        async def enough() -> bool:
            found[:] = await self.deliveries()
            return sum(each["state"] in states for each in found) >= number

        await eventually(enough)
        return found


@pytest.fixture
def partner(town: RunningHub) -> Partner:
    return Partner(town, fresh("partner"))


async def answer(status: int) -> web.Response:
    return web.Response(status=status)


async def test_deliveries(partner: Partner, receiver: Receiver, make_bridge: MakeBridge) -> None:
    """Every delivery is listed by order, endpoint and state, and shown with every attempt."""

    async def fail_once(request: web.Request) -> web.Response:
        return web.Response(status=500 if request.headers["ordercast-attempt"] == "1" else 202)

    receiver.respond = fail_once
    endpoint = await partner.endpoint(f"{receiver.url}/all")
    url = f"{receiver.url}/orders"
    async with running(make_bridge()):
        one = await partner.order("CONFIRMED", notificationUrl=url)
        await partner.states(4, "delivered")
        two = await partner.order("CONFIRMED")
        found = await partner.states(6, "delivered")
    assert [each["orderId"] for each in found] == [two] * 2 + [one] * 4
    assert await partner.deliveries(orderId=one) == found[2:]
    assert await partner.deliveries(state="delivered") == found
    assert await partner.deliveries(state="pending") == []
    mine = await partner.deliveries(endpoint=endpoint["endpointId"])
    assert [(each["orderId"], each["seq"]) for each in mine] == [
        (two, 1),
        (two, 2),
        (one, 1),
        (one, 2),
    ]
    callbacks = {each["callback"]: each["url"] for each in found if "callback" in each}
    assert callbacks == {"onOrderConfirmed": f"{url}/order-status", "onStatusChange": url}
    for each in found:
        detail = await partner.get(f"/v1/deliveries/{each['deliveryId']}")
        DeliveryDetail.read(detail)
        assert [attempt["status"] for attempt in detail["attempts"]] == [500, 202]
        sent = [call for call in receiver.calls if call.webhook_id == each["deliveryId"]]
        assert len(sent) == each["attemptCount"] == 2


async def test_what_waits_says_when(partner: Partner, make_bridge: MakeBridge) -> None:
    """Before any bridge has come by nothing is listed; then the next attempt has its time."""
    await partner.endpoint("http://127.0.0.1:9/dead")
    order_id = await partner.order("CONFIRMED")
    assert await partner.deliveries() == []
    async with running(make_bridge(pace=Pace(scale=1.0, chance=lambda: 1.0))):
        await eventually(lambda: partner.deliveries(orderId=order_id))

        async def tried() -> bool:
            found = await partner.deliveries(state="pending")
            return len(found) == 2 and found[0]["attemptCount"] > 0

        await eventually(tried)
        first = (await partner.deliveries())[0]
        assert first["nextAttemptAt"] > first["firstAttemptAt"]
        detail = await partner.get(f"/v1/deliveries/{first['deliveryId']}")
        assert "connect" in detail["attempts"][0]["error"]


async def test_of_others(town: RunningHub, partner: Partner, make_bridge: MakeBridge) -> None:
    """Another partner sees, and can do, nothing with it; other roles may not ask."""
    other = Partner(town, fresh("partner"))
    endpoint = await partner.endpoint("http://127.0.0.1:9/dead")
    async with running(make_bridge()):
        await partner.order()
        (mine,) = await partner.states(1, "pending")
    path = f"/v1/deliveries/{mine['deliveryId']}"
    assert 404 == (await other.api.get(path)).status_code
    assert 404 == (await other.api.post(f"{path}/replay")).status_code
    for action in ("test", "rotate"):
        name = f"/v1/endpoints/{endpoint['endpointId']}/{action}"
        assert 404 == (await other.api.post(name)).status_code
    assert await other.deliveries() == []
    assert await other.deliveries(orderId=mine["orderId"]) == []
    assert (await other.get("/v1/feed"))["items"] == []
    for each in ("/v1/deliveries", "/v1/feed", path):
        assert 403 == (await town.platform.get(each)).status_code
        assert 401 == (await town.http().get(each)).status_code


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/deliveries?state=lost", "#/state"),
        ("/v1/deliveries?after=1", "#/after"),
        ("/v1/deliveries?after=9.a%20b", "#/after"),
        ("/v1/deliveries?limit=0", "#/limit"),
        ("/v1/endpoints?after=abc", "#/after"),
        ("/v1/feed?after=abc", "#/after"),
        ("/v1/feed?limit=501", "#/limit"),
    ],
)
async def test_bad_questions(partner: Partner, path: str, pointer: str) -> None:
    """A problem names what is wrong."""
    response = await partner.api.get(path)
    assert 422 == response.status_code
    assert pointer == response.json()["errors"][0]["pointer"]


@pytest.mark.parametrize("name", ["msg_1", "ord_1", "msg_ord_1_abcdefgh_1_changes", "%00", "a|b"])
async def test_unknown_deliveries(partner: Partner, name: str) -> None:
    assert 404 == (await partner.api.get(f"/v1/deliveries/{name}")).status_code
    assert 404 == (await partner.api.post(f"/v1/deliveries/{name}/replay")).status_code


async def test_a_test(partner: Partner, receiver: Receiver, make_bridge: MakeBridge) -> None:
    """It comes whatever the filter, signed, and is listed like any other."""
    endpoint = await partner.endpoint(receiver.url, eventTypes=["order.completed"])
    async with running(make_bridge()):
        made = await partner.post(f"/v1/endpoints/{endpoint['endpointId']}/test", 202)
        await receiver.count(1)
        await partner.states(1, "delivered")
    call = receiver.calls[0]
    assert call.webhook_id == made["deliveryId"]
    assert (call.body["eventType"], call.body["seq"]) == ("endpoint.test", 1)
    RegisteredBody.read(call.body)
    await partner.api.patch(f"/v1/endpoints/{endpoint['endpointId']}", json={"state": "disabled"})
    await partner.post(f"/v1/endpoints/{endpoint['endpointId']}/test", 409)
    await partner.post("/v1/endpoints/ep_0/test", 404)


async def test_replay(partner: Partner, receiver: Receiver, make_bridge: MakeBridge) -> None:
    """The same id and body again, its attempts from one."""
    await partner.endpoint(receiver.url)
    async with running(make_bridge()):
        await partner.order("CONFIRMED")
        found = await partner.states(2, "delivered")
        again = await partner.post(f"/v1/deliveries/{found[0]['deliveryId']}/replay", 202)
        assert again["state"] in ("pending", "delivered")
        await receiver.count(3)
        await partner.states(2, "delivered")
    assert seqs(receiver.calls) == [1, 2, 1]
    first, _, last = receiver.calls
    assert (first.webhook_id, first.raw) == (last.webhook_id, last.raw)
    assert last.headers["ordercast-attempt"] == "1"
    detail = await partner.get(f"/v1/deliveries/{last.webhook_id}")
    assert [each["attempt"] for each in detail["attempts"]] == [1, 2]


async def test_held_and_recovered(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """What comes while an endpoint is off is held, and goes out in order when it is recovered."""
    endpoint = await partner.endpoint(receiver.url)
    path = f"/v1/endpoints/{endpoint['endpointId']}"
    since = {"since": "2026-01-01T00:00:00Z"}
    async with running(make_bridge()):
        await partner.api.patch(path, json={"state": "disabled"})
        order_id = await partner.order("CONFIRMED", "PREPARING")
        await partner.states(3, "held")
        held = await partner.deliveries(state="held", endpoint=endpoint["endpointId"])
        assert sorted(each["seq"] for each in held) == [1, 2, 3]
        await partner.post(f"{path}/recover", 409, since)
        await partner.post(f"/v1/deliveries/{held[0]['deliveryId']}/replay", 409)
        await partner.api.patch(path, json={"state": "enabled"})
        assert {"recovered": 0} == await partner.post(
            f"{path}/recover", 202, {"since": "2099-01-01T00:00:00Z"}
        )
        assert {"recovered": 3} == await partner.post(f"{path}/recover", 202, since)
        await receiver.count(3)
        await partner.states(3, "delivered")
        await partner.order("CONFIRMED")
        await receiver.count(5)
    assert seqs([call for call in receiver.calls if call.body["orderId"] == order_id]) == [1, 2, 3]
    assert {"recovered": 0} == await partner.post(f"{path}/recover", 202, since)
    await partner.post(f"{path}/recover", 422, {"since": "yesterday"})


async def test_a_callback_that_was_gone_is_replayed(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """A replay switches the order's callbacks on again."""
    receiver.respond = lambda request: answer(410)
    url = f"{receiver.url}/orders"
    async with running(make_bridge()):
        order = await place(partner.platform, notificationUrl=url)
        await advance(partner.platform, order, "CONFIRMED")
        held = await partner.states(2, "held")
        receiver.respond = lambda request: answer(200)
        for each in held:
            await partner.post(f"/v1/deliveries/{each['deliveryId']}/replay", 202)
        await partner.states(2, "delivered")
        await advance(partner.platform, order, "PREPARING")
        await partner.states(3, "delivered")


async def test_latest(partner: Partner, receiver: Receiver, make_bridge: MakeBridge) -> None:
    """The newest goes, and names the ones it stands for."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hang_first(request: web.Request) -> web.Response:
        if not reached.is_set():
            reached.set()
            await go_on.wait()
        return web.Response()

    receiver.respond = hang_first
    await partner.endpoint(receiver.url, mode="latest")
    async with running(make_bridge()):
        order = await place(partner.platform)
        await reached.wait()
        await advance(partner.platform, order, *STEPS)

        async def all_wait() -> bool:
            return len(await partner.deliveries(state="pending")) == 5

        await eventually(all_wait)
        go_on.set()
        await receiver.count(2)
        found = await partner.states(5, "delivered", "superseded")
    assert seqs(receiver.calls) == [1, 5]
    assert "supersedes" not in receiver.calls[0].body
    assert receiver.calls[1].body["supersedes"] == [2, 3, 4]
    assert [each["state"] for each in found] == ["delivered", *["superseded"] * 3, "delivered"]


async def test_lists_lose_nothing(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """Pages of one show all that one page does, also of what came in the same millisecond."""
    endpoint = await partner.endpoint(receiver.url)
    path = f"/v1/endpoints/{endpoint['endpointId']}"
    await partner.api.patch(path, json={"state": "disabled"})
    orders = [await partner.order("CONFIRMED", "PREPARING") for _ in range(6)]
    async with running(make_bridge()):
        await partner.states(18, "held")
    for query in ({}, {"state": "held"}, {"state": "held", "endpoint": endpoint["endpointId"]}):
        whole = (await partner.get("/v1/deliveries", limit=500, **query))["items"]
        assert len(whole) == 18
        for limit in (1, 4):
            paged: list[dict[str, Any]] = []
            after: dict[str, Any] = {}
            while True:
                page = await partner.get("/v1/deliveries", limit=limit, **query, **after)
                assert len(page["items"]) <= limit
                paged += page["items"]
                if page["next"] is None:
                    break
                after = {"after": page["next"]}
            assert paged == whole
    assert {each["orderId"] for each in whole} == set(orders)


async def test_a_change_of_mind(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """What waits follows the mode that the endpoint has when it goes, and so does a recovery."""
    receiver.respond = lambda request: answer(500)
    endpoint = await partner.endpoint(receiver.url, mode="latest")
    path = f"/v1/endpoints/{endpoint['endpointId']}"
    async with running(make_bridge()):
        await partner.order(*STEPS)
        await partner.states(5, "pending")
        await partner.api.patch(path, json={"mode": "all"})
        receiver.respond = lambda request: answer(200)
        await partner.states(5, "delivered")
        await partner.api.patch(path, json={"mode": "latest", "state": "disabled"})
        await partner.order(*STEPS)
        await partner.states(5, "held")
        await partner.api.patch(path, json={"state": "enabled"})
        await partner.post(f"{path}/recover", 202, {"since": "2026-01-01T00:00:00Z"})
        found = await partner.states(10, "delivered", "superseded")
    assert sorted(each["state"] for each in found) == ["delivered"] * 6 + ["superseded"] * 4
    assert receiver.calls[-1].body["supersedes"] == [1, 2, 3, 4]


async def test_gone_says_the_old_url(
    partner: Partner, receive: MakeReceiver, make_bridge: MakeBridge
) -> None:
    """A late 410 of the URL that an endpoint had switches nothing off."""
    old, new = await receive(), await receive()
    moved = asyncio.Event()

    async def gone(request: web.Request) -> web.Response:
        await moved.wait()
        return web.Response(status=410)

    old.respond = gone
    endpoint = await partner.endpoint(old.url)
    path = f"/v1/endpoints/{endpoint['endpointId']}"
    async with running(make_bridge()):
        await partner.order()
        await old.count(1)
        await partner.api.patch(path, json={"url": new.url})
        moved.set()
        await new.count(1)
        assert (await partner.get(path))["state"] == "enabled"


async def test_dead_behind_a_circuit(partner: Partner, make_bridge: MakeBridge) -> None:
    """What waits for an origin that is left alone has its day, too."""
    async with running(make_bridge(pace=Pace(scale=0.000_01))):
        for number in range(4):
            await partner.order("CONFIRMED", notificationUrl=f"http://127.0.0.1:9/{number}")
        found = await partner.states(8, "dead")
        detail = await partner.get(f"/v1/deliveries/{found[0]['deliveryId']}")
    reasons = {each["error"] for each in detail["attempts"]}
    assert reasons <= {
        "could not connect: nothing listens at the port",
        "not sent: the host was not reached of late",
    }


async def test_a_replay_goes_at_once(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """Also where the lane waits for a retry that is an hour off."""

    async def later(request: web.Request) -> web.Response:
        if (await request.json())["seq"] == 1:
            return web.Response()
        return web.Response(status=503, headers={"retry-after": "3600"})

    receiver.respond = later
    await partner.endpoint(receiver.url)
    async with running(make_bridge(pace=Pace())):
        order_id = await partner.order("CONFIRMED")
        await receiver.count(2)

        async def waits() -> bool:
            found = await partner.deliveries(state="pending")
            return bool(found) and found[0]["attemptCount"] == 1 and "nextAttemptAt" in found[0]

        await eventually(waits)
        (first,) = [x for x in await partner.deliveries(orderId=order_id) if x["seq"] == 1]
        await partner.post(f"/v1/deliveries/{first['deliveryId']}/replay", 202)
        await receiver.count(3)
    assert seqs(receiver.calls)[:3] == [1, 2, 1]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": None}, "#/url"),
        ({"mode": None}, "#/mode"),
        ({"eventTypes": ["order.created", "nope"]}, "#/eventTypes/1"),
        ({"eventTypes": [1]}, "#/eventTypes/0"),
        ({"more": 1}, "#/more"),
    ],
)
async def test_bad_changes(partner: Partner, change: dict[str, Any], pointer: str) -> None:
    """A problem names the field, as it stands in the body."""
    endpoint = await partner.endpoint("http://127.0.0.1:9/dead")
    response = await partner.api.patch(f"/v1/endpoints/{endpoint['endpointId']}", json=change)
    assert 422 == response.status_code
    assert [pointer] == [each["pointer"] for each in response.json()["errors"]]


async def test_stats(partner: Partner, receive: MakeReceiver, make_bridge: MakeBridge) -> None:
    """What waits, what failed, what is held, and how fast what was accepted was."""
    well, broken = await receive(), await receive()
    broken.respond = lambda request: answer(500)
    good = await partner.endpoint(well.url)
    bad = await partner.endpoint(broken.url)
    paths = [f"/v1/endpoints/{each['endpointId']}" for each in (good, bad)]
    nothing = await partner.get(f"{paths[0]}/stats")
    assert (nothing["accepted"], nothing["waiting"], "ackP50Ms" in nothing) == (0, 0, False)
    async with running(make_bridge(pace=Pace(chance=lambda: 1.0))):
        order = await place(partner.platform)
        await advance(partner.platform, order, "CONFIRMED")
        await broken.count(1)

        async def counted() -> list[dict[str, Any]] | None:
            well, failing = [await partner.get(f"{path}/stats") for path in paths]
            settled = well["accepted"] == 2 and failing["retrying"] == 1
            return [well, failing] if settled else None

        shown = await eventually(counted)
        assert [each["waiting"] for each in shown] == [0, 1]
        assert shown[0]["retrying"] == 0
        assert 0 < shown[0]["ackP50Ms"] <= shown[0]["ackP99Ms"]
        assert shown[1]["oldestWaitingAt"] >= order["createdAt"]
        await partner.api.patch(paths[1], json={"state": "disabled"})

        async def held() -> bool:
            return bool((await partner.get(f"{paths[1]}/stats"))["held"] == 2)

        await eventually(held)


async def test_feed(partner: Partner, make_bridge: MakeBridge) -> None:
    """All events of the partner's orders, each once, in order; an ack moves the start."""
    async with running(make_bridge()):
        one = await partner.order(*STEPS)
        two = await partner.order("CONFIRMED")

        async def all_there() -> bool:
            return len((await partner.get("/v1/feed"))["items"]) == 7

        await eventually(all_there)
    whole = await partner.get("/v1/feed")
    items = whole["items"]
    for order_id, number in ((one, 5), (two, 2)):
        mine = [each["seq"] for each in items if each["orderId"] == order_id]
        assert mine == list(range(1, number + 1))
    for each in items:
        RegisteredBody.read({name: each[name] for name in each if name != "cursor"})
    pages, after = [], {}
    while page := await partner.get("/v1/feed", limit=3, **after):
        if not page["items"]:
            break
        pages.append([each["cursor"] for each in page["items"]])
        after = {"after": page["next"]}
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == [each["cursor"] for each in items]
    middle = items[3]["cursor"]
    assert {"cursor": middle} == await partner.post("/v1/feed/ack", 200, {"cursor": middle})
    assert (await partner.get("/v1/feed"))["items"] == items[4:]
    assert (await partner.get("/v1/feed", after="0-0"))["items"] == items
    earlier = {"cursor": items[0]["cursor"]}
    assert {"cursor": middle} == await partner.post("/v1/feed/ack", 200, earlier)
    far = {"cursor": "999999999999999-0"}
    assert {"cursor": whole["next"]} == await partner.post("/v1/feed/ack", 200, far)
    assert {"items": [], "next": whole["next"]} == await partner.get("/v1/feed")
    await partner.post("/v1/feed/ack", 422, {"cursor": "x"})


async def fail(partner: Partner, number: int) -> None:
    for _ in range(number):
        await partner.order()


async def test_switched_off_by_twenty_orders(
    partner: Partner, receive: MakeReceiver, make_bridge: MakeBridge
) -> None:
    """Twenty orders that fail for an hour: off, what waits is held, and the owner is told."""
    broken, well = await receive(), await receive()
    broken.respond = lambda request: answer(500)
    endpoint = await partner.endpoint(broken.url)
    await partner.endpoint(well.url, eventTypes=["endpoint.disabled"])
    async with running(make_bridge(pace=Pace(scale=0.000_2))):
        await fail(partner, 25)
        path = f"/v1/endpoints/{endpoint['endpointId']}"

        async def off() -> bool:
            return bool((await partner.get(path))["state"] == "disabled")

        await eventually(off)
        await well.count(1)
        await partner.states(25, "held")
    (told,) = well.calls
    EndpointBody.read(told.body)
    assert told.body["endpointId"] == endpoint["endpointId"]
    assert "20 orders in a row failed" in told.body["payload"]["reason"]
    assert "; the last one: " in told.body["payload"]["reason"]
    feed = [each for each in (await partner.get("/v1/feed"))["items"] if "endpointId" in each]
    assert [{name: each[name] for name in told.body} for each in feed] == [told.body]


async def test_not_switched_off(
    partner: Partner, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """Nineteen orders in a row are too few, however long they fail."""
    well = set[str]()

    async def some(request: web.Request) -> web.Response:
        body = await request.json()
        return web.Response(status=200 if body["orderId"] in well else 500)

    receiver.respond = some
    endpoint = await partner.endpoint(receiver.url)
    path = f"/v1/endpoints/{endpoint['endpointId']}"
    async with running(make_bridge(pace=Pace(scale=0.000_01))):
        for dead in (19, 38):
            await fail(partner, 19)
            await partner.states(dead, "dead")
            well.add(await partner.order())
            await partner.states(dead // 19, "delivered")
        assert (await partner.get(path))["state"] == "enabled"


async def test_gone_is_told_to_the_owner(
    partner: Partner, receive: MakeReceiver, make_bridge: MakeBridge
) -> None:
    """410 switches off at once; the event comes once, however many lanes were out."""
    gone, well = await receive(), await receive()
    gone.respond = lambda request: answer(410)
    endpoint = await partner.endpoint(gone.url, eventTypes=["order.created"])
    await partner.endpoint(well.url)
    async with running(make_bridge()):
        await asyncio.gather(*(partner.order() for _ in range(8)))
        await well.until(lambda calls: sum("endpointId" in call.body for call in calls) >= 1)
        await partner.states(8, "held")
        await partner.states(9, "delivered")
    told = [call.body for call in well.calls if "endpointId" in call.body]
    assert [each["payload"]["reason"] for each in told] == ["it answered 410 Gone"]
    assert [each["endpointId"] for each in told] == [endpoint["endpointId"]]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/endpoints", "GET, HEAD, POST"),
        ("/v1/endpoints/ep_0", "DELETE, GET, HEAD, PATCH"),
        ("/v1/deliveries", "GET, HEAD"),
        ("/v1/feed/ack", "POST"),
    ],
)
async def test_methods(partner: Partner, path: str, allowed: str) -> None:
    """A method that a path has not is told which it has."""
    response: httpx2.Response = await partner.api.put(path)
    assert (405, allowed) == (response.status_code, response.headers["allow"])
