"""A reassignment fences the former rider at once, whichever hub hears when (contract 2, 4)."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from hub.store.keys import rider as rider_key
from schemas.lifecycle import Role
from schemas.telemetry import Sighting
from schemas.times import format_time
from tests.hub.harness import (
    RunningHub,
    Wire,
    assign,
    eventually,
    fix,
    fresh,
    hubs,
    on_delivery,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(shared_store: EmbeddedStore) -> AsyncIterator[tuple[RunningHub, ...]]:
    """Riders sit on the first, watchers on the second. Every fix is told."""
    async with hubs(shared_store, 2, position_error=0) as both:
        yield both


class Delay:
    """What comes to a hub on some channels waits, until it is let through in an order of ours.

    Each group of channels keeps its own order: an order's channels are in one slot, so they come
    by one connection.
    """

    def __init__(self, hub: RunningHub, *groups: tuple[str, ...]) -> None:
        (node,) = hub.state.bus._nodes.values()
        self._listeners: dict[bytes, Callable[[bytes], None]] = node._listeners
        self._before: dict[bytes, Callable[[bytes], None]] = {}
        self.waiting: list[list[tuple[bytes, bytes]]] = []
        for group in groups:
            queue: list[tuple[bytes, bytes]] = []
            self.waiting.append(queue)
            for name in (each.encode() for each in group if each.encode() in self._listeners):
                self._before[name] = self._listeners[name]
                self._listeners[name] = partial(self._wait, queue, name)

    @staticmethod
    def _wait(queue: list[tuple[bytes, bytes]], name: bytes, payload: bytes) -> None:
        queue.append((name, payload))

    def let_through(self, *, backwards: bool = False) -> None:
        self._listeners |= self._before
        for queue in self.waiting[:: -1 if backwards else 1]:
            for name, payload in queue:
                self._before[name](payload)


def channels(order: dict[str, Any], *rider_ids: str) -> list[tuple[str, ...]]:
    keys = order_keys(order["orderId"])
    return [(keys.channel, keys.sightings), *((rider_key(each, "c"),) for each in rider_ids)]


async def stored(hub: RunningHub, order: dict[str, Any]) -> list[str]:
    """Of which moment each position is that the store has of the order, on any leg."""
    async with hub.state.connection.mapped() as client:
        keys = await client.keys(order_keys(order["orderId"]).position("*"))
        packed = [await client.get(key) for key in keys]
    sightings = [msgspec.msgpack.decode(each, type=Sighting) for each in packed if each]
    return [format_time(each.at) for each in sightings]


async def settled(hub: RunningHub) -> None:
    """What the hub has told the store is done there."""
    name = fresh("oc:barrier")
    hub.state.bus.tell(
        name, b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$1\r\n1\r\n" % (len(name), name.encode())
    )
    await eventually(lambda: hub.state.connection.ask("GET", name))


def told(wire: Wire) -> list[str]:
    """The moments of all positions that came, in a snapshot or by themselves."""
    moments = [each["at"] for each in wire.seen if each["type"] == "position"]
    snapshots = [each["snapshot"] for each in wire.seen if each["type"] == "subscribed"]
    return moments + [each["position"]["at"] for each in snapshots if "position" in each]


async def has_orders(rider: Wire, number: int) -> None:
    """The rider's last word of their orders, which may have come already, names so many."""
    said = [each["orders"] for each in rider.seen if each["type"] == "orders"]
    while len(said[-1]) != number:
        said.append((await rider.until("orders"))["orders"])


WHO = pytest.mark.parametrize("who", ["nobody", "the rider's hub", "the watchers' hub"])


@WHO
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
async def test_the_former_rider_is_fenced(
    pair: tuple[RunningHub, ...], who: str, backwards: bool
) -> None:
    """From the answer on: what the former rider sends is shown to no one and not stored, though
    one hub hears late, and by the rider's channel before the order's or after it.
    """
    a, b = pair
    first, second = fresh("r"), fresh("r")
    order = await on_delivery(a.platform, first)
    customer = b.stream(Role.CUSTOMER, orders=[order["orderId"]])
    async with (
        a.rider(first) as old,
        b.rider(second) as new,
        b.stream() as watcher,
        customer as eye,
    ):
        for wire in (watcher, eye):
            await wire.subscribe(order["orderId"])
        seen = fix(1, offset=-9)
        await old.send(type="fix", **seen)
        for wire in (watcher, eye):
            await wire.until("position")
        late = {"the rider's hub": a, "the watchers' hub": b}.get(who)
        delay = Delay(late or a, *(channels(order, first, second) if late else ()))
        await assign(b.platform, order, second)
        fenced = fix(2, offset=-6)
        await old.send(type="fix", **fenced)
        await old.quiet()
        await settled(a)
        assert [] == await stored(a, order)
        assert "position" not in (await watcher.subscribe(order["orderId"]))["snapshot"]
        if late:
            await eventually(lambda: delay.waiting)
        delay.let_through(backwards=backwards)
        await has_orders(old, 0)
        assert "off_duty" == (await old.ask("fix", "rejected", **fix(3, offset=-4)))["reason"]
        await has_orders(new, 1)
        fresh_one = fix(1, offset=-2)
        await new.send(type="fix", **fresh_one)
        for wire in (watcher, eye):
            await wire.until("position", lambda message: message["at"] == fresh_one["at"])
        assert [fresh_one["at"]] == await stored(a, order)
    for wire in (watcher, eye):
        assert {seen["at"], fresh_one["at"]} == set(told(wire))


async def test_a_hub_that_hears_nothing_spoils_nothing(pair: tuple[RunningHub, ...]) -> None:
    """The new rider is shown and stored already, the former one's hub still takes their fixes:
    the new position stays, for those who watch and for those who come.
    """
    a, b = pair
    first, second = fresh("r"), fresh("r")
    order = await on_delivery(a.platform, first)
    async with a.rider(first) as old, b.rider(second) as new, b.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        delay = Delay(a, *channels(order, first, second))
        await assign(b.platform, order, second)
        await has_orders(new, 1)
        good = fix(1, offset=-6)
        await new.send(type="fix", **good)
        await watcher.until("position")
        await old.send(type="fix", **fix(2, offset=-3))
        await old.quiet()
        await settled(a)
        assert [good["at"]] == await stored(b, order)
        shown = (await watcher.subscribe(order["orderId"]))["snapshot"]
        delay.let_through()
    assert good["at"] == shown["position"]["at"]
    assert {good["at"]} == set(told(watcher))


async def test_a_new_rider_is_not_shown_before_the_news_of_it(
    pair: tuple[RunningHub, ...],
) -> None:
    """The watchers' hub hears of the assignment late: first the event, then positions."""
    a, b = pair
    first, second = fresh("r"), fresh("r")
    order = await on_delivery(a.platform, first)
    async with a.rider(second) as new, b.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        delay = Delay(b, (order_keys(order["orderId"]).channel,))
        await assign(a.platform, order, second)
        await has_orders(new, 1)
        early = fix(1, offset=-6)
        await new.send(type="fix", **early)
        await new.quiet()
        await settled(a)
        assert [] == await watcher.quiet()
        delay.let_through()
        later = fix(2, offset=-3)
        await new.send(type="fix", **later)
        await watcher.until("position")
    kinds = [each["type"] for each in watcher.seen]
    assert kinds.index("event") < kinds.index("position")
    assert [later["at"]] == told(watcher)


async def test_nobody_rides_any_more(pair: tuple[RunningHub, ...]) -> None:
    """Taken off without another rider: the same, and nothing is kept."""
    a, b = pair
    rider_id = fresh("r")
    order = await on_delivery(a.platform, rider_id)
    async with a.rider(rider_id) as old, b.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        await old.send(type="fix", **fix(1, offset=-9))
        first = await watcher.until("position")
        delay = Delay(a, *channels(order, rider_id))
        taken: httpx2.Response = await b.platform.delete(f"/v1/orders/{order['orderId']}/rider")
        assert 200 == taken.status_code
        await old.send(type="fix", **fix(2, offset=-4))
        await old.quiet()
        await settled(a)
        async with a.state.connection.mapped() as client:
            assert [] == await client.keys(order_keys(order["orderId"]).position("*"))
            assert [] == await client.keys(order_keys(order["orderId"]).trail("*"))
        delay.let_through()
        await watcher.until("event")
        assert [] == [each for each in await watcher.quiet() if each["type"] == "position"]
    assert {first["at"]} == set(told(watcher))
