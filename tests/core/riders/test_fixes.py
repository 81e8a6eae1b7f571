"""Which fixes are believed (contract 5)."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.bucket import Bucket
from hub.core.riders.fixes import OLDEST, STEP, SUSTAINED, FixFilter, seq_of
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
    ({**raw(), "at": int(NOW * 1000)}, Rejection.MALFORMED),
    ({**raw(), "at": str(NOW)}, Rejection.MALFORMED),
    ({**raw(), "at": "2026-11-22T19:05:43"}, Rejection.MALFORMED),
    ({**raw(), "at": None}, Rejection.MALFORMED),
    (raw(at=0), Rejection.OLD),
    (raw(at=NOW / 1000), Rejection.OLD),
    (raw(at=NOW - 1024 * 7 * 86_400), Rejection.OLD),
    (raw(at=NOW - OLDEST - 1), Rejection.OLD),
    (raw(at=NOW + 1024 * 7 * 86_400), Rejection.FUTURE),
    ({**raw(), "at": "9999-12-31T23:59:59.999Z"}, Rejection.FUTURE),
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


# Quarantine


def drive(judge: FixFilter, *stretches: tuple[float, float], every: float = 2.0) -> list[bool]:
    """Whether each fix was taken, of who goes north at so many m/s for so many seconds each."""
    at, lat, taken = NOW, HERE["lat"], []
    for speed, seconds in stretches:
        for _ in range(round(seconds / every)):
            verdict = judged(judge, raw(1, at, lat=lat), at)
            assert isinstance(verdict, Sighting) or verdict is Rejection.TOO_FAST
            taken.append(isinstance(verdict, Sighting))
            at, lat = at + every, lat + speed * every / 111_195
    return taken


@pytest.mark.parametrize("every", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("speed", [45.0, 60.0, 69.0])
def test_sustained_impossibility(speed: float, every: float) -> None:
    """Each step could be, all of them cannot: nothing is taken after 20 to 30 s of it."""
    judge = FixFilter()
    taken = drive(judge, (speed, 60), every=every)
    assert 20 <= taken.index(False) * every <= 30
    assert not any(taken[taken.index(False) :])
    assert (True, 1) == (judge.quarantined, judge.quarantines)


def test_a_quarantine_ends_when_the_window_can_be_believed() -> None:
    """The mean over it: 20 to 30 s after the rider rides again."""
    judge = FixFilter()
    taken = drive(judge, (60, 60), (10, 60))
    back = len(taken) - taken[::-1].index(False)
    assert 10 <= (back - 30) * 2 <= 30
    assert all(taken[back:])
    assert (False, 1) == (judge.quarantined, judge.quarantines)


def test_a_fast_road_is_no_quarantine() -> None:
    """Nor is a short burst: the mean counts, over the whole and both its halves."""
    assert all(drive(FixFilter(), (41.0, 300)))
    assert all(drive(FixFilter(), (0, 30), (65.0, 10), (0, 30)))


def test_a_believed_jump_is_no_speed() -> None:
    """Three fixes far away, and the rider is there; nobody is quarantined for it."""
    judge = FixFilter()
    for second in range(100):
        there = FAR if second >= 50 else HERE
        judged(judge, raw(1, NOW + second, **there), NOW + second)
    assert (False, 0) == (judge.quarantined, judge.quarantines)


def test_a_jump_does_not_end_a_quarantine() -> None:
    """The window there has to be believed first."""
    judge = FixFilter()
    drive(judge, (60, 60))
    verdicts = [judged(judge, raw(1, NOW + 60 + n, lat=-31.0), NOW + 60 + n) for n in range(50)]
    taken = [isinstance(each, Sighting) for each in verdicts]
    assert 2 * STEP <= taken.index(True) <= 3 * STEP
    assert all(taken[taken.index(True) :])


def test_who_jumps_on_and_on_is_quarantined() -> None:
    """Long enough at each place to be believed there, and then off to the next."""
    judge, taken = FixFilter(), []
    for second in range(0, 120, 2):
        lat = HERE["lat"] + 0.05 * (second // 12)
        fix = judged(judge, raw(1, NOW + second, lat=lat), NOW + second)
        taken.append(isinstance(fix, Sighting))
    assert any(taken[:12])
    assert not any(taken[20:])


GAPS = st.lists(st.floats(0.5, 40) | st.floats(10, 40), min_size=4, max_size=40)


@settings(max_examples=300)
@given(GAPS, st.data())
def test_never_for_a_single_bad_fix(gaps: list[float], data: st.DataObject) -> None:
    """However far it is off, wherever it comes, however seldom fixes come: an honest rider, up to
    20 m/s, goes on.
    """
    judge, at, lat = FixFilter(), NOW, HERE["lat"]
    bad = data.draw(st.integers(0, len(gaps) - 1))
    off = data.draw(st.floats(-1, 1)) * 100 * gaps[bad] / 111_195
    for number, gap in enumerate(gaps):
        at, lat = at + gap, lat + gap * data.draw(st.floats(0, 20)) / 111_195
        judged(judge, raw(1, at, lat=lat + off * (number == bad)), at)
        assert not judge.quarantined


@given(GAPS, st.floats(SUSTAINED + 0.5, 69))
def test_always_for_who_never_rides(gaps: list[float], speed: float) -> None:
    """Whatever the pauses: after three points of a window it is seen."""
    judge, at, lat = FixFilter(), NOW, HERE["lat"]
    for gap in gaps:
        at, lat = at + gap, lat + gap * speed / 111_195
        judged(judge, raw(1, at, lat=lat), at)
    assert judge.quarantined or sum(gaps[1:]) < 3 * (STEP + max(gaps))


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
