"""What each command makes of an order (contract 2 and 11)."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hub.core.orders.change import Change, Unchanged
from hub.core.orders.order import (
    assign_rider,
    change_status,
    mark_ready,
    move_courier,
    pay,
    unassign_rider,
)
from hub.core.orders.state import OrderState
from hub.errors import ConflictError, ForbiddenError, UnprocessableError
from schemas.lifecycle import (
    STEPS_BY_ROLE,
    TRANSITIONS,
    CourierState,
    EventType,
    PaymentState,
    Role,
    Status,
)
from tests.core.making import NOW, PLATFORM, actor, advance, placed, update

WAYS: dict[Status, tuple[str, ...]] = {
    Status.PENDING: (),
    Status.CONFIRMED: ("CONFIRMED",),
    Status.PREPARING: ("CONFIRMED", "PREPARING"),
    Status.ON_DELIVERY: ("CONFIRMED", "ON_DELIVERY"),
    Status.COMPLETED: ("CONFIRMED", "COMPLETED"),
    Status.CANCELLED: ("CANCELLED",),
    Status.RETURNING: ("CONFIRMED", "ON_DELIVERY", "RETURNING"),
    Status.RETURNED: ("CONFIRMED", "ON_DELIVERY", "RETURNING", "RETURNED"),
}
STEPS = [(start, target) for start in Status for target in Status if start is not target]
LATER = NOW + 1000


def changed(decision: Change | Unchanged) -> OrderState:
    assert isinstance(decision, Change)
    return decision.state


def the_event(decision: Change | Unchanged) -> dict[str, Any]:
    assert isinstance(decision, Change)
    (event,) = decision.events
    return event


def test_a_new_order() -> None:
    """PENDING at seq 1, nobody rides, nothing is paid."""
    state = placed()
    assert (Status.PENDING, 1, CourierState.UNASSIGNED, PaymentState.UNPAID) == (
        state.status,
        state.seq,
        state.courier_state,
        state.payment_state,
    )


@pytest.mark.parametrize(("start", "target"), STEPS)
def test_the_table_decides(start: Status, target: Status) -> None:
    """A step is taken with one event, or refused with the steps that are allowed."""
    state = advance(placed(), *WAYS[start])
    asked = update(target, LATER)
    if target in TRANSITIONS[start]:
        event = the_event(change_status(state, asked, PLATFORM, LATER))
        assert (target, state.seq + 1) == (event["status"], event["seq"])
    else:
        with pytest.raises(ConflictError) as refused:
            change_status(state, asked, PLATFORM, LATER)
        assert list(TRANSITIONS[start]) == refused.value.members["allowed"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("target", Status)
def test_the_role_decides(role: Role, target: Status) -> None:
    """A status that a role may never set is forbidden, whatever the order's state."""
    if target in STEPS_BY_ROLE.get(role, ()):
        return
    for way in WAYS.values():
        with pytest.raises(ForbiddenError):
            change_status(advance(placed(), *way), update(target, LATER), actor(role), LATER)


@pytest.mark.parametrize("start", Status)
def test_a_customer_cancels_while_pending(start: Status) -> None:
    """Later it is the platform's word, and the refusal names nothing that would be allowed."""
    state = advance(placed(), *WAYS[start])
    asked, customer = update(Status.CANCELLED, LATER), actor(Role.CUSTOMER)
    if start is Status.PENDING:
        assert Status.CANCELLED is changed(change_status(state, asked, customer, LATER)).status
    elif start is Status.CANCELLED:
        assert Unchanged() == change_status(state, asked, customer, LATER)
    else:
        with pytest.raises(ConflictError) as refused:
            change_status(state, asked, customer, LATER)
        assert [] == refused.value.members["allowed"]
        assert "while the order is PENDING" in refused.value.detail


@pytest.mark.parametrize("status", Status)
def test_repeating_a_status(status: Status) -> None:
    """It changes nothing, with whatever time."""
    state = advance(placed(), *WAYS[status])
    for at in (NOW - 1000, LATER):
        assert Unchanged() == change_status(state, update(status, at), PLATFORM, LATER)


def test_a_skip_is_one_event() -> None:
    """What was skipped counts as passed: told later with an older time, it is late."""
    state = advance(placed(), "CONFIRMED")
    skipping = change_status(state, update("COMPLETED", NOW + 50), PLATFORM, NOW + 50)
    assert 3 == the_event(skipping)["seq"]
    for passed in ("CONFIRMED", "PREPARING", "ON_DELIVERY"):
        late = change_status(changed(skipping), update(passed, NOW + 20), PLATFORM, LATER)
        assert Unchanged(late=True) == late


def test_a_passed_status_with_a_newer_time() -> None:
    """That is no late word but a step back: refused."""
    state = advance(placed(), "CONFIRMED", "PREPARING")
    with pytest.raises(ConflictError):
        change_status(state, update("CONFIRMED", LATER), PLATFORM, LATER)


def test_an_older_time_for_what_was_never_reached() -> None:
    """It is judged as any step: forward it is taken, elsewhere refused."""
    state = advance(placed(), "CONFIRMED")
    forward = change_status(state, update("PREPARING", NOW - 100), PLATFORM, NOW)
    assert Status.PREPARING is changed(forward).status
    with pytest.raises(ConflictError):
        change_status(state, update("RETURNED", NOW - 100), PLATFORM, NOW)


def test_cancelling_needs_a_reason() -> None:
    """422 at #/reason, also where the order is cancelled already."""
    bare = update("CONFIRMED").model_copy(update={"status": Status.CANCELLED})
    for state in (placed(), advance(placed(), "CANCELLED")):
        with pytest.raises(UnprocessableError) as refused:
            change_status(state, bare, PLATFORM, NOW)
        assert "#/reason" == refused.value.members["errors"][0]["pointer"]


def test_the_reason_is_told() -> None:
    """In the event and in the order."""
    told = change_status(placed(), update("CANCELLED", reason="closed"), PLATFORM, NOW)
    assert ("closed", "closed") == (the_event(told)["reason"], changed(told).reason)


@pytest.mark.parametrize("lead", [301, 10_000, 10**9])
def test_a_time_in_the_future(lead: float) -> None:
    """Five minutes are a clock that is wrong, more is an error."""
    with pytest.raises(UnprocessableError):
        change_status(placed(), update("CONFIRMED", NOW + lead), PLATFORM, NOW)
    assert changed(change_status(placed(), update("CONFIRMED", NOW + 299), PLATFORM, NOW))


@pytest.mark.parametrize("method", ["WECHAT", "ALIPAY"])
@pytest.mark.parametrize("payment", PaymentState)
def test_the_payment_gate(method: str, payment: PaymentState) -> None:
    """Only PAID opens the way to CONFIRMED; cancelling needs no payment."""
    state = advance(placed(paymentMethod=method), payment_state=payment)
    asked = update("CONFIRMED")
    if payment is PaymentState.PAID:
        assert Status.CONFIRMED is changed(change_status(state, asked, PLATFORM, NOW)).status
    else:
        with pytest.raises(ConflictError) as refused:
            change_status(state, asked, PLATFORM, NOW)
        assert ["CANCELLED"] == refused.value.members["allowed"]
    assert changed(change_status(state, update("CANCELLED"), PLATFORM, NOW)).final


PAYMENTS = [
    ("UNPAID", "PAID", True),
    ("UNPAID", "FAILED", True),
    ("FAILED", "PAID", True),
    ("FAILED", "FAILED", False),
    ("PAID", "PAID", False),
    ("PAID", "FAILED", None),
]


@pytest.mark.parametrize(("before", "told", "wanted"), PAYMENTS)
def test_paying(before: str, told: str, wanted: bool | None) -> None:
    """A payment makes no event and no seq; what is PAID stays PAID."""
    state = advance(placed(paymentMethod="WECHAT"), payment_state=PaymentState(before))
    if wanted is None:
        with pytest.raises(ConflictError):
            pay(state, PaymentState(told), NOW)
        return
    decision = pay(state, PaymentState(told), NOW)
    assert wanted is isinstance(decision, Change)
    if isinstance(decision, Change):
        assert ((), state.seq, told) == (
            decision.events,
            decision.state.seq,
            decision.state.payment_state,
        )


def test_paying_a_finished_order() -> None:
    """Too late."""
    with pytest.raises(ConflictError):
        pay(advance(placed(), "CANCELLED"), PaymentState.PAID, NOW)


# The courier


def test_assigning() -> None:
    """One event for a rider, one for another, none for the same again."""
    first = changed(assign_rider(placed(), "r1", PLATFORM, NOW))
    assert Unchanged() == assign_rider(first, "r1", PLATFORM, NOW)
    again = assign_rider(first, "r2", PLATFORM, NOW)
    assert EventType.COURIER_ASSIGNED == the_event(again)["eventType"]
    assert ("r2", CourierState.ASSIGNED, 3) == (
        changed(again).rider_id,
        changed(again).courier_state,
        changed(again).seq,
    )


def test_unassigning() -> None:
    """One event; the status stays; a second time changes nothing."""
    state = advance(placed(), "CONFIRMED", "ON_DELIVERY")
    state = changed(assign_rider(state, "r1", PLATFORM, NOW))
    gone = unassign_rider(state, PLATFORM, NOW)
    assert EventType.COURIER_UNASSIGNED == the_event(gone)["eventType"]
    assert (Status.ON_DELIVERY, None) == (changed(gone).status, changed(gone).rider_id)
    assert Unchanged() == unassign_rider(changed(gone), PLATFORM, NOW)


def test_every_assignment_and_pick_up_is_a_leg() -> None:
    """Positions of one leg are never taken for another's."""
    state = placed()
    legs = [state.leg]
    decisions: tuple[Callable[[OrderState], Change | Unchanged], ...] = (
        lambda s: assign_rider(s, "r1", PLATFORM, NOW),
        lambda s: change_status(s, update("CONFIRMED"), PLATFORM, NOW),
        lambda s: change_status(s, update("ON_DELIVERY"), PLATFORM, NOW),
        lambda s: assign_rider(s, "r2", PLATFORM, NOW),
        lambda s: unassign_rider(s, PLATFORM, NOW),
    )
    for decide in decisions:
        state = changed(decide(state))
        legs.append(state.leg)
    assert [0, 1, 1, 2, 3, 4] == legs


def riding(courier: str, *way: str) -> OrderState:
    way = way or ("CONFIRMED",)
    return advance(placed(), *way, rider_id="r1", courier_state=CourierState(courier))


def test_picking_up() -> None:
    """PICKED_UP is told by `order.on_delivery`, one event for both."""
    for before in ("ASSIGNED", "AT_STORE"):
        picked = move_courier(riding(before), CourierState.PICKED_UP, actor(Role.RIDER), NOW)
        assert EventType.ON_DELIVERY == the_event(picked)["eventType"]
        assert ("PICKED_UP", "ON_DELIVERY") == (
            changed(picked).courier_state,
            changed(picked).status,
        )


def test_on_delivery_is_a_pick_up() -> None:
    """The other way round: the status brings the courier's state along."""
    state = change_status(riding("AT_STORE"), update("ON_DELIVERY"), PLATFORM, NOW)
    assert CourierState.PICKED_UP is changed(state).courier_state


def test_picking_up_before_confirmed() -> None:
    """A PENDING order cannot be picked up."""
    state = advance(placed(), rider_id="r1", courier_state=CourierState.ASSIGNED)
    with pytest.raises(ConflictError) as refused:
        move_courier(state, CourierState.PICKED_UP, actor(Role.RIDER), NOW)
    assert ["CONFIRMED", "CANCELLED"] == refused.value.members["allowed"]


def test_a_second_rider_takes_over() -> None:
    """On the way already: nothing new for the customer, so no event."""
    state = riding("ASSIGNED", "CONFIRMED", "ON_DELIVERY")
    taken = move_courier(state, CourierState.PICKED_UP, actor(Role.RIDER), NOW)
    assert isinstance(taken, Change)
    assert ((), CourierState.PICKED_UP) == (taken.events, taken.state.courier_state)


COURIER = [
    ("ASSIGNED", "AT_STORE", True),
    ("ASSIGNED", "NEARBY", False),
    ("ASSIGNED", "AT_DOOR", False),
    ("AT_STORE", "ASSIGNED", False),
    ("PICKED_UP", "AT_STORE", False),
    ("PICKED_UP", "NEARBY", True),
    ("PICKED_UP", "AT_DOOR", True),
    ("NEARBY", "AT_DOOR", True),
    ("AT_DOOR", "NEARBY", False),
    ("UNASSIGNED", "AT_STORE", False),
    ("NEARBY", "UNASSIGNED", True),
]


@pytest.mark.parametrize(("before", "target", "allowed"), COURIER)
def test_the_couriers_axis(before: str, target: str, allowed: bool) -> None:
    """Forward only, or out."""
    state = riding(before, "CONFIRMED", "ON_DELIVERY")
    told = CourierState(target)
    if allowed:
        moved = changed(move_courier(state, told, actor(Role.RIDER), NOW))
        assert (told, Status.ON_DELIVERY) == (moved.courier_state, moved.status)
    else:
        with pytest.raises(ConflictError):
            move_courier(state, told, actor(Role.RIDER), NOW)


@pytest.mark.parametrize("status", Status)
def test_ready(status: Status) -> None:
    """Between CONFIRMED and the way, once."""
    state = advance(placed(), *WAYS[status])
    if status in (Status.CONFIRMED, Status.PREPARING):
        ready = changed(mark_ready(state, actor(Role.MERCHANT), NOW))
        assert NOW == ready.ready_at
        assert Unchanged() == mark_ready(ready, actor(Role.MERCHANT), NOW)
    else:
        with pytest.raises(ConflictError):
            mark_ready(state, actor(Role.MERCHANT), NOW)


def test_packing() -> None:
    """A state survives the store."""
    state = advance(placed(), "CONFIRMED", "ON_DELIVERY", rider_id="r")
    packed = msgspec.msgpack.encode(state)
    assert state == msgspec.msgpack.decode(packed, type=OrderState)
    assert "ON_DELIVERY" == msgspec.msgpack.decode(packed)["status"]
