"""Dead reckoning, by the vectors that every client is tried against."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.examples import FOLDER
from schemas.motion import HORIZON, around, distance, reckoned, within

VECTORS: Final = json.loads((FOLDER / "reckoning.json").read_text(encoding="utf-8"))
CASES: Final = {case["name"]: case for case in VECTORS["cases"]}
LATS, LNGS = st.floats(-90, 90), st.floats(-180, 180)


def shown(case: dict[str, Any]) -> tuple[float, float]:
    there = case["position"]
    moves = (there.get("speed"), there.get("heading"))
    return reckoned(there["lat"], there["lng"], *moves, case["seconds"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_vector(case: dict[str, Any]) -> None:
    """To a ten millionth of a degree, a centimetre."""
    expected = (case["expected"]["lat"], case["expected"]["lng"])
    assert expected == pytest.approx(shown(case), abs=VECTORS["tolerance"], rel=0)


LED: Final = {
    name: case
    for name, case in CASES.items()
    if "speed" in case["position"]
    and "heading" in case["position"]
    and abs(case["position"]["lat"]) < 89
}


@pytest.mark.parametrize("case", LED.values(), ids=LED)
def test_a_vector_is_as_far_as_one_gets(case: dict[str, Any]) -> None:
    """Speed times seconds along the great circle."""
    there, expected = case["position"], case["expected"]
    metres = there["speed"] * min(max(case["seconds"], 0.0), VECTORS["horizon"])
    got = distance(there["lat"], there["lng"], expected["lat"], expected["lng"])
    assert metres == pytest.approx(got, rel=1e-3, abs=0.01)


def test_the_vectors_know_the_horizon() -> None:
    """And each name is there once."""
    assert HORIZON == VECTORS["horizon"]
    assert len(CASES) == len(VECTORS["cases"])


@given(LATS, LNGS, st.floats(0, 70), st.floats(0, 360), st.floats(-10, 1e6))
def test_it_stays_on_the_map(
    lat: float, lng: float, speed: float, heading: float, seconds: float
) -> None:
    """Whatever the position: a latitude and a longitude that there are."""
    north, east = reckoned(lat, lng, speed, heading, seconds)
    assert -90 <= north <= 90
    assert -180 <= east <= 180


@given(st.floats(-900, 900))
def test_around(degrees: float) -> None:
    """The same meridian, told in one way."""
    assert -180 <= around(degrees) < 180
    assert pytest.approx(0, abs=1e-9) == (around(degrees) - degrees + 1) % 360 - 1


@given(LATS, LNGS, LATS, LNGS, st.floats(0, 2e7))
def test_within(lat1: float, lng1: float, lat2: float, lng2: float, metres: float) -> None:
    """The short way to the answer gives the same."""
    assert within(metres, lat1, lng1, lat2, lng2) is (distance(lat1, lng1, lat2, lng2) <= metres)
