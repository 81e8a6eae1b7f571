"""When notices are due."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.webhooks.notices import Quiet, due_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Quiet(time(22), time(8), SHANGHAI)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-25T21:59:59", "2026-11-25T21:59:59"),
        ("2026-11-25T22:00:00", "2026-11-26T08:00:00"),
        ("2026-11-26T00:00:00", "2026-11-26T08:00:00"),
        ("2026-11-26T07:59:59", "2026-11-26T08:00:00"),
        ("2026-11-26T08:00:00", "2026-11-26T08:00:00"),
        ("2026-12-31T23:30:00", "2027-01-01T08:00:00"),
    ],
)
def test_over_midnight(moment: str, due: str) -> None:
    """The hours belong to the evening and to the morning after."""
    assert at(due) == due_at(at(moment), 0, NIGHT, 0)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-25T11:59:00", "2026-11-25T11:59:00"),
        ("2026-11-25T12:00:00", "2026-11-25T14:00:00"),
        ("2026-11-25T14:00:00", "2026-11-25T14:00:00"),
    ],
)
def test_within_a_day(moment: str, due: str) -> None:
    """A nap at noon."""
    assert at(due) == due_at(at(moment), 0, Quiet(time(12), time(14), SHANGHAI), 0)


def test_the_delay_comes_first() -> None:
    """And may lead into the quiet hours, or over them; what is overdue is due now."""
    evening = at("2026-11-25T21:00:00")
    assert evening + 1800 == due_at(evening, 1800, NIGHT, evening)
    assert at("2026-11-26T08:00:00") == due_at(evening, 3600, NIGHT, evening)
    assert at("2026-11-26T09:00:00") == due_at(evening, 12 * 3600, NIGHT, evening)
    assert evening + 7200 == due_at(evening, 3600, None, evening + 7200)


@pytest.mark.parametrize(
    ("moment", "end", "due"),
    [
        # 2026-03-29, 02:00 becomes 03:00; 2026-10-25, 03:00 becomes 02:00 again.
        ("2026-03-28T22:00:00+00:00", time(8), "2026-03-29T06:00:00+00:00"),
        ("2026-03-29T00:30:00+00:00", time(2, 30), "2026-03-29T01:30:00+00:00"),
        ("2026-10-24T22:00:00+00:00", time(8), "2026-10-25T07:00:00+00:00"),
        ("2026-10-25T00:10:00+00:00", time(2, 30), "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T01:10:00+00:00", time(2, 30), "2026-10-25T01:30:00+00:00"),
    ],
)
def test_when_the_clocks_are_set(moment: str, end: time, due: str) -> None:
    """The end is by the clocks of its day."""
    quiet = Quiet(time(22), end, BERLIN)
    told = datetime.fromisoformat(moment).timestamp()
    assert datetime.fromisoformat(due) == datetime.fromtimestamp(due_at(told, 0, quiet, 0), UTC)


times = st.times().map(lambda each: each.replace(microsecond=0, fold=0))


@given(
    st.floats(0, 4e9),
    times,
    times,
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_it_is_never_early_never_quiet_and_at_most_a_day_late(
    moment: float, start: time, end: time, zone: str
) -> None:
    """Whatever the hours and the zone."""
    quiet = Quiet(start, end, ZoneInfo(zone))
    if start == end:
        return
    due = due_at(moment, 0, quiet, 0)
    assert moment <= due <= moment + 25 * 3600
    clock = datetime.fromtimestamp(due, quiet.zone).time()
    inside = start <= clock < end if start < end else not end <= clock < start
    assert not inside or due == moment or _set_forward(due, quiet.zone)


def _set_forward(moment: float, zone: ZoneInfo) -> bool:
    """Within two hours of clocks that are set."""
    offsets = {
        datetime.fromtimestamp(moment + hours * 3600, zone).utcoffset() for hours in (-2, 0, 2)
    }
    return len(offsets) > 1
