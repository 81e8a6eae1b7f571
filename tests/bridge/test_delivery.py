"""The bridge from the log to real servers."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from hub.bridge.addresses import AddressGuard
from hub.bridge.attempts import Pace
from hub.bridge.bridge import Bridge
from hub.bridge.sender import Timeouts
from hub.services.endpoints import Endpoints
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import partition_of, tag
from schemas.lifecycle import EventType
from schemas.webhooks import (
    EndpointPatch,
    EndpointRequest,
    EndpointState,
    OrderStatusBody,
    RegisteredBody,
    StatusChangeBody,
)
from tests.bridge.rig import Hub, Receiver, deliveries, running, seqs, settled

MakeBridge = Callable[..., Bridge]
MakeReceiver = Callable[[], Awaitable[Receiver]]
E = EventType


async def test_both_callbacks(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, endpoints: Endpoints
) -> None:
    """CONFIRMED goes to both callback URLs, signed with the partner's secret."""
    url = f"{receiver.url}/hook"
    async with running(make_bridge()):
        await hub.tell("ord_1", E.CREATED, url)
        await hub.tell("ord_1", E.CONFIRMED, url, estimatedTime=30)
        await hub.tell("ord_1", E.COURIER_ASSIGNED, url)
        await hub.tell("ord_1", E.PREPARING, url)
        await receiver.count(3)
    confirmed, changes = receiver.at("/hook/order-status"), receiver.at("/hook")
    update = {
        "orderId": "ord_1",
        "status": "CONFIRMED",
        "timestamp": "2026-11-22T19:05:43.120Z",
        "estimatedTime": 30,
    }
    assert [{**update, "seq": 2}] == [call.body for call in confirmed]
    assert {"eventType": "order.confirmed", "payload": update, "seq": 2} == changes[0].body
    assert seqs(changes) == [2, 4]
    assert len({call.webhook_id for call in receiver.calls}) == 3
    OrderStatusBody.model_validate_json(confirmed[0].raw)
    secret = (await endpoints.partner_secret("acme")).secret
    for call in receiver.calls:
        assert call.body == Webhook(secret).verify(call.raw.decode(), call.headers)
        assert call.headers["ordercast-attempt"] == "1"
        assert call.headers["content-type"] == "application/json"
        assert call.headers["user-agent"].startswith("ordercast/")
    StatusChangeBody.model_validate_json(changes[1].raw)


async def test_registered_endpoints(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, endpoints: Endpoints
) -> None:
    """An endpoint gets its partner's events, the types it asked for, signed with its secret."""
    every = await endpoints.create("acme", EndpointRequest(url=f"{receiver.url}/all"))
    request = EndpointRequest(url=f"{receiver.url}/done", event_types=[E.COMPLETED])
    done = await endpoints.create("acme", request)
    await endpoints.create("other", EndpointRequest(url=f"{receiver.url}/other"))
    async with running(make_bridge()):
        for kind in (E.CREATED, E.CONFIRMED, E.COURIER_ASSIGNED, E.COMPLETED):
            await hub.tell("ord_1", kind)
        await receiver.count(5)
    assert seqs(receiver.at("/all")) == [1, 2, 3, 4]
    assert seqs(receiver.at("/done")) == [4]
    assert receiver.at("/other") == []
    for path, endpoint in (("/all", every), ("/done", done)):
        call = receiver.at(path)[-1]
        assert endpoint.secret
        assert call.body == Webhook(endpoint.secret).verify(call.raw.decode(), call.headers)
        RegisteredBody.model_validate_json(call.raw)


async def test_registered_just_before(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, endpoints: Endpoints
) -> None:
    """An endpoint made while the bridge runs gets the very next event."""
    async with running(make_bridge()):
        for number in range(1, 6):
            url = f"{receiver.url}/{number}"
            await endpoints.create("acme", EndpointRequest(url=url))
            await hub.tell("ord_1", E.READY)
            await receiver.until(lambda calls, path=f"/{number}": path in {c.path for c in calls})
    assert seqs(receiver.at("/1")) == [1, 2, 3, 4, 5]


async def test_order_is_kept_over_failures(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """A later event waits until the earlier one was accepted; retries are numbered."""

    async def fail_twice(request: web.Request) -> web.Response:
        return web.Response(status=500 if int(request.headers["ordercast-attempt"]) < 3 else 200)

    receiver.respond = fail_twice
    async with running(make_bridge()):
        for kind in (E.CONFIRMED, E.PREPARING, E.COMPLETED):
            await hub.tell("ord_1", kind, f"{receiver.url}/hook")
        await receiver.until(lambda calls: sum(call.path == "/hook" for call in calls) >= 9)
        found = await settled(connection, 4)
    calls = receiver.at("/hook")
    assert seqs(calls) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [call.headers["ordercast-attempt"] for call in calls] == ["1", "2", "3"] * 3
    assert len({call.webhook_id for call in calls[:3]}) == 1
    assert len({call.headers["ordercast-first-attempt"] for call in calls[:3]}) == 1
    assert {"delivered"} == {each["state"] for each in found}
    assert [found[0]["made"][number]["status"] for number in (1, 2, 3)] == [
        500,
        500,
        200,
    ]


async def test_a_hanging_server_slows_no_other(
    hub: Hub, receive: MakeReceiver, make_bridge: MakeBridge
) -> None:
    """With few turns and many orders at a server that hangs, another gets its events at once."""
    hanging, well = await receive(), await receive()
    forever = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await forever.wait()
        return web.Response()

    hanging.respond = hang
    async with running(make_bridge(concurrency=16, timeouts=Timeouts(1.0, 60.0))):
        for number in range(100):
            await hub.tell(f"bad_{number}", E.PREPARING, f"{hanging.url}/hook/{number}")
        await hanging.count(1)
        for number in range(50):
            await hub.tell(f"good_{number}", E.PREPARING, f"{well.url}/hook")
        await well.count(50)
        assert len(hanging.calls) < 16
        forever.set()
        await hanging.count(100)


async def test_a_hanging_path_slows_no_other_of_its_server(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """Two URLs of one server are two queues."""
    forever = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        if request.path == "/hang":
            await forever.wait()
        return web.Response()

    receiver.respond = hang
    async with running(make_bridge(concurrency=64, timeouts=Timeouts(1.0, 60.0))):
        for number in range(100):
            await hub.tell(f"bad_{number}", E.PREPARING, f"{receiver.url}/hang")
        for number in range(50):
            await hub.tell(f"good_{number}", E.PREPARING, f"{receiver.url}/well")
        await receiver.until(lambda calls: sum(call.path == "/well" for call in calls) >= 50)
        forever.set()


async def test_killed_between_send_and_settle(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """What was sent but not settled is sent again under the same id, then the rest, in order."""
    url = f"{receiver.url}/hook"
    reached, forever = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        reached.set()
        await forever.wait()
        return web.Response()

    receiver.respond = hang
    killed = asyncio.create_task(make_bridge(lease=0.5, name="one").run())
    await hub.tell("ord_1", E.PREPARING, url)
    await hub.tell("ord_1", E.ON_DELIVERY, url)
    await reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    forever.set()
    async with running(make_bridge(lease=0.5, name="one")):
        await hub.tell("ord_1", E.COMPLETED, url)
        await receiver.count(4)
        found = await settled(connection, 3)
    assert seqs(receiver.calls) == [1, 1, 2, 3]
    assert receiver.calls[0].webhook_id == receiver.calls[1].webhook_id
    assert [call.headers["ordercast-attempt"] for call in receiver.calls[:2]] == ["1", "2"]
    assert [each["state"] for each in found] == ["delivered"] * 3


async def test_two_bridges_share(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """Two bridges beside each other send everything once and in order."""
    orders = [f"ord_{number}" for number in range(60)]
    kinds = (E.CONFIRMED, E.PREPARING, E.COMPLETED)
    async with running(make_bridge(name="one")), running(make_bridge(name="two")):
        for kind in kinds:
            for order_id in orders:
                await hub.tell(order_id, kind, f"{receiver.url}/{order_id}")
        await receiver.count(60 * 4)
        found = await settled(connection, 60 * 4)
    assert 60 * 4 == len(found) == len(receiver.calls)
    for order_id in orders:
        assert seqs(receiver.at(f"/{order_id}")) == [1, 2, 3]
    async with connection.mapped() as client:
        assert await client.zcard("oc:{bridges}:alive") == 0


async def test_a_bridge_that_died_is_replaced(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """The partitions of a bridge that was killed go to the others within seconds."""
    killed = asyncio.create_task(make_bridge(name="one").run())
    async with running(make_bridge(name="two")):
        await hub.tell("warm", E.PREPARING, f"{receiver.url}/hook")
        await receiver.count(1)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        for number in range(20):
            await hub.tell(f"ord_{number}", E.PREPARING, f"{receiver.url}/hook")
        await receiver.count(21)
    assert len(receiver.calls) == 21


async def test_gone_switches_the_order_off(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """After a 410 on one callback URL neither gets anything more of that order; others do."""

    async def gone(request: web.Request) -> web.Response:
        return web.Response(status=410 if request.path.startswith("/gone") else 202)

    receiver.respond = gone
    async with running(make_bridge()):
        await hub.tell("ord_1", E.PREPARING, f"{receiver.url}/gone")
        await settled(connection, 1)
        await hub.tell("ord_1", E.CONFIRMED, f"{receiver.url}/gone")
        await hub.tell("ord_2", E.CONFIRMED, f"{receiver.url}/well")
        found = await settled(connection, 5)
    assert len([call for call in receiver.calls if call.path.startswith("/gone")]) == 1
    assert {"held"} == {each["state"] for each in found if each["order"] == "ord_1"}
    assert {"delivered"} == {each["state"] for each in found if each["order"] == "ord_2"}


async def test_gone_switches_the_endpoint_off(
    hub: Hub,
    receiver: Receiver,
    make_bridge: MakeBridge,
    connection: Connection,
    endpoints: Endpoints,
) -> None:
    """After a 410 an endpoint is disabled and what comes is held, until it is enabled again."""

    async def gone(request: web.Request) -> web.Response:
        return web.Response(status=410)

    receiver.respond = gone
    made = await endpoints.create("acme", EndpointRequest(url=receiver.url))
    async with running(make_bridge()):
        await hub.tell("ord_1", E.CREATED)
        await settled(connection, 1)
        assert EndpointState.DISABLED is (await endpoints.get("acme", made.endpoint_id)).state
        await hub.tell("ord_1", E.CONFIRMED)
        await settled(connection, 2)
        await endpoints.patch("acme", made.endpoint_id, EndpointPatch(state=EndpointState.ENABLED))
        receiver.respond = Receiver().respond
        await hub.tell("ord_1", E.PREPARING)
        found = await settled(connection, 3)
    assert [each["state"] for each in found] == ["held", "held", "delivered"]
    assert seqs(receiver.calls) == [1, 3]


async def test_deleted_endpoint(
    hub: Hub,
    receiver: Receiver,
    make_bridge: MakeBridge,
    connection: Connection,
    endpoints: Endpoints,
) -> None:
    """What waits for an endpoint that was deleted is dead, without another attempt."""

    async def fail(request: web.Request) -> web.Response:
        await endpoints.delete("acme", made.endpoint_id)
        return web.Response(status=500)

    receiver.respond = fail
    made = await endpoints.create("acme", EndpointRequest(url=receiver.url))
    async with running(make_bridge()):
        await hub.tell("ord_1", E.CREATED)
        await hub.tell("ord_1", E.CONFIRMED)
        found = await settled(connection, 2)
    assert [each["state"] for each in found] == ["dead", "dead"]
    assert len(receiver.calls) == 1


async def test_dead_after_a_day(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """After a day of failures a delivery is dead, and the lane goes on with the next."""

    async def fail_first(request: web.Request) -> web.Response:
        body = await request.json()
        return web.Response(status=500 if body["seq"] == 1 else 200)

    receiver.respond = fail_first
    pace = Pace(scale=0.000_01, chance=lambda: 1.0)
    async with running(make_bridge(pace=pace)):
        await hub.tell("ord_1", E.PREPARING, f"{receiver.url}/hook")
        await hub.tell("ord_1", E.COMPLETED, f"{receiver.url}/hook")
        found = await settled(connection, 2)
    assert [each["state"] for each in found] == ["dead", "delivered"]
    async with connection.mapped() as client:
        head = tag(partition_of("ord_1"))
        assert await client.zrange(f"{head}dead:acme", 0, -1) == [b"changes|ord_1|1"]
        assert await client.exists(f"{head}queues") == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 404, 500])
async def test_redirects_are_failures(
    status: int, hub: Hub, receive: MakeReceiver, make_bridge: MakeBridge
) -> None:
    """A redirect is not followed; the request comes again to where it was meant for."""
    there, elsewhere = await receive(), await receive()

    async def redirect(request: web.Request) -> web.Response:
        if request.headers["ordercast-attempt"] == "1":
            return web.Response(status=status, headers={"location": f"{elsewhere.url}/x"})
        return web.Response()

    there.respond = redirect
    async with running(make_bridge()):
        await hub.tell("ord_1", E.PREPARING, f"{there.url}/hook")
        await there.count(2)
    assert elsewhere.calls == []


async def test_an_unreadable_entry_is_passed_over(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """A log entry that is no event does not stop what comes after it."""
    async with connection.mapped() as client:
        key = f"{tag(partition_of('ord_1'))}log"
        await client.xadd(key, {"nonsense": "1"})
        await client.xadd(key, {"o": "ord_1", "e": b"\xff", "w": b"\xc1"})
    async with running(make_bridge()):
        await hub.tell("ord_1", E.PREPARING, f"{receiver.url}/hook")
        await receiver.count(1)


async def test_the_store_goes_and_comes_back(
    store: EmbeddedStore, hub: Hub, receiver: Receiver, make_bridge: MakeBridge
) -> None:
    """Over a restart of the store nothing is lost, and the bridge goes on by itself."""
    async with running(make_bridge()):
        await hub.tell("ord_1", E.PREPARING, f"{receiver.url}/hook")
        await receiver.count(1)
        await asyncio.to_thread(store.stop)
        await asyncio.to_thread(store.start)
        await hub.tell("ord_1", E.COMPLETED, f"{receiver.url}/hook")
        await receiver.until(lambda calls: 2 in seqs(calls))
    assert sorted(set(seqs(receiver.calls))) == [1, 2]


async def test_addresses_are_refused_at_connect(
    hub: Hub, receiver: Receiver, connection: Connection, make_bridge: MakeBridge
) -> None:
    """An order's URL that points inside, by name or by number, is never dialled."""
    port = receiver.url.rpartition(":")[2]
    async with running(make_bridge(guard=AddressGuard(), pace=Pace(scale=0.000_001))):
        for number, host in enumerate(("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")):
            await hub.tell(f"ord_{number}", E.PREPARING, f"https://{host}:{port}/hook")
        found = await settled(connection, 3)
    assert {"dead"} == {each["state"] for each in found}
    assert all("refused" in each["made"][1]["error"] for each in found)
    assert receiver.calls == []


async def test_stopping_lets_attempts_end(
    hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """What is under way when the bridge is stopped is settled before it ends."""
    go_on = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await go_on.wait()
        return web.Response()

    receiver.respond = wait
    bridge = make_bridge()
    async with running(bridge) as task:
        await hub.tell("ord_1", E.PREPARING, f"{receiver.url}/hook")
        await hub.tell("ord_1", E.COMPLETED, f"{receiver.url}/hook")
        await receiver.count(1)
        await bridge.stop()
        go_on.set()
        await task
    assert [each["state"] for each in await deliveries(connection)] == ["delivered", "pending"]
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_lost_nothing_overtaken(
    seed: int, hub: Hub, receiver: Receiver, make_bridge: MakeBridge, connection: Connection
) -> None:
    """With a server that fails at random and a bridge that is killed again and again, every event
    is accepted, and none before the one before it."""
    chance = random.Random(seed)
    accepted: defaultdict[str, list[int]] = defaultdict(list)

    async def moody(request: web.Request) -> web.Response:
        if chance.random() < 0.3:
            return web.Response(status=500)
        if chance.random() < 0.1:
            await asyncio.sleep(0)
            request.transport.abort()
        else:
            accepted[request.path].append((await request.json())["seq"])
        return web.Response()

    receiver.respond = moody
    for round_ in range(3):
        for kind in (E.PREPARING, E.COMPLETED):
            for number in range(20):
                await hub.tell(f"ord_{number}", kind, f"{receiver.url}/{number}")
        killed = asyncio.create_task(make_bridge(lease=0.2, name="one").run())
        await receiver.count(30 * (round_ + 1))
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
    async with running(make_bridge(lease=0.2, name="one")):
        await settled(connection, 120)
    for number in range(20):
        seen = accepted[f"/{number}"]
        assert sorted(set(seen)) == [1, 2, 3, 4, 5, 6]
        assert sorted(seen) == seen  # repeats, but never an earlier one after a later one
