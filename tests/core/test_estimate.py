"""What is left of a time, at any moment."""

from itertools import accumulate, pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hub.core.estimate import LEVELS, remaining

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
