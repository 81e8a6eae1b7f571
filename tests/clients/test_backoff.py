from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.backoff import CEILING, DEFAULT, Window, backoff


def test_doubles_up_to_the_ceiling() -> None:
    """At the worst of luck the waits double from the window's end to the ceiling."""
    waits = list(islice(backoff(lambda: 1.0, Window(0, 1)), 7))

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_the_hub_s_window_is_kept() -> None:
    """The first wait lies in the hub's window, however long that is."""
    assert next(backoff(lambda: 0.0, Window(5, 120))) == 5
    assert list(islice(backoff(lambda: 1.0, Window(5, 120)), 3)) == [120, 120, 120]


def test_a_window_of_nothing_still_grows() -> None:
    """A hub that asks for no wait at all is not hammered when it does not answer."""
    assert list(islice(backoff(lambda: 1.0, Window(0, 0)), 4)) == [0, 1, 2, 4]


@given(
    low=st.floats(0, 100),
    width=st.floats(0, 100),
    chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
)
def test_never_outside_its_bounds(low: float, width: float, chances: list[float]) -> None:
    """No wait is shorter than the window's start or longer than its end and the ceiling."""
    window = Window(low, low + width)
    rolls = iter(chances)

    waits = list(islice(backoff(lambda: next(rolls), window), len(chances)))

    assert all(low <= wait <= max(CEILING, low + width, low + 1) for wait in waits)
    assert waits[0] <= low + width


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        {},
        {"min": 1},
        {"min": 2, "max": 1},
        {"min": -1, "max": 1},
        {"min": "a", "max": 1},
        {"min": 0, "max": float("inf")},
        {"min": float("nan"), "max": 1},
    ],
)
def test_what_is_no_window_is_left_aside(data: object) -> None:
    """Nonsense from a hub gives no window, so the client keeps its own."""
    assert Window.read(data) is None
    assert Window.read({"min": 0, "max": 1}) == DEFAULT
