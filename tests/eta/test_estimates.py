"""What is told at any moment of an order, and what never is."""

from math import exp, inf, isfinite, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.orders.estimate import LEAST, remaining
from hub.core.orders.estimate import LEVELS as SHARES
from hub.eta.conformal import LEVELS, Conformal
from hub.eta.estimator import Estimator
from hub.eta.features import DESIGN, FACTS, design, facts
from hub.eta.forecast import LONGEST, Forecast, quantiles, scaled_error, told
from hub.eta.learner import Learner
from hub.eta.road import Approach, Road, approach
from tests.eta.making import START, features

USUAL = Forecast(log(2_400.0), 0.3, 0.4)

numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


def test_a_new_order_has_its_whole_time_before_it() -> None:
    eta = told(USUAL, Conformal())
    assert eta.p10 == pytest.approx(2_400.0 * exp(-0.3), rel=0.02)
    assert eta.p50 == pytest.approx(2_400.0, rel=0.02)
    assert eta.p90 == pytest.approx(2_400.0 * exp(0.4), rel=0.02)


def test_what_is_kept_of_it_says_the_same() -> None:
    """Also where the levels were moved."""
    conformal = Conformal(levels=[0.08, 0.52, 0.93])
    kept = quantiles(USUAL, conformal)
    assert len(kept) == len(SHARES)
    assert remaining(kept, 0.0) == pytest.approx(told(USUAL, conformal), abs=0.5)


@given(middle=st.floats(0.0, 12.0), down=st.floats(0.0, 3.0), up=st.floats(0.0, 3.0))
def test_a_time_is_finite_and_its_quantiles_rise(middle: float, down: float, up: float) -> None:
    forecast = Forecast(middle, down, up)
    for found in (told(forecast, Conformal()), quantiles(forecast, Conformal())):
        assert list(found) == sorted(found)
        assert LEAST <= found[0] <= found[-1] <= LONGEST


@given(
    created=st.floats(0.0, 2e9),
    values=st.lists(numbers, min_size=11, max_size=11),
)
def test_whatever_is_known_of_an_order_it_gets_an_estimate(
    created: float, values: list[float | None]
) -> None:
    """Nothing, infinities, NaN, and amounts below zero among it."""
    names = (
        "items", "distinct_items", "subtotal", "least_price", "highest_price", "on_duty", "busy",
        "open_orders", "place_seconds", "drive_seconds", "metres",
    )  # fmt: skip
    known = dict(zip(names, values, strict=True))
    order = features(created, store="never seen", market=None, category=None, **known)
    found = facts(order)
    assert len(found) == len(FACTS)
    assert len(design(found)) == DESIGN
    assert all(map(isfinite, design(found)))
    estimator = Estimator()
    eta = told(estimator.forecast(order), estimator.conformal)
    assert LEAST <= eta.p10 <= eta.p50 <= eta.p90 <= LONGEST


@pytest.mark.parametrize("value", [nan, inf, -inf, None])
def test_what_is_no_number_is_not_known(value: float | None) -> None:
    assert facts(features(on_duty=value)) == facts(features(on_duty=None))


def test_the_errors_say_how_wide() -> None:
    """Of a model whose errors are twice what it says, 80 % come within twice its width."""
    conformal = Conformal()
    for i in range(3_000):
        conformal.learn(2.0 * (i * 0.618034 % 1.0 * 2.5 - 1.25))
    low, middle, high = (conformal.quantile(level) for level in LEVELS)
    assert (low, middle, high) == pytest.approx((-2.0, 0.0, 2.0), abs=0.02)


def test_what_is_missed_too_often_moves_the_levels_within_bounds() -> None:
    conformal = Conformal()
    for _ in range(3):
        conformal.learn(50.0)
    assert all(level < moved for level, moved in zip(LEVELS, conformal.levels, strict=True))
    for i in range(2_000):
        conformal.learn(float(i))
    assert all(moved <= level + 0.05 for level, moved in zip(LEVELS, conformal.levels, strict=True))


def test_scaled_error_is_one_where_the_ninetieth_percent_lies() -> None:
    assert scaled_error(USUAL, 2_400.0 * exp(0.4)) == pytest.approx(1.0)
    assert scaled_error(USUAL, 2_400.0 * exp(-0.3)) == pytest.approx(-1.0)


def test_on_the_road_the_distance_decides() -> None:
    near, middle, far = (Road().left(Approach(metres)).p50 for metres in (200.0, 2_000.0, 5_000.0))
    assert near < middle < far


def test_a_red_light_stops_nobody_for_good() -> None:
    """Standing for three minutes moves the estimate by less than half, not to infinity."""
    road = Road()
    moving = road.left(Approach(2_000.0, 900.0, 180.0, 400.0, 60.0))
    standing = road.left(Approach(2_000.0, 0.0, 180.0, 0.0, 60.0))
    assert standing.p50 <= 1.5 * moving.p50


def test_the_pace_is_learned() -> None:
    road = Road()
    before = road.left(Approach(3_000.0)).p50
    for _ in range(60):
        for metres in (500.0, 1_500.0, 3_000.0):
            road.learn(road.see(Approach(metres)), 0.4 * (metres + 400.0))
    assert road.left(Approach(3_000.0)).p50 == pytest.approx(0.4 * 3_400.0, rel=0.05)
    assert before < 1_000.0


def test_an_approach_is_told_by_the_last_minutes() -> None:
    """Due north at 5 m/s, to a place 2 km ahead of where it began."""
    degree = 111_195.0
    trail = [(10.0 * i, 50.0 * i / degree, 7.0) for i in range(31)]
    found = approach(trail, 2_000.0 / degree, 7.0)
    assert found.metres == pytest.approx(500.0, rel=0.01)
    assert (found.seconds, found.last) == (180.0, 60.0)
    assert found.nearer == pytest.approx(900.0, rel=0.01)
    assert found.travelled == pytest.approx(300.0, rel=0.01)


def test_one_fix_is_enough_for_an_approach() -> None:
    found = approach([(START, 1.0, 1.0)], 1.0, 1.001)
    assert found.metres > 100.0
    assert (found.nearer, found.seconds, found.travelled, found.last) == (0.0, 0.0, 0.0, 0.0)


def test_a_town_that_gets_slower_is_followed() -> None:
    """However long it was fast before, and without any training."""
    estimator = Estimator()
    learner = Learner(estimator)

    def deliver(number: int, seconds: float) -> None:
        learner.placed(str(number), features(START + 600.0 * number))
        learner.delivered(str(number), START + 600.0 * number + seconds)

    for number in range(4_000):
        deliver(number, 1_800.0)
    for number in range(4_000, 4_600):
        deliver(number, 2_700.0)
    later = features(START + 600.0 * 4_600 + 30 * 86_400.0)
    forecast = estimator.forecast(later)
    assert exp(forecast.middle) == pytest.approx(2_700.0, rel=0.03)


def test_open_and_late_orders_are_counted_until_they_end() -> None:
    learner = Learner(Estimator())
    count = learner.estimator.history.open
    for name in ("a", "b", "c"):
        learner.placed(name, features())
    assert (count.orders, count.late) == (3, 0)
    learner.passed(START + 7_000.0)
    assert (count.orders, count.late, count.very_late) == (3, 3, 3)
    learner.delivered("a", START + 7_100.0)
    learner.gone("b")
    learner.gone("b")
    assert (count.orders, count.late, count.very_late) == (1, 1, 1)
    assert learner.delivered("never seen", START) is None


def test_a_slow_store_is_known_by_its_orders() -> None:
    learner = Learner(Estimator())
    for i in range(40):
        for store, seconds in (("slow", 4_000.0), ("fast", 1_500.0)):
            at = START + i * 5_000.0
            learner.placed(f"{store}{i}", features(at, store=store))
            learner.delivered(f"{store}{i}", at + seconds)
    at = START + 300_000.0
    slow, fast, new = (
        exp(learner.estimator.forecast(features(at, store=store)).middle)
        for store in ("slow", "fast", "new")
    )
    assert fast < new < slow
    assert slow > 1.7 * fast


@pytest.mark.parametrize("seconds", [1.0, 59.0, 10_801.0, -5.0])
def test_nobody_learns_from_what_was_no_delivery(seconds: float) -> None:
    learner = Learner(Estimator())
    learner.placed("a", features())
    weights = list(learner.estimator.ridge.weights)
    learner.delivered("a", START + seconds)
    assert weights == learner.estimator.ridge.weights
    assert learner.estimator.history.open.orders == 0
