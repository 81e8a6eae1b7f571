"""What follows from an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.webhooks.outcome import Delivered, GaveUp, Reply, Retry, SwitchedOff, Verdict, judge
from hub.core.webhooks.retry import GIVE_UP

DAY = 86_400.0


def verdict(reply: Reply, *, failures: int = 1, age: float = 0.0, chance: float = 1.0) -> Verdict:
    return judge(reply, failures=failures, age=age, now=1e9, chance=chance)


@pytest.mark.parametrize("status", range(200, 300))
def test_success(status: int) -> None:
    """Any 2xx is a success, whatever comes after the status line."""
    assert Delivered() == verdict(Reply(status, error="cut off"), age=10 * DAY)


@pytest.mark.parametrize("status", [*range(300, 410), *range(411, 600), None])
def test_failure(status: int | None) -> None:
    """All else is tried again: redirects, refusals, errors and silence."""
    assert Retry(1.0) == verdict(Reply(status))


def test_gone() -> None:
    """410 switches off, however late."""
    assert SwitchedOff() == verdict(Reply(410), age=10 * DAY)


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, "60", 60.0),
        (503, "60", 60.0),
        (429, "86400", 3600.0),
        (429, "0", 1.0),  # a hint only ever delays
        (429, "nonsense", 1.0),
        (503, None, 1.0),
        (500, "60", 1.0),
        (302, "60", 1.0),
    ],
)
def test_retry_after(status: int, header: str | None, expected: float) -> None:
    """429 and 503 may ask for a longer wait, nobody else and no longer than an hour."""
    assert Retry(expected) == verdict(Reply(status, retry_after=header))


@pytest.mark.parametrize(
    ("age", "chance", "expected"),
    [
        (DAY - 3601, 1.0, Retry(3600.0)),
        (DAY - 3600, 1.0, GaveUp()),
        (DAY - 3600, 0.5, Retry(1800.0)),
        (DAY, 0.0, GaveUp()),
    ],
)
def test_a_day(age: float, chance: float, expected: Verdict) -> None:
    """A retry that would come a day after the first attempt, or later, is not made."""
    assert expected == verdict(Reply(500), failures=40, age=age, chance=chance)


@given(st.lists(st.floats(0.01, 1), min_size=1))
def test_it_ends(chances: list[float]) -> None:
    """However chance falls, failing ends within the day."""
    age = 0.0
    for failures in range(1, 100_000):
        chance = chances[failures % len(chances)]
        following = verdict(Reply(500), failures=failures, age=age, chance=chance)
        if isinstance(following, GaveUp):
            break
        assert isinstance(following, Retry)
        age += following.after
    assert age < GIVE_UP
