"""Fair turns."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridge.turns import Turns, origin_of
from hub.core.webhooks.outcome import Fault, Reply


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
    assert max(taken.values()) <= 16
    assert turns.free >= 4


def test_an_origin_is_bounded_too() -> None:
    """A thousand URLs of one server do not take all turns."""
    turns = Turns(1024)
    for number in range(1024):
        room = turns.room()
        if room.named.get("https://a.example", room.origin) > 0:
            turns.take(f"https://a.example|{number}")
    assert turns.taken == 256


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


def reply(status: int | None = 200, took: float = 0.01, fault: Fault | None = None) -> Reply:
    return Reply(status, took=took, fault=fault)


def limit_of(turns: Turns, queue: str) -> int:
    """How many turns the queue may have when it has none."""
    room = turns.room()
    return room.named.get(queue, room.queue)


def hold(turns: Turns, queue: str) -> int:
    """Take all that the queue may have."""
    held = 0
    while turns.room().named.get(queue, turns.room().queue) > 0:
        turns.take(queue)
        held += 1
    for _ in range(held):
        turns.give(queue)
    return held


def test_limits_grow_with_what_is_accepted() -> None:
    """Slowly at first and doubling, up to a bound."""
    turns = Turns(1024)
    held = [hold(turns, "ep_1")]
    for _ in range(5):
        for _ in range(held[-1]):
            turns.hear("ep_1", reply(), 0.0, 0.0)
        held.append(hold(turns, "ep_1"))
    assert held == [16, 32, 64, 128, 128, 128]


def test_a_slow_receiver_earns_nothing() -> None:
    """An answer after a second brings no more turns."""
    turns = Turns(1024)
    for _ in range(100):
        turns.hear("ep_1", reply(took=1.5), 0.0, 0.0)
    assert hold(turns, "ep_1") == 16


@pytest.mark.parametrize(
    "bad", [reply(429), reply(503), reply(None, fault=Fault.TIMEOUT), reply(None)]
)
def test_limits_halve_once_for_what_was_out_together(bad: Reply) -> None:
    """Sixteen refusals of one wave are one word that it was too much."""
    turns = Turns(1024)
    for _ in range(16):
        turns.hear("ep_1", bad, 1.0, 2.0)
    assert hold(turns, "ep_1") == 8
    for wave in range(3, 20):
        turns.hear("ep_1", bad, float(wave), float(wave))
    assert hold(turns, "ep_1") == 1


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_other_refusals_say_nothing_of_load(status: int) -> None:
    turns = Turns(1024)
    turns.hear("ep_1", reply(status, took=2.0), 0.0, 0.0)
    assert hold(turns, "ep_1") == 16


def test_who_was_away_begins_with_one() -> None:
    """And doubles from there: a backlog does not fall upon it at once."""
    turns = Turns(1024)
    turns.hear("ep_1", reply(None, fault=Fault.CONNECT), 0.0, 0.0)
    assert limit_of(turns, "ep_1") == 1
    held = [hold(turns, "ep_1")]
    for _ in range(4):
        for _ in range(held[-1]):
            turns.hear("ep_1", reply(), 1.0, 1.0)
        held.append(hold(turns, "ep_1"))
    assert held == [1, 2, 4, 8, 16]


def test_a_slow_receiver_gets_back_what_all_begin_with() -> None:
    """After timeouts, answers in more than a second still bring it up to the start."""
    turns = Turns(1024)
    for wave in range(1, 9):
        turns.hear("ep_1", reply(None, fault=Fault.TIMEOUT), float(wave), float(wave))
    assert hold(turns, "ep_1") == 1
    for _ in range(500):
        turns.hear("ep_1", reply(took=1.2), 10.0, 10.0)
    assert hold(turns, "ep_1") == 16


def test_an_origin_that_others_fill() -> None:
    """A URL that accepts has its turns although others at its server hang by the hundred."""
    turns = Turns(1024)
    well = "https://a.example|well"
    turns.hear(well, reply(), 0.0, 0.0)
    for number in range(1024):
        room = turns.room()
        if room.named.get("https://a.example", room.origin) > 0:
            turns.take(f"https://a.example|{number}")
    room = turns.room()
    assert room.named["https://a.example"] == 0
    assert room.named[well] > 0
    turns.hear(well, reply(None), 1.0, 1.0)
    assert well not in turns.room().named


def test_what_is_remembered_is_bounded() -> None:
    """A hundred thousand URLs that fail are not named with every claim."""
    turns = Turns(1024)
    for number in range(100_000):
        turns.hear(f"https://a.example|{number}", reply(None), 0.0, 0.0)
    assert len(turns.room().named) <= 64
    assert len(turns._limits) <= 20_000
