"""Geofences."""

from math import cos, radians
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.orders import order as core
from hub.core.orders.change import Change, Unchanged
from hub.core.orders.state import OrderState
from hub.core.riders.gate import Gate
from schemas.lifecycle import CourierState, Role, Status
from schemas.motion import METRES_OF_A_DEGREE, distance
from schemas.orders import Actor, OrderStatusUpdate

C = CourierState
SHOP = {"lat": 31.2304, "lng": 121.4737}
DOOR = {"lat": 31.2397, "lng": 121.4998}
RIDER = Actor(role=Role.RIDER, sub="rider")
PLATFORM = Actor(role=Role.PLATFORM)


def changed(decision: Change | Unchanged) -> OrderState:
    assert isinstance(decision, Change)
    return decision.state


def assigned(pickup: dict[str, float] | None = SHOP) -> OrderState:
    request: dict[str, Any] = {"restaurantId": "r", "address": DOOR, "paymentMethod": "CASH"}
    if pickup:
        request["pickup"] = pickup
    state = core.place("ord_1", "abcdefgh", request, "default", PLATFORM, 0.0).state
    return changed(core.assign_rider(state, "rider", PLATFORM, 1.0))


def on_delivery() -> OrderState:
    state = assigned()
    for number, status in enumerate((Status.CONFIRMED, Status.ON_DELIVERY)):
        update = OrderStatusUpdate(status=status, timestamp=2.0 + number)
        state = changed(core.change_status(state, update, PLATFORM, 2.0 + number))
    return state


def beside(place: dict[str, float], metres: float) -> tuple[float, float]:
    """So far east of the place."""
    scale = METRES_OF_A_DEGREE * cos(radians(place["lat"]))
    return place["lat"], place["lng"] + metres / scale


def go(state: OrderState, place: dict[str, float], *ways: float) -> list[tuple[str, str | None]]:
    """The courier's states on the way, with the event that told of each."""
    seen: list[tuple[str, str | None]] = []
    for metres in ways:
        while (gate := Gate.of(state)) and (target := gate.crossed(*beside(place, metres))):
            decision = core.approach(state, target, RIDER, 9.0)
            assert isinstance(decision, Change)
            state = decision.state
            event = decision.events[0]["eventType"] if decision.events else None
            seen.append((state.courier_state.value, event))
    return seen


def test_to_the_store() -> None:
    """Once inside 150 m; gone only beyond 250 m; the second time without an event."""
    assert go(assigned(), SHOP, 400, 151, 149, 10, 249, 149, 251, 200, 140) == [
        ("AT_STORE", "courier.at_store"),
        ("ASSIGNED", None),
        ("AT_STORE", None),
    ]


def test_to_the_door() -> None:
    """NEARBY, then AT_DOOR, each once; who comes straight to the door was nearby, too."""
    assert go(on_delivery(), DOOR, 400, 140, 31, 29, 140, 251, 20) == [
        ("NEARBY", "courier.nearby"),
        ("AT_DOOR", "courier.at_door"),
        ("PICKED_UP", None),
        ("NEARBY", None),
        ("AT_DOOR", None),
    ]
    assert [state for state, _ in go(on_delivery(), DOOR, 5)] == ["NEARBY", "AT_DOOR"]


def test_told_by_the_rider() -> None:
    """What the rider has told is not told again by the geofence."""
    state = changed(core.move_courier(assigned(), C.AT_STORE, RIDER, 2.0))
    assert go(state, SHOP, 100, 300, 100) == [("ASSIGNED", None), ("AT_STORE", None)]


def test_another_leg_begins_anew() -> None:
    """A second rider comes to the store for the first time."""
    state = assigned()
    assert go(state, SHOP, 100) == [("AT_STORE", "courier.at_store")]
    state = changed(core.approach(state, C.AT_STORE, RIDER, 2.0))
    state = changed(core.assign_rider(state, "other", PLATFORM, 3.0))
    assert go(state, SHOP, 100) == [("AT_STORE", "courier.at_store")]


def test_where_no_geofence_counts() -> None:
    """Without a rider, without a known store, at the end; and the store after the pick-up."""
    assert Gate.of(assigned(None)) is None
    assert Gate.of(replace(assigned(), rider_id=None)) is None
    assert Gate.of(replace(on_delivery(), status=Status.COMPLETED)) is None
    assert go(on_delivery(), SHOP, 10) == []
    second = changed(core.assign_rider(on_delivery(), "other", PLATFORM, 9.0))
    assert Gate.of(second) is None


@pytest.mark.parametrize("target", [C.UNASSIGNED, C.ASSIGNED, C.PICKED_UP, C.AT_DOOR, C.NEARBY])
def test_a_gate_that_is_out_of_date(target: CourierState) -> None:
    """What another hub has changed meanwhile is not undone by a geofence."""
    state = assigned()
    decision = core.approach(
        replace(state, rider_id=None, courier_state=C.UNASSIGNED), target, RIDER, 2.0
    )
    assert isinstance(decision, Unchanged)


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(0, 600), st.floats(-1, 1))
def test_metres(lat: float, lng: float, north: float, share: float) -> None:
    """On so few metres the plane is the ground, to half a per cent."""
    gate = Gate({"lat": lat, "lng": lng}, C.ASSIGNED)
    there = lat + north / METRES_OF_A_DEGREE, lng + share * 0.005
    true = distance(lat, lng, *there)
    assert gate.metres(*there) == pytest.approx(true, rel=0.005, abs=0.5)
