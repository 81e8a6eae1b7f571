"""The catalogue: who raises what, what it does, how it ends (contract 3)."""

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.orders.change import Change, Unchanged
from hub.core.orders.deadlines import Deadline, Durations, deadlines, expire
from hub.core.orders.exceptions import Report, hear, raise_exception, resolve
from hub.core.orders.order import assign_rider, pay, unassign_rider
from hub.core.orders.state import OrderState
from hub.errors import ConflictError, ForbiddenError, UnprocessableError
from schemas.exceptions import CATALOGUE, ExceptionCode, Resolution
from schemas.lifecycle import PaymentState, Role, Status
from tests.core.making import NOW, PLATFORM, actor, advance, placed

D = Durations()
LATER = NOW + 1000
WAY = ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
TWO = [
    {"itemId": "i1", "name": "n", "quantity": 1, "unitPriceCents": 100},
    {"itemId": "i2", "name": "m", "quantity": 1, "unitPriceCents": 50},
]


def riding(**changes: Any) -> OrderState:
    """ON_DELIVERY, with a rider."""
    state = advance(placed(**changes), "CONFIRMED", "PREPARING")
    assigned = assign_rider(state, "r1", PLATFORM, NOW)
    assert isinstance(assigned, Change)
    return advance(assigned.state, "ON_DELIVERY")


def raised(state: OrderState, code: str, role: Role = Role.PLATFORM, **more: Any) -> Change:
    return raise_exception(state, Report("exc_1", ExceptionCode(code), **more), actor(role), LATER)


def fired(state: OrderState, deadline: Deadline) -> Change:
    change = expire(state, deadline, "exc_9", D, LATER)
    assert isinstance(change, Change)
    return change


def told(change: Change) -> list[str]:
    """The events, with what an exception's code and state are in them."""
    shown = []
    for event in change.events:
        exception = event.get("exception")
        more = f" {exception['code']} {exception.get('resolution', 'open')}" if exception else ""
        shown.append(event["eventType"] + more)
    return shown


RIGHTS = {
    "ITEM_SOLD_OUT": Role.MERCHANT,
    "MERCHANT_REJECTED": Role.MERCHANT,
    "UNDELIVERABLE": Role.RIDER,
    "CUSTOMER_CANCELLED": Role.CUSTOMER,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("code", ExceptionCode)
def test_who_may_raise(code: ExceptionCode, role: Role) -> None:
    """The platform and the worker all; merchant, rider and customer their own."""
    allowed = role in (Role.PLATFORM, Role.OPS) or RIGHTS.get(code) is role
    items = ("i",) if code == "ITEM_SOLD_OUT" else ()
    if allowed:
        with suppress(ConflictError):  # not as this order stands
            raised(placed(paymentMethod="WECHAT"), code, role, items=items)
    else:
        with pytest.raises(ForbiddenError, match=f"a {role} may not raise {code}"):
            raised(placed(), code, role, items=items)


@pytest.mark.parametrize(
    ("code", "role"),
    [("MERCHANT_REJECTED", Role.MERCHANT), ("CUSTOMER_CANCELLED", Role.CUSTOMER)],
)
def test_what_cancels(code: str, role: Role) -> None:
    """It is told as opened and closed, and the order as cancelled for that reason, last."""
    change = raised(placed(), code, role, detail="why")
    assert told(change) == [
        f"order.exception {code} open",
        f"order.exception_resolved {code} cancelled",
        "order.cancelled",
    ]
    assert (change.state.status, change.state.reason) == (Status.CANCELLED, code)
    assert change.state.exceptions == ()
    assert change.events[0]["exception"]["detail"] == "why"
    assert change.events[-1]["actor"] == {"role": role.value}


def test_undeliverable_on_the_way() -> None:
    """The rider cancels what they may not cancel by its status."""
    change = raised(riding(), "UNDELIVERABLE", Role.RIDER)
    assert change.state.status is Status.CANCELLED


@pytest.mark.parametrize("code", ExceptionCode)
def test_nothing_is_raised_after_the_end(code: ExceptionCode) -> None:
    items = ("i",) if code == "ITEM_SOLD_OUT" else ()
    state = advance(placed(paymentMethod="WECHAT"), "CANCELLED")
    with pytest.raises(ConflictError, match="cannot be raised") as refused:
        raised(state, code, items=items)
    assert refused.value.members["current"] == "CANCELLED"
    assert refused.value.members["allowed"] == sorted(CATALOGUE[code].statuses)


def test_why_it_cannot_be_raised_is_said() -> None:
    """Where it is not the status that forbids it."""
    with pytest.raises(ConflictError, match="nothing is to be paid"):
        raised(placed(), "PAYMENT_TIMEOUT")
    assigned = assign_rider(advance(placed(), "CONFIRMED"), "r1", PLATFORM, NOW)
    assert isinstance(assigned, Change)
    with pytest.raises(ConflictError, match="the order has a rider"):
        raised(assigned.state, "RIDER_TIMEOUT")
    with pytest.raises(ConflictError, match="the order has no rider"):
        raised(advance(placed(), "CONFIRMED", "ON_DELIVERY"), "RIDER_SILENT")


def test_one_of_a_kind_is_open_at_a_time() -> None:
    change = raised(riding(), "RIDER_SILENT")
    with pytest.raises(ConflictError, match="is open already") as refused:
        raise_exception(change.state, Report("exc_2", ExceptionCode.RIDER_SILENT), PLATFORM, LATER)
    assert refused.value.members["exceptionId"] == "exc_1"


# Sold out


def test_the_rest_is_offered() -> None:
    """Accepted, the order goes on without what is sold out."""
    offered = raised(placed(items=TWO), "ITEM_SOLD_OUT", Role.MERCHANT, items=("i2",))
    assert told(offered) == ["order.exception ITEM_SOLD_OUT open"]
    assert deadlines(offered.state, D)[Deadline.SOLD_OUT_TIMEOUT] == LATER + 180
    (offer,) = offered.state.exceptions
    taken = resolve(offered.state, offer, Resolution.ACCEPTED, actor(Role.CUSTOMER), LATER + 5)
    assert told(taken) == ["order.exception_resolved ITEM_SOLD_OUT accepted"]
    assert [item["itemId"] for item in taken.state.request["items"]] == ["i1"]
    assert Deadline.SOLD_OUT_TIMEOUT not in deadlines(taken.state, D)
    (closed,) = taken.closed
    assert (closed.exception, closed.at) == (offer, LATER + 5)


def test_an_offer_is_declined_or_not_answered() -> None:
    """Both cancel; the resolution says which it was."""
    offered = raised(placed(items=TWO), "ITEM_SOLD_OUT", Role.MERCHANT, items=("i1",)).state
    (offer,) = offered.exceptions
    declined = resolve(offered, offer, Resolution.DECLINED, actor(Role.CUSTOMER), LATER)
    expired = fired(offered, Deadline.SOLD_OUT_TIMEOUT)
    for change, resolution in ((declined, "declined"), (expired, "expired")):
        assert told(change) == [
            f"order.exception_resolved ITEM_SOLD_OUT {resolution}",
            "order.cancelled",
        ]
        assert change.state.reason == "ITEM_SOLD_OUT"


def test_all_is_sold_out() -> None:
    change = raised(placed(items=TWO), "ITEM_SOLD_OUT", items=("i1", "i2"))
    assert change.state.status is Status.CANCELLED


@pytest.mark.parametrize(
    ("code", "items", "pointers"),
    [
        ("ITEM_SOLD_OUT", (), ["#/items"]),
        ("ITEM_SOLD_OUT", ("i", "x"), ["#/items/1"]),
        ("MERCHANT_REJECTED", ("i",), ["#/items"]),
    ],
)
def test_items_are_checked(code: str, items: tuple[str, ...], pointers: list[str]) -> None:
    with pytest.raises(UnprocessableError) as refused:
        raised(placed(), code, items=items)
    assert [error["pointer"] for error in refused.value.members["errors"]] == pointers


def test_food_on_its_way_answers_the_offer() -> None:
    """What left the shop needs no answer any more."""
    offered = raised(advance(placed(items=TWO), "CONFIRMED"), "ITEM_SOLD_OUT", items=("i1",)).state
    gone = advance(offered, "ON_DELIVERY")
    assert gone.exceptions == ()
    assert Deadline.SOLD_OUT_TIMEOUT not in deadlines(gone, D)


# Who resolves what

ANSWERS = {"accepted", "declined"}
BY_HAND = {"resolved", "cancelled"}


@pytest.mark.parametrize("resolution", Resolution)
@pytest.mark.parametrize(
    ("code", "role", "allowed"),
    [
        ("ITEM_SOLD_OUT", Role.CUSTOMER, ANSWERS),
        ("ITEM_SOLD_OUT", Role.PLATFORM, ANSWERS | BY_HAND),
        ("ITEM_SOLD_OUT", Role.MERCHANT, BY_HAND),
        ("MERCHANT_TIMEOUT", Role.PLATFORM, BY_HAND),
        ("MERCHANT_TIMEOUT", Role.MERCHANT, BY_HAND),
    ],
)
def test_who_resolves(code: str, role: Role, allowed: set[str], resolution: Resolution) -> None:
    items = ("i1",) if code == "ITEM_SOLD_OUT" else ()
    state = raised(placed(items=TWO), code, items=items).state
    (exception,) = state.exceptions
    if resolution in allowed:
        change = resolve(state, exception, resolution, actor(role), LATER)
        assert () == change.state.exceptions
        assert change.state.final is (resolution in ("declined", "cancelled"))
    else:
        with pytest.raises(UnprocessableError, match="resolution must be one of"):
            resolve(state, exception, resolution, actor(role), LATER)


def test_a_customer_answers_offers_alone() -> None:
    state = raised(placed(), "MERCHANT_TIMEOUT").state
    with pytest.raises(ForbiddenError, match="may not resolve MERCHANT_TIMEOUT"):
        resolve(state, state.exceptions[0], Resolution.RESOLVED, actor(Role.CUSTOMER), LATER)


# Deadlines


@pytest.mark.parametrize("code", ExceptionCode)
def test_the_catalogues_deadlines_are_settings(code: ExceptionCode) -> None:
    assert set(CATALOGUE[code].deadlines) <= set(Durations.__dataclass_fields__)


def test_unpaid() -> None:
    change = fired(placed(paymentMethod="ALIPAY"), Deadline.PAYMENT_TIMEOUT)
    assert told(change)[-1] == "order.cancelled"
    assert change.state.reason == "PAYMENT_TIMEOUT"
    assert change.events[-1]["actor"] == {"role": "ops", "sub": "worker"}


def test_a_payment_after_all() -> None:
    """A PAID order is not cancelled for its payment by anybody."""
    paid = pay(placed(paymentMethod="ALIPAY"), PaymentState.PAID, NOW)
    assert isinstance(paid, Change)
    assert expire(paid.state, Deadline.PAYMENT_TIMEOUT, "exc_9", D, LATER) == Unchanged()
    with pytest.raises(ConflictError, match="cannot be raised"):
        raised(paid.state, "PAYMENT_TIMEOUT")


def test_a_merchant_who_does_not_confirm() -> None:
    """A warning after 5 minutes, the end after 10; the warning is raised once."""
    state = placed()
    assert deadlines(state, D)[Deadline.MERCHANT_WARNING] == NOW + 300
    warned = fired(state, Deadline.MERCHANT_WARNING).state
    assert set(deadlines(warned, D)) == {Deadline.MERCHANT_TIMEOUT}
    given_up = fired(warned, Deadline.MERCHANT_TIMEOUT)
    assert told(given_up) == [
        "order.exception_resolved MERCHANT_TIMEOUT cancelled",
        "order.cancelled",
    ]


def test_a_merchant_given_up_without_a_warning() -> None:
    """Every exception is told as opened, also where both times come together."""
    assert told(fired(placed(), Deadline.MERCHANT_TIMEOUT)) == [
        "order.exception MERCHANT_TIMEOUT open",
        "order.exception_resolved MERCHANT_TIMEOUT cancelled",
        "order.cancelled",
    ]


def test_a_merchant_who_confirms_late() -> None:
    """Confirming resolves it, before the event that says so."""
    warned = fired(placed(), Deadline.MERCHANT_WARNING).state
    assert advance(warned, "CONFIRMED").exceptions == ()


def test_what_somebody_handled_is_not_raised_again() -> None:
    """As long as its cause goes on."""
    state = advance(placed(), "CONFIRMED", "PREPARING")
    missing = fired(state, Deadline.RIDER_TIMEOUT).state
    handled = resolve(missing, missing.exceptions[0], Resolution.RESOLVED, PLATFORM, LATER).state
    assert Deadline.RIDER_TIMEOUT not in deadlines(handled, D)
    assigned = assign_rider(handled, "r1", PLATFORM, LATER)
    assert isinstance(assigned, Change)
    dropped = unassign_rider(assigned.state, PLATFORM, LATER)
    assert isinstance(dropped, Change)
    assert Deadline.RIDER_TIMEOUT in deadlines(dropped.state, D)


def test_no_rider() -> None:
    """From PREPARING on; a rider resolves it."""
    state = advance(placed(), "CONFIRMED", "PREPARING")
    assert deadlines(state, D)[Deadline.RIDER_TIMEOUT] == state.status_at + 600
    missing = fired(state, Deadline.RIDER_TIMEOUT).state
    found = assign_rider(missing, "r1", PLATFORM, LATER)
    assert isinstance(found, Change)
    assert told(found) == ["order.exception_resolved RIDER_TIMEOUT resolved", "courier.assigned"]


def test_a_silent_rider() -> None:
    """The next fix resolves it, and the time runs from then."""
    state = riding()
    assert state.leg_at is not None
    assert deadlines(state, D)[Deadline.RIDER_SILENT] == state.leg_at + 120
    silent = fired(state, Deadline.RIDER_SILENT).state
    assert Deadline.RIDER_SILENT not in deadlines(silent, D)
    heard = hear(silent, actor(Role.RIDER, "r1"), LATER + 7)
    assert isinstance(heard, Change)
    assert told(heard) == ["order.exception_resolved RIDER_SILENT resolved"]
    assert deadlines(heard.state, D)[Deadline.RIDER_SILENT] == LATER + 127
    assert hear(heard.state, PLATFORM, LATER + 8) == Unchanged()


def test_a_silent_rider_is_handled_and_then_heard() -> None:
    """Somebody phoned: it is not raised again before a fix has come."""
    silent = fired(riding(), Deadline.RIDER_SILENT).state
    phoned = resolve(silent, silent.exceptions[0], Resolution.RESOLVED, PLATFORM, LATER).state
    assert Deadline.RIDER_SILENT not in deadlines(phoned, D)
    heard = hear(phoned, PLATFORM, LATER)
    assert isinstance(heard, Change)
    assert heard.events == ()
    assert Deadline.RIDER_SILENT in deadlines(heard.state, D)


def test_another_rider_is_not_the_silent_one() -> None:
    silent = fired(riding(), Deadline.RIDER_SILENT).state
    other = assign_rider(silent, "r2", PLATFORM, LATER)
    assert isinstance(other, Change)
    assert other.state.exceptions == ()
    assert deadlines(other.state, D)[Deadline.RIDER_SILENT] == LATER + 120


def test_overdue() -> None:
    """10 minutes past the estimate the customer is told; another estimate resolves it."""
    state = replace(advance(placed(), "CONFIRMED"), estimated_at=NOW + 60)
    assert deadlines(state, D)[Deadline.OVERDUE] == NOW + 660
    late = fired(state, Deadline.OVERDUE)
    assert told(late) == [
        "order.exception DELIVERY_OVERDUE open",
        "order.delayed DELIVERY_OVERDUE open",
    ]
    assert Deadline.OVERDUE not in deadlines(late.state, D)
    assert advance(late.state, "PREPARING").exceptions == late.state.exceptions
    moved = replace(late.state, estimated_at=LATER + 60)
    assert advance(moved, "PREPARING").exceptions == ()


@pytest.mark.parametrize("deadline", Deadline)
def test_a_deadline_that_runs_no_longer(deadline: Deadline) -> None:
    """It does nothing, although its time has come."""
    for way in (("CONFIRMED", "COMPLETED"), ("CANCELLED",)):
        state = advance(placed(), *way)
        assert expire(state, deadline, "exc_9", D, LATER) == Unchanged()


def test_the_end_closes_what_is_open() -> None:
    """Before the event that ends the order, which is the last."""
    silent = fired(riding(), Deadline.RIDER_SILENT).state
    done = advance(silent, "COMPLETED")
    assert done.exceptions == ()
    assert done.seq == silent.seq + 2
