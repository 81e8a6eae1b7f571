"""Which fixes are believed (contract 5)."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.bucket import Bucket
from hub.core.fixes import FixFilter, seq_of
from schemas.gcj02 import to_gcj02
from schemas.motion import distance
from schemas.positions import Rejection
from schemas.telemetry import Sighting, read_fix
from schemas.times import format_time
from tests.core.making import NOW

HERE = {"lat": 31.2304, "lng": 121.4737}
FAR = {"lat": 31.3304, "lng": 121.4737}  # 11 km


def raw(seq: int = 1, at: float = NOW, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "at": format_time(at), **HERE, **more}


def judged(judge: FixFilter, fix: Any, now: float) -> Sighting | Rejection:
    """What the hub makes of a decoded fix."""
    read = read_fix(fix)
    return Rejection.MALFORMED if read is None else judge.judge(read, now)


REJECTED = [
    (raw(lat=90.001), Rejection.OUT_OF_RANGE),
    (raw(lat=-90.001), Rejection.OUT_OF_RANGE),
    (raw(lng=180.001), Rejection.OUT_OF_RANGE),
    (raw(lng=-180.001), Rejection.OUT_OF_RANGE),
    (raw(lat=0, lng=0), Rejection.NULL_ISLAND),
    (raw(lat=0.0, lng=-0.0), Rejection.NULL_ISLAND),
    (raw(lat=nan), Rejection.NOT_FINITE),
    (raw(lng=inf), Rejection.NOT_FINITE),
    (raw(speed=-inf), Rejection.NOT_FINITE),
    (raw(heading=nan), Rejection.NOT_FINITE),
    (raw(accuracy=nan), Rejection.NOT_FINITE),
    (raw(battery=nan), Rejection.NOT_FINITE),
    (raw(at=NOW + 31), Rejection.FUTURE),
    (raw(lat="31"), Rejection.MALFORMED),
    (raw(lat=True), Rejection.MALFORMED),
    (raw(seq=-1), Rejection.MALFORMED),
    (raw(seq=2**60), Rejection.MALFORMED),
    (raw(unknown=1), Rejection.MALFORMED),
    (raw(crs="bd09"), Rejection.MALFORMED),
    ({**raw(), "at": NOW}, Rejection.MALFORMED),
    ({}, Rejection.MALFORMED),
    (None, Rejection.MALFORMED),
    ([raw()], Rejection.MALFORMED),
    ("fix", Rejection.MALFORMED),
]


@pytest.mark.parametrize(("bad", "reason"), REJECTED, ids=range(len(REJECTED)))
def test_a_rejection_by_its_name(bad: Any, reason: Rejection) -> None:
    """Each fault has one; a rejected fix leaves no trace."""
    judge = FixFilter()
    assert reason is judged(judge, bad, NOW)
    assert -inf == judge.at
    assert isinstance(judged(judge, raw(), NOW), Sighting)


TAKEN = [
    raw(),
    raw(at=NOW + 29),
    raw(at=NOW - 86_400),
    raw(lat=90),
    raw(lng=-180),
    raw(lat=0, lng=0.001),
    raw(speed=3.5, heading=359.9, accuracy=12, battery=1),
    raw(seq=0),
]


@pytest.mark.parametrize("good", TAKEN, ids=range(len(TAKEN)))
def test_a_good_fix_is_the_newest(good: Any) -> None:
    """Whole numbers are numbers; a clock 30 s ahead is forgiven."""
    judge = FixFilter()
    sighting = judged(judge, good, NOW)
    assert isinstance(sighting, Sighting)
    assert (sighting.at, sighting.lat, sighting.lng) == (judge.at, judge.lat, judge.lng)


def test_older_than_the_newest() -> None:
    """Rejected; the same moment again is not older."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    assert Rejection.OLD is judged(judge, raw(2, NOW - 0.001), NOW)
    assert isinstance(judged(judge, raw(3, NOW), NOW), Sighting)


@pytest.mark.parametrize(("metres", "seconds", "taken"), [(690, 10, True), (710, 10, False)])
def test_faster_than_70_metres_a_second(metres: float, seconds: float, taken: bool) -> None:
    """From the last one taken."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    there = HERE["lat"] + metres / 111_195
    second = judged(judge, raw(2, NOW + seconds, lat=there), NOW + seconds)
    assert taken is isinstance(second, Sighting)
    assert taken or second is Rejection.TOO_FAST


def test_the_third_near_the_new_place_is_believed() -> None:
    """Two could be a reflection; the third says that the rider is really there."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    verdicts = [judged(judge, raw(2 + n, NOW + 1 + n, **FAR), NOW + 5) for n in range(4)]
    assert [Rejection.TOO_FAST, Rejection.TOO_FAST] == verdicts[:2]
    assert [NOW + 3, NOW + 4] == [each.at for each in verdicts[2:] if isinstance(each, Sighting)]


def test_three_jumps_to_three_places() -> None:
    """That is noise: none is believed."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    for number, lat in enumerate((35.0, 25.0, 40.0, 20.0)):
        assert Rejection.TOO_FAST is judged(judge, raw(2 + number, NOW + 1, lat=lat), NOW + 2)


def test_a_good_fix_between_the_jumps() -> None:
    """The count begins anew: three in a row are needed."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    for seq in (2, 3):
        assert Rejection.TOO_FAST is judged(judge, raw(seq, NOW + 1, **FAR), NOW + 2)
    assert isinstance(judged(judge, raw(4, NOW + 1), NOW + 2), Sighting)
    for seq in (5, 6):
        assert Rejection.TOO_FAST is judged(judge, raw(seq, NOW + 2, **FAR), NOW + 2)


def test_gcj02_is_judged_and_held_in_wgs84() -> None:
    """A rider whose fixes come now in one datum, now in the other, does not jump."""
    judge = FixFilter()
    judged(judge, raw(1, NOW), NOW)
    lat, lng = to_gcj02(HERE["lat"], HERE["lng"])
    fix = judged(judge, raw(2, NOW + 1, lat=lat, lng=lng, crs="gcj02"), NOW + 1)
    assert isinstance(fix, Sighting)
    assert distance(fix.lat, fix.lng, HERE["lat"], HERE["lng"]) < 0.1


MEMBERS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
FIXES = st.dictionaries(
    st.sampled_from(["seq", "at", "lat", "lng", "speed", "heading", "crs", "x"]),
    MEMBERS | st.just(format_time(NOW)),
)


SOUND = st.builds(raw, st.integers(0, 9), st.floats(NOW, NOW + 9))


@given(st.lists(FIXES | MEMBERS | SOUND, max_size=8))
def test_whatever_comes_is_judged(fixes: list[Any]) -> None:
    """A fix or a reason, never an exception; what is taken never goes back in time."""
    judge, newest = FixFilter(), 0.0
    for each in fixes:
        verdict = judged(judge, each, NOW)
        if isinstance(verdict, Sighting):
            assert verdict.at >= newest
            newest = verdict.at
        else:
            assert isinstance(verdict, Rejection)


@pytest.mark.parametrize(
    ("told", "seq"),
    [
        (raw(7), 7),
        ({"seq": 0}, 0),
        ({"seq": True}, None),
        ({"seq": "7"}, None),
        ({}, None),
        (7, None),
    ],
)
def test_the_seq_given_back(told: Any, seq: int | None) -> None:
    """A fix is named by its seq where it has one."""
    assert seq == seq_of(told)


# The rate


def test_a_bucket() -> None:
    """A burst at once, then so many a second; what is not used does not grow over the burst."""
    bucket = Bucket(rate=5, burst=20)
    assert [True] * 20 + [False] == [bucket.take(100.0) for _ in range(21)]
    assert [True, False] == [bucket.take(100.2) for _ in range(2)]
    assert [True] * 20 + [False] == [bucket.take(10_000.0) for _ in range(21)]


@given(st.lists(st.floats(0, 3), min_size=1, max_size=80))
def test_a_bucket_holds_its_rate(pauses: list[float]) -> None:
    """Over any time, never more than burst + rate * time."""
    bucket, now, taken = Bucket(rate=5, burst=20), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= 20 + 5 * now + 0.01


def test_the_filters_rate() -> None:
    """20 at once, 5 a second."""
    judge = FixFilter()
    assert 20 == sum(judge.take(NOW) for _ in range(40))
    assert 5 == sum(judge.take(NOW + 1) for _ in range(40))
