from itertools import pairwise
from random import Random

import pytest

from hub.demo.streets import Streets, Walk, far
from schemas.motion import distance

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_route_follows_streets_from_its_start_to_its_end(seed: int) -> None:
    """Each leg of a route runs along one street, and all of it lies in the town."""
    streets, chance = Streets(), Random(seed)
    start, end = streets.address(chance), streets.address(chance)

    route = streets.route(start, end, chance)

    assert (start, end) == (route[0], route[-1])
    for a, b in pairwise(route):
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        assert a[0] == b[0] or a[1] == b[1]
        assert all(streets.on_street(point) for point in (a, middle, b))


def test_a_route_along_one_street_has_no_detour() -> None:
    """Two doors of one street are joined by that street."""
    streets = Streets()

    assert [(45.0, 10.0), (45.0, 200.0)] == streets.route((45.0, 10.0), (45.0, 200.0), Random(1))


def test_a_route_to_where_one_is_goes_nowhere() -> None:
    """Somebody who is there already has arrived after one step of no length."""
    walk = Walk(Streets().route((45.0, 10.0), (45.0, 10.0), Random(1)), 20.0)

    walk.advance(1.0)

    assert walk.arrived
    assert (45.0, 10.0) == walk.place


def test_a_place_inside_a_block_is_on_no_street() -> None:
    """The check that the other tests lean on can fail."""
    streets = Streets(size=3, block=100.0)

    assert streets.on_street((100.0, 37.0))
    assert not streets.on_street((50.0, 37.0))
    assert not streets.on_street((100.0, 201.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_walk_keeps_to_the_streets_and_to_its_speed(seed: int) -> None:
    """No step is longer than the speed allows, and each ends on a street."""
    streets, chance = Streets(), Random(seed)
    walk = Walk(streets.route(streets.address(chance), streets.address(chance), chance), 25.0)
    left = walk.left

    while not walk.arrived:
        before = walk.place
        walk.advance(0.5)
        assert far(before, walk.place) <= 12.5 + 1e-6
        assert streets.on_street(walk.place)
        assert walk.left == pytest.approx(max(0.0, left - 12.5))
        left = walk.left


def test_a_walk_heads_where_it_goes() -> None:
    """Headings count clockwise from north."""
    walk = Walk([(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)], 10.0)
    headings = []
    for _ in range(3):
        walk.advance(1.0)
        headings.append(walk.heading)

    assert [0.0, 90.0, 180.0] == headings


def test_metres_in_town_are_metres_on_the_ground() -> None:
    """A hundred metres east or north are a hundred in WGS 84 too."""
    here = Streets.degrees((0.0, 0.0))

    assert distance(*here, *Streets.degrees((100.0, 0.0))) == pytest.approx(100.0, abs=0.1)
    assert distance(*here, *Streets.degrees((0.0, 100.0))) == pytest.approx(100.0, abs=0.1)
