"""When those who watch an order are told that its hand-over has moved."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from hub.core.orders.estimate import LEVELS, Remaining, shown
from hub.core.orders.running import Point, RunningEstimate
from hub.core.orders.state import OrderState
from schemas.lifecycle import Status
from schemas.telemetry import Sighting
from tests.core.making import NOW, REQUEST, placed

DOOR = (REQUEST["address"]["lat"], REQUEST["address"]["lng"])
HOUR = tuple(round(3600 * level) for level in LEVELS)


class Road:
    """A way that takes so long, whatever it is asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[tuple[list[Point], float, float]] = []

    def __call__(self, points: Sequence[Point], lat: float, lng: float) -> Remaining:
        self.asked.append((list(points), lat, lng))
        return Remaining(self.seconds / 2, self.seconds, 2 * self.seconds)


def order(**changes: object) -> OrderState:
    return replace(placed(), forecast=HOUR, **changes)


def told(state: OrderState) -> RunningEstimate:
    """What a snapshot has told just now."""
    running = RunningEstimate(state)
    running.tell(shown(state.left(NOW), NOW), NOW)
    return running


def seen(at: float) -> Sighting:
    return Sighting(leg=1, at=at, lat=31.23, lng=121.47)


def test_nothing_is_told_while_nothing_has_moved() -> None:
    """Time that passes as it was thought to is no news."""
    running = told(order(estimated_at=NOW + 1800))
    assert all(running.moved(NOW + later, Road(9)) is None for later in range(0, 1700, 10))


def test_an_order_that_is_not_over_is_later_than_it_was_thought() -> None:
    """Told once when it has moved by a minute, then again by another."""
    state = order()
    running, moments = told(state), []
    for later in range(0, 3600, 10):
        moved = running.moved(NOW + later, Road(9))
        if moved is not None:
            moments.append(later)
            assert moved == shown(state.left(NOW + later), NOW + later)
    assert len(moments) >= 20
    middles = [NOW + later + _middle(state, later) for later in (0, *moments)]
    assert all(b - a > 60 for a, b in pairwise(middles))


def _middle(state: OrderState, later: float) -> float:
    left = state.left(NOW + later)
    assert left is not None
    return left.p50


def test_under_way_the_riders_way_says_it() -> None:
    """As long as the rider is seen; with all fixes since the pick-up, three minutes back."""
    running, road = told(order()), Road(300)
    running.follow(Status.ON_DELIVERY, None, NOW, new_leg=True)
    assert running.moved(NOW, road) is None
    assert road.asked == []
    sighting = seen(NOW + 20)
    sighting.way = [[NOW + 10, 31.22, 121.46]]
    running.see(sighting)
    moved = running.moved(NOW + 21, road)
    assert moved is not None
    assert moved["estimatedTime"] == 5
    points = [(NOW + 10, 31.22, 121.46), (NOW + 20, 31.23, 121.47)]
    assert road.asked == [(points, *DOOR)]
    assert running.moved(NOW + 250, road) is None
    assert len(road.asked) == 1


def test_a_new_leg_forgets_the_way() -> None:
    """Another rider's fixes say nothing of this one's."""
    running, road = told(order(road=HOUR)), Road(300)
    running.follow(Status.ON_DELIVERY, None, NOW, new_leg=True)
    running.see(seen(NOW + 1))
    running.follow(Status.ON_DELIVERY, None, NOW + 2, new_leg=True)
    running.moved(NOW + 3, road)
    assert road.asked == []


def test_what_a_person_tells_is_followed() -> None:
    """An event that has told it is not told again; a later word than the snapshot's counts."""
    running = told(order())
    running.follow(Status.CONFIRMED, NOW + 600, NOW, new_leg=False)
    running.tell({"estimatedTime": 10}, NOW)
    assert running.moved(NOW + 30, Road(9)) is None


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED, Status.RETURNING])
def test_no_hand_over_no_estimate(status: Status) -> None:
    running = told(order())
    running.follow(status, None, NOW, new_leg=False)
    assert running.moved(NOW + 9_000, Road(9)) is None
