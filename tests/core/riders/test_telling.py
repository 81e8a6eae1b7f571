"""When a position is told, and what those see who lead it on."""

from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.riders.course import Course
from hub.core.riders.telling import HEARTBEAT, SURELY, Telling
from schemas.motion import METRES_OF_A_DEGREE, distance, reckoned
from schemas.telemetry import Sighting

LAT, LNG = 31.2304, 121.4737


def north(metres: float) -> float:
    return LAT + metres / METRES_OF_A_DEGREE


def test_the_first_is_told() -> None:
    assert Telling(15.0).due(1000.0, LAT, LNG)


def test_who_goes_as_expected_is_not_told() -> None:
    """Straight on at the same speed, within the heartbeat; a turn, or a stop, is told."""
    telling = Telling(15.0)
    telling.told(Sighting(1, 1000.0, LAT, LNG, heading=0.0, speed=10.0))
    assert not telling.due(1005.0, north(50), LNG)
    assert not telling.due(1010.0, north(114), LNG)
    assert telling.due(1010.0, north(121), LNG)
    assert telling.due(1005.0, north(29), LNG)
    assert telling.due(1000.0 + HEARTBEAT, north(10 * HEARTBEAT), LNG)


def test_one_fix_that_is_off_by_a_little_more_may_be_wrong_itself() -> None:
    """It is doubted; the second in a row is told, a good one between them ends the doubt."""
    telling = Telling(15.0)
    telling.told(Sighting(1, 1000.0, LAT, LNG))
    assert not telling.due(1004.0, north(19.4), LNG)
    assert telling.due(1008.0, north(-15.1), LNG)
    telling.told(Sighting(1, 1008.0, LAT, LNG))
    assert not telling.due(1012.0, north(15.1), LNG)
    assert not telling.due(1016.0, north(14.9), LNG)
    assert not telling.due(1020.0, north(15.1), LNG)
    telling.told(Sighting(1, 1020.0, LAT, LNG))
    assert not telling.due(1024.0, north(15.1), LNG)


def test_without_speed_or_heading_it_stands() -> None:
    telling = Telling(15.0)
    telling.told(Sighting(1, 1000.0, LAT, LNG, heading=0.0))
    assert not telling.due(1002.0, north(14.9), LNG)
    assert telling.due(1002.0, north(19.6), LNG)


def test_everything_is_told_with_no_error_allowed() -> None:
    telling = Telling(0.0)
    telling.told(Sighting(1, 1000.0, LAT, LNG))
    assert telling.due(1000.1, LAT, LNG)


def test_forgotten() -> None:
    telling = Telling(15.0)
    telling.told(Sighting(1, 1000.0, LAT, LNG))
    assert not telling.due(1001.0, LAT, LNG)
    telling.forget()
    assert telling.due(1001.0, LAT, LNG)


SPEEDS = st.floats(0, 30)
STEPS = st.lists(st.tuples(st.floats(0.5, 8), SPEEDS, st.floats(0, 360)), min_size=1, max_size=60)


@given(STEPS)
def test_nobody_is_wrong_by_more(steps: list[tuple[float, float, float]]) -> None:
    """Whatever the way: what a client shows is within the error allowed, but for one fix, which
    is off by less than a third more.
    """
    telling, at, lat, lng = Telling(15.0), 1000.0, LAT, LNG
    errors = [0.0]
    told: Sighting | None = None
    for seconds, speed, heading in steps:
        at += seconds
        course = radians(heading)
        lat += speed * seconds * cos(course) / METRES_OF_A_DEGREE
        lng += speed * seconds * 1e-6
        if telling.due(at, lat, lng):
            told = Sighting(1, at, lat, lng, heading=heading, speed=speed)
            telling.told(told)
        assert told is not None
        shown = reckoned(told.lat, told.lng, told.speed, told.heading, at - told.at)
        errors.append(distance(*shown, lat, lng))
        assert errors[-1] <= 15.0 * SURELY + 0.2
        assert min(errors[-2:]) <= 15.2


def test_a_course() -> None:
    """Speed and heading of the last ten seconds or so."""
    course = Course()
    for second in range(0, 30, 2):
        lat = north(8.0 * second)
        course.see(1000.0 + second, lat, LNG)
    assert course.velocity(1028.0, north(8.0 * 28), LNG) == (8.0, 0.0)


def test_a_course_of_who_stands() -> None:
    """Fixes that tremble are no way."""
    course = Course()
    for second in range(0, 30, 5):
        course.see(1000.0 + second, north(second % 2), LNG)
        assert (course.velocity(1000.5 + second, north(second % 2), LNG) or (0.0, 0.0))[0] < 0.6


def test_a_course_over_the_antimeridian() -> None:
    """A step to the east, not once around the earth."""
    course = Course()
    course.see(1000.0, 0.1, 179.9999)
    assert course.velocity(1005.0, 0.1, -179.9999) == pytest.approx((4.4, 90.0))


def test_a_course_that_begins_anew() -> None:
    """After half a minute of silence nothing is known of the way."""
    course = Course()
    course.see(1000.0, LAT, LNG)
    assert course.velocity(1000.0, LAT, LNG) is None
    assert course.velocity(1100.0, north(500), LNG) is None
