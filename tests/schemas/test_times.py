"""Times: Unix seconds inside, RFC 3339 with milliseconds outside."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import format_time, parse_time

FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@given(st.floats(FIRST, LAST))
def test_a_time_survives(seconds: float) -> None:
    """Told and read again, a time is the same to the nearest millisecond."""
    assert parse_time(format_time(seconds)) == pytest.approx(seconds, rel=0, abs=0.00055)


@given(st.integers(int(FIRST * 1000), int(LAST * 1000)))
def test_a_text_survives(milliseconds: int) -> None:
    """Read and told again, a text is the same."""
    text = format_time(milliseconds / 1000)
    assert text == format_time(parse_time(text))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T19:05:43.120Z",
        "2026-11-22T19:05:43.12Z",
        "2026-11-23T03:05:43.120+08:00",
        "2026-11-22t19:05:43.120z",
        "2026-11-22 19:05:43.120Z",
        "2026-11-22T19:05:43.120000000Z",
    ],
)
def test_the_ways_to_write_one_time(text: str) -> None:
    """Zones, digits and small letters do not change the time."""
    assert "2026-11-22T19:05:43.120Z" == format_time(parse_time(text))


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "now",
        "2026-11-22",
        "2026-11-22T19:05:43",
        "2026-11-22T19:05Z",
        "2026-02-30T19:05:43Z",
        "2026-11-22T25:05:43Z",
        "2026-11-22T19:05:43+99:00",
        "2026-11-22T19:05:43Z\n",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59.9999Z",
        "２０２６-11-22T19:05:43Z",
        1795374343,
        1795374343.12,
        True,
        None,
        [],
        {},
    ],
)
def test_garbage_is_a_value_error(garbage: Any) -> None:
    """Whatever is no time with a zone raises ValueError, and nothing else."""
    with pytest.raises(ValueError, match="time"):
        parse_time(garbage)


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text makes the parser fail in another way."""
    try:
        parse_time(text)
    except ValueError:
        return
    assert text[:4].isdigit()
