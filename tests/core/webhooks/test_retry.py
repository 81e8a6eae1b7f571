"""The schedule of retries."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.webhooks.retry import GIVE_UP, pause, retry_after, step

NOW = 1_795_374_343.0


def test_the_steps() -> None:
    """1, 2, 4, 8, 15, 30, 60, 120 and 300 s, then every 10 minutes, then every hour."""
    assert [step(failures) for failures in range(1, 10)] == [1, 2, 4, 8, 15, 30, 60, 120, 300]
    assert {600} == {step(failures) for failures in range(10, 16)}
    assert {3600} == {step(failures) for failures in range(16, 60)}


def test_a_day() -> None:
    """Without jitter's luck a day of failures is some forty attempts."""
    assert (
        next(
            failures
            for failures in range(1, 100)
            if sum(step(each) for each in range(1, failures + 1)) >= GIVE_UP
        )
        == 38
    )


@given(st.integers(1, 1000), st.floats(0, 1))
def test_full_jitter(failures: int, chance: float) -> None:
    """Any time between none and the whole step."""
    assert 0 <= pause(failures, chance) <= step(failures)
    assert (0, step(failures)) == (pause(failures, 0), pause(failures, 1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("3601", 3600.0),
        ("999999999999", 3600.0),
        ("9" * 400, 3600.0),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW + 90_000, UTC), usegmt=True), 3600.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("soon", None),
        ("Fri, 99 Foo 9999 99:99:99 GMT", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    """Seconds or an HTTP date, an hour at most; what cannot be read is ignored."""
    assert expected == retry_after(value, NOW)


@given(st.text())
def test_retry_after_of_anything(value: str) -> None:
    """No header value raises or asks for more than an hour."""
    assert 0 <= (retry_after(value, NOW) or 0) <= 3600
