"""What each audience may see (contract 4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.callers.claims import READERS
from hub.core.orders.order import place
from hub.core.watchers.views import (
    PLACE,
    VISIBLE,
    WHOLE,
    order_view,
    position_view,
    stream_event,
    trail_view,
    visible,
)
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import FINAL, Role, Status
from schemas.messages import StreamEvent
from schemas.orders import Order
from schemas.positions import Position
from schemas.telemetry import Sighting
from schemas.wire import dumps, loads
from tests.core.making import NOW, PLATFORM, REQUEST, advance, placed

PUBLIC = (Role.CUSTOMER, Role.MERCHANT)
SIGHTINGS = st.builds(
    Sighting,
    st.integers(0, 9),
    st.floats(0, 2e9),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.none() | st.floats(0, 360),
    st.none() | st.floats(0, 70),
    st.none() | st.floats(0, 100),
    st.none() | st.floats(0, 1),
)


def told(*arguments: Any, **more: Any) -> dict[str, Any]:
    """A position as it goes on the wire."""
    message: dict[str, Any] = loads(dumps(position_view("ord_1", *arguments, **more)))
    assert "position" == message.pop("type")
    return message


@given(SIGHTINGS, st.booleans())
def test_what_customers_and_merchants_never_see(sighting: Sighting, gcj02: bool) -> None:
    """No rider, no accuracy, no battery, and no more than 5 decimals, in either datum."""
    view = told(sighting, PLACE, "fresh", "r_secret", gcj02)
    assert set(view) <= {"orderId", "at", "lat", "lng", "heading", "speed", "freshness"}
    for name in ("lat", "lng"):
        assert round(view[name], 5) == view[name]


POINTS = st.tuples(st.floats(0, 2e9), st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(POINTS), st.booleans())
def test_trails_are_as_coarse(points: list[tuple[float, float, float]], gcj02: bool) -> None:
    """A point of a trail is a time and a place, with 5 decimals for the public."""
    trail = [list(point) for point in points]
    for point in trail_view(trail, PLACE, gcj02):
        assert {"at", "lat", "lng"} == set(point)
        assert (round(point["lat"], 5), round(point["lng"], 5)) == (point["lat"], point["lng"])


def test_the_platform_sees_all() -> None:
    """Rider, accuracy, battery, every decimal; but nothing that is only ours."""
    sighting = Sighting(3, NOW, 31.23456789, 121.0, None, 4.0, 5.0, 0.5)
    view = told(sighting, WHOLE, "stale", "r")
    common = {"orderId", "at", "lat", "lng", "freshness", "speed"}
    assert common | {"accuracy", "battery", "riderId"} == set(view)
    assert (31.23456789, "stale") == (view["lat"], view["freshness"])


def test_gcj02_on_request() -> None:
    """The same place in Gaode's coordinates."""
    view = told(Sighting(1, NOW, 31.2304, 121.4737), WHOLE, "fresh", "r", gcj02=True)
    assert to_gcj02(31.2304, 121.4737) == (view["lat"], view["lng"])


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("role", READERS)
def test_when_positions_are_seen(role: Role, status: Status) -> None:
    """Customers and merchants on delivery only; the platform while a rider is assigned."""
    fields = visible(role, status, True)
    if role in PUBLIC:
        assert (PLACE if status is Status.ON_DELIVERY else frozenset()) == fields
    else:
        assert (frozenset() if status in FINAL else WHOLE) == fields
    assert not visible(role, status, False)


def test_the_table_names_what_a_position_has() -> None:
    """Every status, every reader, and fields that there are."""
    assert set(Status) == set(VISIBLE)
    fields = {field.alias or name for name, field in Position.model_fields.items()}
    assert fields == WHOLE
    for row in VISIBLE.values():
        assert set(READERS) == set(row)
        assert all(each in (frozenset(), PLACE, WHOLE) for each in row.values())


@pytest.mark.parametrize("role", READERS)
def test_the_order_by_role(role: Role) -> None:
    """Who rides is for the platform and the rider, the callback URL for the platform."""
    state = advance(placed(notificationUrl="https://partner.example/"), rider_id="r1")
    view = order_view(state, role)
    assert (role in (Role.PLATFORM, Role.RIDER)) is ("riderId" in view)
    assert (role is Role.PLATFORM) is ("notificationUrl" in view)
    assert ("ord_1", 300, False) == (view["orderId"], view["totalCents"], view["ready"])
    Order.model_validate_json(dumps(view))


def test_a_stream_event() -> None:
    """As stored, without the audit's hashes and our leg."""
    (event,) = place("o", "abcdefgh", REQUEST, "p", PLATFORM, NOW).events
    view = stream_event({**event, "leg": 2})
    assert not {"hash", "prevHash", "leg"} & set(view)
    assert {"orderId", "epoch", "seq", "eventType", "status", "timestamp", "actor"} <= set(view)
    StreamEvent.model_validate_json(dumps(view))
