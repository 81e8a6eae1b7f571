"""Whatever happens: in each lane no accepted seq goes back, and none is missing unless given up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.webhooks.signature import WebhookId
from hub.store.books import Books
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import partition_of
from hub.store.lanes import Claim, Lanes, News, Room, Settlement, StaleClaimError, State, Target
from tests.hub.harness import fresh

EPOCH = "abcdefgh"
BODY = b'{"eventType": "order.ready"}'
WIDE = Room(total=100, queue=100, origin=100, named={})
TARGETS = (
    Target("ep_a", "ep_a"),
    Target("ep_b", "ep_b", latest=True),
    Target("changes", "https://a.example|1"),
)

Step = tuple[str, int]
"""What happens, and to which of those it may happen to."""

EVENT = st.tuples(st.just("event"), st.integers(0, 1))
CLAIM = st.tuples(st.just("claim"), st.just(0))
DIES = st.tuples(st.sampled_from(("dies before", "dies after")), st.just(0))
SETTLED = st.sampled_from(("accepted", "refused", "late", "dead", "held", "no answer"))
SETTLE = st.tuples(SETTLED, st.integers(0, 5))
AGAIN = st.tuples(st.sampled_from(("replay", "recover")), st.integers(0, 5))
STEPS = st.lists(st.one_of(EVENT, CLAIM, SETTLE, DIES, EVENT, CLAIM, SETTLE, AGAIN), max_size=60)


class Lane:
    """What the receiver of one lane has accepted."""

    def __init__(self) -> None:
        self.accepted: list[int] = []
        self.covered = set[int]()
        self.sent_again = set[int]()

    def accept(self, claim: Claim) -> None:
        """A seq may come again, but none before the last, unless it was asked for."""
        last = self.accepted[-1] if self.accepted else 0
        asked = claim.seq in self.sent_again or last in self.sent_again
        assert claim.seq >= last or asked, (self.accepted, claim.seq)
        self.accepted.append(claim.seq)
        self.covered |= {claim.seq, *claim.stands_for}


class World:
    """A store's lanes beside a model of who accepted what."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lanes = Lanes(connection)
        self.first = fresh("ord")
        self.partition = partition_of(self.first)
        numbers = range(10_000)
        names = (f"{self.first}x{number}" for number in numbers)
        self.orders = [
            self.first,
            next(name for name in names if partition_of(name) == self.partition),
        ]
        self.seqs = dict.fromkeys(self.orders, 0)
        self.out: list[Claim] = []
        self.seen: defaultdict[str, Lane] = defaultdict(Lane)

    async def take(self, step: Step) -> None:
        what, which = step
        match what:
            case "event":
                await self.event(self.orders[which])
            case "claim":
                self.out += await self.claims(60.0)
            case "dies before" | "dies after":
                await self.die(accepted=what == "dies after")
            case "replay" | "recover":
                await self.again(what, which)
            case _ if self.out:
                await self.settle(self.out.pop(which % len(self.out)), what)

    async def event(self, order_id: str) -> None:
        self.seqs[order_id] += 1
        await self.lanes.add(
            News(order_id, EPOCH, self.seqs[order_id], "acme", "https://a.example", BODY, TARGETS)
        )

    async def claims(self, lease: float) -> list[Claim]:
        found = (await self.lanes.claim(self.partition, lease, WIDE)).items
        mine = [each for each in found if each.order_id in self.orders]
        lanes = [each.lane for each in (*self.out, *mine)]
        assert len(lanes) == len(set(lanes)), "two are out in one lane"
        return mine

    async def die(self, *, accepted: bool) -> None:
        """A bridge that is killed before or after its receivers have answered. Somebody else
        has its lanes then; what it may still say is too late.
        """
        dead = await self.claims(0.001)
        if accepted:
            for claim in dead:
                self.seen[claim.lane].accept(claim)
        lanes = {claim.lane for claim in dead}
        while lanes - {claim.lane for claim in self.out}:
            self.out += await self.claims(60.0)
        for claim in dead:
            with pytest.raises(StaleClaimError):
                await self.lanes.settle(claim, Settlement(State.DEAD, {"status": 500}))

    async def settle(self, claim: Claim, how: str) -> None:
        record = {"at": 0.0, "took": 0.0, "status": 200}
        match how:
            case "accepted":
                self.seen[claim.lane].accept(claim)
                await self.lanes.settle(claim, Settlement(State.DELIVERED, record))
            case "no answer":
                self.seen[claim.lane].accept(claim)
                await self.lanes.settle(claim, Settlement(State.PENDING, record))
            case "refused":
                await self.lanes.settle(claim, Settlement(State.PENDING, record))
            case "late":
                await self.lanes.settle(claim, Settlement(State.PENDING))
            case _:
                state, whole = State(how), how == "held"
                await self.lanes.settle(claim, Settlement(state, record, whole=whole))

    async def again(self, how: str, which: int) -> None:
        aside = [item for item in await self.kept() if item[1] in (State.DEAD, State.HELD)]
        if how == "recover":
            for target in ("ep_a", "ep_b"):
                await self.lanes.recover(self.partition, target, 0.0)
                self.mark(each for each, _ in aside if each.target == target)
        elif aside:
            one = aside[which % len(aside)][0]
            assert await self.lanes.replay(one)
            self.mark([one])

    def mark(self, which: Iterable[WebhookId]) -> None:
        for each in which:
            self.seen[f"{each.target}|{each.order_id}"].sent_again.add(each.seq)

    async def kept(self) -> list[tuple[WebhookId, State]]:
        books = await Books(self.connection).of_orders(self.orders)
        return [(item.which, item.state) for book in books if book for item in book.items]

    async def drain(self) -> None:
        """Every receiver accepts everything from now on."""
        while self.out:
            await self.settle(self.out.pop(), "accepted")
        while claims := await self.claims(60.0):
            for claim in claims:
                await self.settle(claim, "accepted")

    async def check(self) -> None:
        """Each event of each lane was accepted, or stood for, or is there as dead or held."""
        states = dict(await self.kept())
        for order_id in self.orders:
            for target in TARGETS:
                covered = self.seen[f"{target.name}|{order_id}"].covered
                for seq in range(1, self.seqs[order_id] + 1):
                    state = states[WebhookId(order_id, EPOCH, seq, target.name)]
                    assert state is not State.PENDING
                    assert seq in covered or state in (State.DEAD, State.HELD)
                    assert state is not State.SUPERSEDED or target.latest


async def play(url: str, steps: Sequence[Step]) -> None:
    connection = Connection(url)
    try:
        world = World(connection)
        for step in steps:
            await world.take(step)
        await world.drain()
        await world.check()
    finally:
        await connection.close()


@settings(max_examples=300)
@given(STEPS)
def test_order_is_kept_and_nothing_is_lost(shared_store: EmbeddedStore, steps: list[Step]) -> None:
    asyncio.run(play(shared_store.url, steps))
