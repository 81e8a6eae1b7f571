"""Fair turns."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridge.turns import Turns, origin_of


def test_origins() -> None:
    """A callback's queue names its origin, an endpoint's queue has none."""
    assert origin_of("https://a.example:8443|0a1b") == "https://a.example:8443"
    assert origin_of("ep_1") is None


@pytest.mark.parametrize("hogs", [1, 2, 10, 100, 200])
def test_hogs_leave_turns(hogs: int) -> None:
    """However many queues take whatever they may get, each gets some and all leave some."""
    turns = Turns(1024)
    taken = Counter[str]()
    for _ in range(200):
        for hog in range(hogs):
            queue, room = f"ep_{hog}", turns.room()
            if room.named.get(queue, room.queue) > 0:
                turns.take(queue)
                taken[queue] += 1
    assert len(taken) == hogs
    assert max(taken.values()) <= 64
    assert turns.free >= 4


def test_an_origin_is_bounded_too() -> None:
    """A thousand URLs of one server do not take all turns."""
    turns = Turns(1024)
    for number in range(1024):
        room = turns.room()
        if room.named.get("https://a.example", room.origin) > 0:
            turns.take(f"https://a.example|{number}")
    assert turns.taken == 128


def test_what_is_given_back_is_free() -> None:
    """No trace stays of a queue that has nothing under way."""
    turns = Turns(64)
    before = turns.room()
    turns.take("ep_1")
    assert before != turns.room()
    turns.give("ep_1")
    assert before == turns.room()


@given(st.integers(0, 64), st.integers(1, 8))
def test_parts_share_the_room(taken: int, parts: int) -> None:
    """Claims made at the same time share what one could take, up to rounding."""
    turns = Turns(64)
    for _ in range(taken):
        turns.take("ep_1")
    whole, part = turns.room(), turns.room(parts)
    assert whole.total <= part.total * parts < whole.total + parts
    assert whole.queue <= part.queue * parts < whole.queue + parts
