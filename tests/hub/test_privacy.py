"""Whatever happens, nobody sees of a rider what is not theirs to see (contract 4 and 5).

Two hubs, two riders, an order and those who watch it. What is done is random, and some of it at
the same moment; afterwards each message that anybody got is judged by what had been done.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import msgpack
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from hub.store.link import pack
from schemas.lifecycle import Role
from schemas.times import format_time
from tests.hub.harness import (
    SHOP,
    RunningHub,
    Wire,
    eventually,
    fresh,
    hubs,
    move,
    place,
)

# The contract's rows, told anew here: a position's fields by role, and when they are seen.
PLACE: Final = {"orderId", "at", "lat", "lng", "heading", "speed", "freshness", "trail"}
WHOLE: Final = PLACE | {"riderId", "accuracy", "battery"}
FINAL: Final = {"COMPLETED", "CANCELLED", "RETURNED"}
ALL: Final = {"PENDING", "CONFIRMED", "PREPARING", "ON_DELIVERY", "RETURNING", *FINAL}
ROWS: Final = {
    Role.CUSTOMER: (PLACE, {"ON_DELIVERY"}),
    Role.MERCHANT: (PLACE, {"ON_DELIVERY"}),
    Role.PLATFORM: (WHOLE, ALL - FINAL),
}
NEW_LEG: Final = {"courier.assigned", "courier.unassigned", "order.on_delivery"}

Step = tuple[str, int, int]
"""What is done, by which rider or watcher, at which hub."""

ONES = st.integers(0, 1)
FIX = st.tuples(st.sampled_from(("fix", "fix", "fixes", "post")), ONES, ONES)
STATUS = st.tuples(st.sampled_from(("advance", "return")), ONES, ONES)
RIDER = st.tuples(st.sampled_from(("assign", "assign", "unassign")), ONES, ONES)
PHONE = st.tuples(st.just("reconnect"), ONES, ONES)
JOIN = st.tuples(st.sampled_from(("join", "resume")), st.integers(0, 2), ONES)
ONE = st.one_of(FIX, FIX, FIX, STATUS, RIDER, PHONE, JOIN)
GIVEN: Final[list[list[Step]]] = [[("assign", 0, 1)], [("advance", 0, 0)], [("advance", 0, 0)]]
GONE: Final[list[list[Step]]] = [*GIVEN, [("advance", 0, 0)]]
STEPS = st.builds(
    lambda begun, rest: [*begun, *rest],
    st.sampled_from((GONE, GIVEN, [])),
    st.lists(st.lists(ONE, min_size=1, max_size=3), min_size=3, max_size=16),
)


@dataclass
class Sent:
    """A fix, known again by its time: who sent it, and the order's seq before and after."""

    rider: int
    first: int
    last: int = 0


class World:
    """An order and all who have to do with it, beside a record of what was done."""

    def __init__(self, pair: tuple[RunningHub, ...]) -> None:
        self.pair = pair
        self.stack = AsyncExitStack()
        self.riders = [fresh("r"), fresh("r")]
        self.phones: list[Wire] = []
        self.sent: dict[str, Sent] = {}
        self.watchers: list[tuple[Role, Wire]] = []
        self.kept: list[tuple[int, str]] = []
        """Leg and moment of each point that was found in the store."""
        self.kept_before: list[tuple[int, str]] = []
        self.at = time.time() - 300
        self.known = 1

    async def begin(self) -> None:
        a = self.pair[0]
        self.order = await place(a.platform, pickup=None, restaurantId=fresh("res"))
        self.order_id = self.order["orderId"]
        self.path = f"/v1/orders/{self.order_id}"
        for number in range(2):
            self.phones.append(await self.phone(number, self.pair[number]))
        for number, role in enumerate(ROWS):
            await self.join(role, self.pair[number % 2], resume=False)

    # What may be done

    async def together(self, steps: Sequence[Step]) -> None:
        """At the same moment, as far as it goes. Then all of it is done, in the store as well."""
        once = {step[:2] if step[0] == "reconnect" else step: step for step in steps}
        await asyncio.gather(*(self.do(*step) for step in once.values()))
        for phone in self.phones:
            await phone.quiet()
        await self.look_into_the_store()
        self.known = await self.seq()
        for each in self.sent.values():
            each.last = each.last or self.known

    async def do(self, what: str, which: int, at_hub: int) -> None:
        hub = self.pair[at_hub]
        match what:
            case "fix":
                await self.say(which, type="fix", **self.fix(which))
            case "fixes":
                await self.say(which, type="fixes", fixes=[self.fix(which) for _ in range(3)])
            case "post":
                client = hub.http(Role.RIDER, sub=self.riders[which])
                url = f"/v1/riders/{self.riders[which]}/positions"
                await client.post(url, json=self.fix(which))
            case "advance" | "return":
                await self.advance(hub, what)
            case "assign":
                dispatcher = hub.http(Role.PLATFORM, sub=f"gives it to {which}")
                await dispatcher.put(f"{self.path}/rider", json={"riderId": self.riders[which]})
            case "unassign":
                await hub.platform.delete(f"{self.path}/rider")
            case "reconnect":
                self.phones[which] = await self.phone(which, hub)
            case "join" | "resume":
                await self.join(list(ROWS)[which], hub, resume=what == "resume")

    async def say(self, rider: int, **message: Any) -> None:
        with suppress(ConnectionClosed):  # superseded just now
            await self.phones[rider].send(**message)

    async def phone(self, rider: int, hub: RunningHub) -> Wire:
        return await self.stack.enter_async_context(hub.rider(self.riders[rider]))

    def fix(self, rider: int) -> dict[str, Any]:
        """The next moment, to and fro at 50 m/s: each is far enough off to be told."""
        self.at += 0.6
        at, number = format_time(self.at), len(self.sent)
        self.sent[at] = Sent(rider, self.known)
        lat = SHOP["lat"] + 0.1234567 + number % 2 * 30 / 111_195
        more = {"speed": 4.0, "heading": 90.0, "accuracy": 3.3, "battery": 0.77}
        return {"seq": number, "at": at, "lat": lat, "lng": SHOP["lng"], **more}

    async def advance(self, hub: RunningHub, what: str) -> None:
        chain = ["PENDING", "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED"]
        if what == "return":
            chain = ["ON_DELIVERY", "RETURNING", "RETURNED"]
        status = await self.status()
        if following := dict(pairwise(chain)).get(status):
            await move(hub.platform, self.order, following)

    async def join(self, role: Role, hub: RunningHub, *, resume: bool) -> None:
        claims: dict[Role, dict[str, Any]] = {
            Role.CUSTOMER: {"orders": [self.order_id]},
            Role.MERCHANT: {"restaurant": self.order["restaurantId"]},
            Role.PLATFORM: {},
        }
        more = {"after": {"epoch": self.order["epoch"], "seq": 1}} if resume else {}
        wire = await self.stack.enter_async_context(hub.stream(role, **claims[role]))
        self.watchers.append((role, wire))
        await wire.subscribe(self.order_id, **more)

    # What is true

    async def seq(self) -> int:
        return int((await self.pair[0].platform.get(self.path)).json()["seq"])

    async def status(self) -> str:
        return str((await self.pair[0].platform.get(self.path)).json()["status"])

    async def look_into_the_store(self) -> None:
        """All that both hubs have told it is there by then."""
        connection, keys = self.pair[0].state.connection, order_keys(self.order_id)
        for hub in self.pair:
            name = fresh("oc:barrier")
            hub.state.bus.tell(name, pack("SET", name, 1, "EX", 60))
            await eventually(partial(connection.ask, "GET", name))
        async with connection.mapped() as client:
            for leg in range(len(self.sent) + 40):
                position, trail = await client.mget(keys.position(leg), keys.trail(leg))
                points = msgpack.unpackb(trail) if trail else []
                moments = [point[0] for point in points]
                if position:
                    sighting = msgpack.unpackb(position)
                    assert leg == sighting[0]
                    moments.append(sighting[1])
                self.kept += [(leg, format_time(moment)) for moment in moments]

    async def finish(self) -> None:
        """To the end; then what comes too late."""
        while (status := await self.status()) not in FINAL:
            await self.advance(self.pair[0], "return" if status == "RETURNING" else "advance")
        self.known = await self.seq()
        for rider in (0, 1):
            await self.say(rider, type="fix", **self.fix(rider))
            await self.phones[rider].quiet()
        self.kept.clear()
        await self.look_into_the_store()
        assert [] == self.kept
        for number, (role, wire) in enumerate(self.watchers):
            last = await wire.subscribe(self.order_id)
            assert not {"position", "trail"} & set(last["snapshot"]), (role, number)

    async def judge(self) -> Counter[Role]:
        """Each message of each watcher. Answers how many points were seen by each role."""
        history = History((await self.pair[0].platform.get(f"{self.path}/events")).json()["events"])
        for leg, moment in self.kept_before:
            assert self.rode(history, moment, leg), "stored of who did not ride"
        points = Counter[Role]()
        for role, wire in self.watchers:
            points[role] += self.judge_one(history, role, wire.seen)
        return points

    def judge_one(self, history: "History", role: Role, seen: list[dict[str, Any]]) -> int:
        fields, statuses = ROWS[role]
        points, seq = 0, 0
        for message in seen:
            shown: list[dict[str, Any]] = []
            if message["type"] == "subscribed":
                seq = message["snapshot"]["seq"]
                shown = [message["snapshot"].get("position"), *message["snapshot"].get("trail", [])]
            elif message["type"] == "event":
                seq = message["seq"]
            elif message["type"] == "position":
                shown = [message, *message.get("trail", [])]
            for each in filter(None, shown):
                points += 1
                assert history.status[seq] in statuses, "seen when it is not to be seen"
                assert set(each) - {"type"} <= fields, "a field that is not theirs"
                assert self.rode(history, each["at"], history.leg[seq]), "of another leg"
                if fields is PLACE:
                    assert each["lat"] == round(each["lat"], 5), "too exact"
        return points

    def rode(self, history: "History", moment: str, leg: int) -> bool:
        """Whether who sent that fix had the order then, on that leg."""
        sent = self.sent[moment]
        between = range(sent.first, (sent.last or sent.first) + 1)
        return any((sent.rider, leg) == (history.rider[s], history.leg[s]) for s in between)


class History:
    """Status, leg and rider after each event, by seq."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.status, self.leg = {0: "PENDING"}, {0: 0}
        self.rider: dict[int, int | None] = {0: None}
        for each in events:
            seq, kind = each["seq"], each["eventType"]
            self.status[seq] = each["status"]
            self.leg[seq] = self.leg[seq - 1] + (kind in NEW_LEG)
            self.rider[seq] = self.rider[seq - 1]
            if kind == "courier.assigned":
                self.rider[seq] = int(each["actor"]["sub"][-1])
            elif kind == "courier.unassigned":
                self.rider[seq] = None


async def play(pair: tuple[RunningHub, ...], steps: Sequence[Sequence[Step]]) -> Counter[Role]:
    world = World(pair)
    async with world.stack, asyncio.timeout(60):
        await world.begin()
        for group in steps:
            await world.together(group)
        world.kept_before = list(world.kept)
        await world.finish()
        return await world.judge()


Play = Callable[[Sequence[Sequence[Step]]], Counter[Role]]


@pytest.fixture(scope="module")
def world(shared_store: EmbeddedStore) -> Iterator[Play]:
    """Plays steps with two hubs that tell every fix, all in one loop."""
    with asyncio.Runner() as runner:
        both = hubs(shared_store, 2, position_error=0, fix_rate=1000)
        pair = runner.run(both.__aenter__())
        yield lambda steps: runner.run(play(pair, steps))
        runner.run(both.__aexit__(None, None, None))


def test_an_ordinary_ride(world: Play) -> None:
    """What is to be seen is: else the rest would prove nothing. Who joins gets all of it again."""
    join: list[Step] = [("join", 0, 1), ("join", 1, 1), ("join", 2, 1)]
    before: list[list[Step]] = [*GIVEN, [("fix", 0, 0)], join, [("advance", 0, 0)]]
    assert {Role.PLATFORM: 1 + 2} == +world(before)
    after: list[list[Step]] = [[("fix", 0, 1)], [("join", 0, 0)]]
    seen = {Role.CUSTOMER: 2 + 2, Role.MERCHANT: 2, Role.PLATFORM: 3 + 2}
    assert seen == +world([*before, *after])


@settings(max_examples=40)
@given(STEPS)
def test_nobody_sees_what_is_not_theirs(world: Play, steps: list[list[Step]]) -> None:
    seen = world(steps)
    event(f"customers saw {'something' if seen[Role.CUSTOMER] else 'nothing'}")
