"""Any commands in any order: the sequence has no hole, nothing goes back, the end is the end."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.core.orders.chain import sealed
from hub.core.orders.change import Change, Unchanged
from hub.core.orders.deadlines import Deadline, Durations, deadlines, expire
from hub.core.orders.exceptions import Report, hear, raise_exception, resolve
from hub.core.orders.order import (
    assign_rider,
    change_status,
    mark_ready,
    move_courier,
    pay,
    place,
    unassign_rider,
)
from hub.core.orders.state import OrderState
from hub.errors import RefusedError
from schemas.exceptions import ExceptionCode, Resolution
from schemas.lifecycle import (
    STATUS_EVENTS,
    TRANSITIONS,
    CourierState,
    EventType,
    PaymentMethod,
    PaymentState,
    Role,
    Status,
)
from schemas.orders import Actor, OrderStatusUpdate
from tests.core.making import NOW, PLATFORM, REQUEST

ACTORS = st.builds(Actor, role=st.sampled_from(Role), sub=st.sampled_from([None, "x"]))
OFFSETS = st.floats(-5000, 400)


class Order(RuleBasedStateMachine):
    """Every command on every state changes it, leaves it, or is refused; and nothing else."""

    @initialize(method=st.sampled_from(PaymentMethod))
    def placing(self, method: PaymentMethod) -> None:
        self.now = NOW
        request = {**REQUEST, "paymentMethod": method.value}
        placed = place("ord_1", "abcdefgh", request, "default", PLATFORM, NOW)
        self.state, self.events = placed.state, list(placed.events)

    def command(self, decide: Callable[[OrderState], Change | Unchanged]) -> None:
        before = self.state
        try:
            decision = decide(before)
        except RefusedError:
            return
        if isinstance(decision, Unchanged):
            return
        after = decision.state
        assert after != before
        assert len(decision.events) <= 1 or decision.opened or decision.closed
        assert after.seq == before.seq + len(decision.events)
        assert after.status is before.status or after.status in TRANSITIONS[before.status]
        assert set(before.reached) <= set(after.reached)
        assert not before.final
        if after.status is Status.CONFIRMED:
            assert not after.needs_payment
        self.state = after
        self.events += decision.events

    @rule(seconds=st.floats(0, 1000))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        actor=ACTORS,
        status=st.sampled_from(Status),
        offset=OFFSETS,
        minutes=st.none() | st.integers(0, 1440),
        reason=st.none() | st.just("why"),
    )
    def status(
        self, actor: Actor, status: Status, offset: float, minutes: int | None, reason: str | None
    ) -> None:
        told = OrderStatusUpdate(
            status=status,
            timestamp=round(self.now + offset, 3),
            estimated_time=minutes,
            reason=reason,
        )
        self.command(lambda state: change_status(state, told, actor, self.now))

    @rule(status=st.sampled_from([Status.CONFIRMED, Status.PREPARING, Status.ON_DELIVERY]))
    def onward(self, status: Status) -> None:
        told = OrderStatusUpdate(status=status, timestamp=self.now)
        self.command(lambda state: change_status(state, told, PLATFORM, self.now))

    @rule(told=st.sampled_from(PaymentState))
    def payment(self, told: PaymentState) -> None:
        self.command(lambda state: pay(state, told, self.now))

    @rule(rider=st.sampled_from(["r1", "r2"]), actor=ACTORS)
    def assign(self, rider: str, actor: Actor) -> None:
        self.command(lambda state: assign_rider(state, rider, actor, self.now))

    @rule(actor=ACTORS)
    def unassign(self, actor: Actor) -> None:
        self.command(lambda state: unassign_rider(state, actor, self.now))

    @rule(to=st.sampled_from(CourierState), actor=ACTORS)
    def courier(self, to: CourierState, actor: Actor) -> None:
        self.command(lambda state: move_courier(state, to, actor, self.now))

    @rule(actor=ACTORS)
    def ready(self, actor: Actor) -> None:
        self.command(lambda state: mark_ready(state, actor, self.now))

    @rule(
        code=st.sampled_from(ExceptionCode),
        items=st.sampled_from([(), ("i",), ("j",), ("i", "j")]),
        actor=ACTORS,
    )
    def raising(self, code: ExceptionCode, items: tuple[str, ...], actor: Actor) -> None:
        report = Report(f"exc_{self.state.seq}", code, items=items)
        self.command(lambda state: raise_exception(state, report, actor, self.now))

    @rule(which=st.integers(0, 3), resolution=st.sampled_from(Resolution), actor=ACTORS)
    def resolving(self, which: int, resolution: Resolution, actor: Actor) -> None:
        if which < len(self.state.exceptions):
            exception = self.state.exceptions[which]
            self.command(lambda state: resolve(state, exception, resolution, actor, self.now))

    @rule(deadline=st.sampled_from(Deadline))
    def expiring(self, deadline: Deadline) -> None:
        name = f"exc_{self.state.seq}"
        self.command(lambda state: expire(state, deadline, name, Durations(), self.now))

    @rule(actor=ACTORS)
    def hearing(self, actor: Actor) -> None:
        self.command(lambda state: hear(state, actor, self.now))

    @invariant()
    def every_exception_is_told_when_it_opens_and_when_it_ends(self) -> None:
        told: dict[str, str] = {}
        for event in self.events:
            if event["eventType"] in (EventType.EXCEPTION, EventType.EXCEPTION_RESOLVED):
                view = event["exception"]
                before = told.get(view["exceptionId"])
                assert (before, view["state"]) in [(None, "open"), ("open", "resolved")]
                told[view["exceptionId"]] = view["state"]
        still_open = {name for name, state in told.items() if state == "open"}
        assert still_open == {each.exception_id for each in self.state.exceptions}
        assert len({each.code for each in self.state.exceptions}) == len(self.state.exceptions)

    @invariant()
    def a_finished_order_has_nothing_open_and_nothing_due(self) -> None:
        if self.state.final:
            assert () == self.state.exceptions
            assert {} == deadlines(self.state, Durations())
            assert self.events[-1]["eventType"] == STATUS_EVENTS[self.state.status]

    @invariant()
    def an_order_is_never_without_items(self) -> None:
        assert self.state.request["items"]

    @invariant()
    def the_sequence_has_no_hole(self) -> None:
        assert list(range(1, self.state.seq + 1)) == [event["seq"] for event in self.events]

    @invariant()
    def the_chain_holds(self) -> None:
        previous = ""
        for event in self.events:
            bare: dict[str, Any] = {
                name: value for name, value in event.items() if name not in ("hash", "prevHash")
            }
            assert sealed(bare, previous) == event
            previous = event["hash"]
        assert previous == self.state.hash

    @invariant()
    def the_last_event_tells_the_status(self) -> None:
        assert self.state.status == self.events[-1]["status"]

    @invariant()
    def a_rider_is_there_or_not(self) -> None:
        state = self.state
        assert (state.rider_id is None) == (state.courier_state is CourierState.UNASSIGNED)


Order.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestOrder = Order.TestCase
