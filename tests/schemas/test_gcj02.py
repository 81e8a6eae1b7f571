"""GCJ-02 and back again (schemas.gcj02), and distances on the ground."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.gcj02 import to_gcj02, to_wgs84
from schemas.motion import distance

CHINA = (st.floats(3.9, 53.5), st.floats(73.7, 135.0))


@given(*CHINA)
def test_there_and_back(lat: float, lng: float) -> None:
    """Under a millionth of a degree, some 10 cm, anywhere in China."""
    there = to_gcj02(lat, lng)
    assert (lat, lng) == pytest.approx(to_wgs84(*there), abs=1e-6, rel=0)


@given(*CHINA)
def test_the_offset_is_some_hundred_metres(lat: float, lng: float) -> None:
    """Never none, never a kilometre and a half."""
    assert 1 < distance(lat, lng, *to_gcj02(lat, lng)) < 1500


ABROAD = [(52.52, 13.405), (-33.86, 151.21), (40.71, -74.0), (0.0, 0.0), (90.0, 180.0)]


@pytest.mark.parametrize("point", ABROAD)
def test_abroad_nothing_changes(point: tuple[float, float]) -> None:
    """The offset is China's alone."""
    assert point == to_gcj02(*point) == to_wgs84(*point)


def test_a_known_point() -> None:
    """Tiananmen, as public converters have it, to a metre."""
    lat, lng = to_gcj02(39.907375, 116.391349)
    assert distance(lat, lng, 39.908777, 116.397592) < 5


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0, 0), (0, 1), 111_195),
        ((0, 0), (1, 0), 111_195),
        ((31.2304, 121.4737), (31.2304, 121.4737), 0),
        ((0, 179.9), (0, -179.9), 22_239),
        ((0, 0), (0, 180), 20_015_115),
    ],
)
def test_distances(a: tuple[float, float], b: tuple[float, float], metres: float) -> None:
    """Great circles, over the date line too."""
    assert metres == pytest.approx(distance(*a, *b), abs=1)
