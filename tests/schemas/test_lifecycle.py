"""The lifecycle's tables hold together."""

from itertools import pairwise

import pytest

from schemas.lifecycle import (
    COURIER_EVENTS,
    COURIER_STEPS,
    FINAL,
    MAIN_LINE,
    STATUS_EVENTS,
    STEPS_BY_ROLE,
    TRANSITIONS,
    CourierState,
    EventType,
    Role,
    Status,
    skipped,
)


def reachable(status: Status) -> set[Status]:
    found: set[Status] = set()
    waiting = set(TRANSITIONS[status])
    while waiting:
        found |= waiting
        waiting = {after for step in waiting for after in TRANSITIONS[step]} - found
    return found


def test_every_status_has_its_row() -> None:
    """No status is missing from the tables."""
    assert set(Status) == set(TRANSITIONS) == set(STATUS_EVENTS)
    assert set(CourierState) == set(COURIER_STEPS)


def test_the_final_statuses() -> None:
    """COMPLETED, CANCELLED and RETURNED are final, and no other."""
    assert {Status.COMPLETED, Status.CANCELLED, Status.RETURNED} == FINAL


@pytest.mark.parametrize("status", sorted(set(Status) - FINAL))
def test_no_order_is_stuck(status: Status) -> None:
    """From every status under way a final one can be reached."""
    assert reachable(status) & FINAL


@pytest.mark.parametrize("status", Status)
def test_nothing_goes_back(status: Status) -> None:
    """No status can be reached again once it was left."""
    assert status not in reachable(status)


def test_every_status_can_be_reached() -> None:
    """From PENDING an order can come to every other status."""
    assert set(Status) - {Status.PENDING} == reachable(Status.PENDING)


def test_the_main_line_is_walkable() -> None:
    """Each step of the good case is allowed."""
    assert all(after in TRANSITIONS[before] for before, after in pairwise(MAIN_LINE))


def test_pending_must_be_confirmed() -> None:
    """Nothing but CONFIRMED and CANCELLED follows PENDING."""
    assert {Status.CONFIRMED, Status.CANCELLED} == set(TRANSITIONS[Status.PENDING])


@pytest.mark.parametrize("status", MAIN_LINE[:-1])
def test_cancelling_while_under_way(status: Status) -> None:
    """The first four statuses may be cancelled."""
    assert Status.CANCELLED in TRANSITIONS[status]


def test_returned_needs_returning() -> None:
    """RETURNED follows RETURNING alone, and RETURNING follows ON_DELIVERY alone."""
    before = {s: {b for b, after in TRANSITIONS.items() if s in after} for s in Status}
    assert {Status.RETURNING} == before[Status.RETURNED]
    assert {Status.ON_DELIVERY} == before[Status.RETURNING]


@pytest.mark.parametrize(
    ("current", "following", "expected"),
    [
        (Status.CONFIRMED, Status.PREPARING, ()),
        (Status.CONFIRMED, Status.COMPLETED, (Status.PREPARING, Status.ON_DELIVERY)),
        (Status.PREPARING, Status.COMPLETED, (Status.ON_DELIVERY,)),
        (Status.PENDING, Status.CANCELLED, ()),
        (Status.ON_DELIVERY, Status.RETURNING, ()),
        (Status.COMPLETED, Status.CONFIRMED, ()),
    ],
)
def test_what_a_step_skips(
    current: Status, following: Status, expected: tuple[Status, ...]
) -> None:
    """A step along the main line passes over what lies between; any other over nothing."""
    assert expected == skipped(current, following)


def test_roles_ask_for_what_can_be() -> None:
    """The parties have their rows; what one of them may ask for can follow something."""
    parties = {Role.MERCHANT, Role.RIDER, Role.CUSTOMER}
    assert parties | {Role.PLATFORM} <= set(STEPS_BY_ROLE)
    told = set().union(*(STEPS_BY_ROLE[role] for role in parties))
    assert told <= {after for following in TRANSITIONS.values() for after in following}
    assert {Status.CANCELLED} == STEPS_BY_ROLE[Role.CUSTOMER]


def test_events_tell_statuses_apart() -> None:
    """No two statuses, and no two courier states, share an event."""
    told = [*STATUS_EVENTS.values(), *COURIER_EVENTS.values()]
    assert len(told) == len(set(told))
    assert set(told) <= set(EventType)


@pytest.mark.parametrize("state", sorted(set(CourierState) - {CourierState.UNASSIGNED}))
def test_a_courier_may_always_drop_out(state: CourierState) -> None:
    """From every state of an assigned courier UNASSIGNED may follow."""
    assert CourierState.UNASSIGNED in COURIER_STEPS[state]


def test_only_the_platform_assigns() -> None:
    """No step of the courier's own leads out of UNASSIGNED or to ASSIGNED."""
    assert () == COURIER_STEPS[CourierState.UNASSIGNED]
    assert CourierState.ASSIGNED not in {s for steps in COURIER_STEPS.values() for s in steps}
