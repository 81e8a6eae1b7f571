"""How late events came lately, by the counts of a histogram."""

from math import inf

import pytest

from hub.core.watchers.lag import Counts, Lag, LagWindow, quantile

BOUNDS = (0.001, 0.01, 0.1, inf)


def counts(*numbers: float) -> Counts:
    return list(zip(BOUNDS, numbers, strict=True))


@pytest.mark.parametrize(
    ("numbers", "share", "wanted"),
    [
        ((0, 0, 0, 0), 0.5, None),
        ((100, 100, 100, 100), 0.5, 0.0005),  # half way into the first bucket
        ((0, 100, 100, 100), 0.5, 0.0055),
        ((50, 100, 100, 100), 0.5, 0.001),  # just at its end
        ((98, 98, 100, 100), 0.99, 0.055),
        ((0, 0, 0, 5), 0.99, 0.1),  # beyond all bounds: the last of them
    ],
)
def test_a_quantile(numbers: tuple[float, ...], share: float, wanted: float | None) -> None:
    found = quantile(counts(*numbers), share)
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_only_what_came_in_the_window_counts() -> None:
    """Two times back; what came before it has no say, and nothing new has no lag."""
    window = LagWindow(2)
    assert Lag(10, pytest.approx(0.055), pytest.approx(0.0991)) == window.after(
        counts(0, 0, 10, 10)
    )
    assert Lag(4, pytest.approx(0.0005), pytest.approx(0.00099)) == window.after(
        counts(4, 4, 14, 14)
    )
    assert 4 == window.after(counts(4, 4, 14, 14)).events
    quiet = window.after(counts(4, 4, 14, 14))
    assert (Lag(0, None, None), {"events": 0}) == (quiet, quiet.view())


def test_the_wire_form() -> None:
    assert {"events": 3, "p50Ms": 1.23, "p99Ms": 45.6} == Lag(3, 0.001234, 0.0456).view()
