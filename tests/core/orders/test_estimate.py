"""What is left of a time, at any moment."""

from itertools import accumulate, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.orders.change import Change
from hub.core.orders.deadlines import Deadline, Durations, deadlines
from hub.core.orders.estimate import LEVELS, Remaining, remaining, shown
from hub.core.orders.order import change_status
from hub.core.orders.state import OrderState
from schemas.lifecycle import Status
from schemas.times import format_time
from tests.core.making import NOW, PLATFORM, advance, placed, update

STEPS = st.lists(st.floats(0.0, 600.0), min_size=len(LEVELS), max_size=len(LEVELS))
UNIFORM = [1000.0 * level for level in LEVELS]


@given(STEPS, st.floats(-100.0, 1e6))
def test_always_something_is_left_and_in_order(steps: list[float], elapsed: float) -> None:
    """Whatever the forecast and however late: finite, ordered, half a minute at least."""
    left = remaining(list(accumulate(steps)), elapsed)
    assert 30.0 <= left.p10 <= left.p50 <= left.p90 < 1e6


@given(STEPS, st.floats(0.0, 20_000.0), st.floats(0.0, 600.0))
def test_time_that_passes_without_the_end_moves_the_end_on(
    steps: list[float], elapsed: float, more: float
) -> None:
    """That it is not over yet never brings the expected end nearer."""
    quantiles = list(accumulate(steps))
    before, after = (remaining(quantiles, each) for each in (elapsed, elapsed + more))
    for early, late in zip(before, after, strict=True):
        assert elapsed + early <= elapsed + more + late + 1e-6


def test_of_a_uniform_time_what_is_left_is_uniform() -> None:
    """By hand: between 0 and 1000 s, and 400 s have gone."""
    at_first, then = remaining(UNIFORM, 0.0), remaining(UNIFORM, 400.0)
    assert [round(each) for each in at_first] == [100, 500, 900]
    assert all(abs(a - b) < 5.0 for a, b in zip(then, (60, 300, 540), strict=True))


def test_late_orders_have_as_long_to_go_as_they_usually_had() -> None:
    """Against the orders themselves: of those not over after 50 minutes, half take so much more."""
    chance = Random(1)
    times = sorted(chance.lognormvariate(7.8, 0.35) for _ in range(40_000))
    quantiles = [times[int(level * len(times))] for level in LEVELS]
    for elapsed in (0.0, 1800.0, 3000.0, 4500.0):
        late = [each - elapsed for each in times if each > elapsed]
        wanted = [late[int(level * len(late))] for level in (0.1, 0.5, 0.9)]
        left = remaining(quantiles, elapsed)
        for found, true in zip(left, wanted, strict=True):
            assert abs(found - true) < 0.15 * true + 30.0


def test_behind_everything_known() -> None:
    """It goes on as steeply as it ended, and is never stuck at the least."""
    quantiles = [300.0 * place for place in range(1, len(LEVELS) + 1)]
    lefts = [remaining(quantiles, elapsed) for elapsed in (7_000.0, 9_000.0, 20_000.0)]
    for one, other in pairwise(lefts):
        assert all(abs(a - b) < 1.0 for a, b in zip(one, other, strict=True))
    assert lefts[0].p50 > 100.0


# An order's estimate

HOUR = tuple(3600.0 * level for level in LEVELS)
QUARTER = tuple(900.0 * level for level in LEVELS)


def left(state: OrderState, later: float = 0.0) -> list[int] | None:
    found = state.left(NOW + later)
    return None if found is None else [round(each) for each in found]


def test_nothing_is_known() -> None:
    assert left(placed()) is None
    assert shown(None, NOW) == {}


def test_the_forecast_of_a_new_order() -> None:
    """Told as minutes and as times; none after the end, and none on the way back."""
    state = replace(placed(), forecast=HOUR)
    assert left(state) == [360, 1800, 3240]
    view = shown(state.left(NOW), NOW)
    assert view == {
        "estimatedTime": 30,
        "eta": {
            "p10": format_time(NOW + 360),
            "p50": format_time(NOW + 1800),
            "p90": format_time(NOW + 3240),
        },
    }
    assert left(advance(state, "CONFIRMED", "COMPLETED")) is None
    assert left(advance(state, "CONFIRMED", "ON_DELIVERY", "RETURNING")) is None


def test_no_less_than_the_road_takes() -> None:
    """Before the pick-up the road is still to come, however late it is."""
    state = replace(placed(), forecast=QUARTER, road=HOUR)
    assert left(state, 3000.0) == [360, 1800, 3240]


def test_under_way_the_road_counts() -> None:
    state = replace(placed(), forecast=HOUR, road=QUARTER)
    riding = replace(state, status=Status.ON_DELIVERY, leg_at=NOW + 100)
    assert left(riding, 100.0) == [90, 450, 810]


@pytest.mark.parametrize(("later", "wanted"), [(0, 20), (61, 19), (1300, 1)])
def test_what_a_person_told(later: float, wanted: int) -> None:
    """Whole minutes, never 0 before the end; alone it has no doubt to show."""
    told = change_status(placed(), update("CONFIRMED", estimated_time=20), PLATFORM, NOW)
    assert isinstance(told, Change)
    assert shown(told.state.left(NOW + later), NOW + later) == {"estimatedTime": wanted}


def test_a_persons_word_with_the_forecasts_doubt() -> None:
    """It is the middle until it has passed; then the forecast is asked again."""
    state = replace(placed(), forecast=HOUR, estimated_at=NOW + 900)
    assert left(state) == [180, 900, 1620]
    assert left(replace(state, estimated_at=NOW)) == [30, 30, 54]
    assert left(state, 1000.0) == left(replace(state, estimated_at=None), 1000.0)


def test_the_riders_own_way_goes_first() -> None:
    """Under way; before the pick-up it says nothing."""
    state = replace(placed(), forecast=HOUR, road=QUARTER, estimated_at=NOW + 900)
    way = Remaining(60.0, 120.0, 240.0)
    riding = replace(state, status=Status.ON_DELIVERY).timing
    assert riding is not None
    assert riding.left(NOW, way) == way
    assert state.timing is not None
    assert state.timing.left(NOW, way) == state.left(NOW)


def test_the_promise_is_what_counts_as_late() -> None:
    """A person's word, else what was forecast at first for nine of ten."""
    state = advance(replace(placed(), promised_at=NOW + 3000), "CONFIRMED")
    assert deadlines(state, Durations())[Deadline.OVERDUE] == NOW + 3600
    told = replace(state, estimated_at=NOW + 60)
    assert deadlines(told, Durations())[Deadline.OVERDUE] == NOW + 660
