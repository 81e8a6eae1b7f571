"""Live events, history and losses in any order: what is handed on is exactly 1..n, in order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.watchers.recovery import Line, contiguous


def event(seq: int, epoch: str = "a") -> dict[str, Any]:
    return {"epoch": epoch, "seq": seq}


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [each["seq"] for each in events]


@given(st.data())
def test_any_interleaving_is_made_whole(data: st.DataObject) -> None:
    """However the bus loses, repeats and reorders, and whenever the history is read."""
    line, written, handed = Line(), 0, []
    start = data.draw(st.integers(0, 3), "start")
    written = start
    handed += line.start("a", start) if data.draw(st.booleans(), "open") else []
    for _ in range(data.draw(st.integers(1, 25), "steps")):
        match data.draw(st.sampled_from(["tell", "lose", "repeat", "read"])):
            case "tell":
                written += 1
                handed += line.receive(event(written))
            case "lose":
                written += 1
            case "repeat" if written:
                handed += line.receive(event(data.draw(st.integers(1, written), "again")))
            case "read":
                handed += read(line, written, start)
    handed += read(line, written, start)
    assert list(range(start + 1, written + 1)) == seqs(handed)
    assert (written, False) == (line.seq, line.behind)


def read(line: Line, written: int, start: int) -> list[dict[str, Any]]:
    """As the hub does: a snapshot's place opens a line, later the history after it is read."""
    if not line.open:
        return line.start("a", start) + read(line, written, start)
    history = [event(seq) for seq in range(line.seq + 1, written + 1)]
    return line.catch_up("a", written, history)


@given(st.integers(0, 5), st.integers(1, 8), st.data())
def test_a_reading_that_is_older_than_the_bus(start: int, more: int, data: st.DataObject) -> None:
    """Events that came while the history was read are kept, and handed on after it."""
    line = Line()
    line.start("a", start)
    last = start + more
    seen = data.draw(st.integers(start, last), "history reaches to")
    handed = []
    for seq in range(start + 2, last + 1):  # start + 1 is lost
        handed += line.receive(event(seq))
    handed += line.catch_up("a", seen, [event(seq) for seq in range(start + 1, seen + 1)])
    if line.behind:
        handed += line.catch_up("a", last, [event(seq) for seq in range(line.seq + 1, last + 1)])
    expected = last if more > 1 or seen > start else start
    assert list(range(start + 1, expected + 1)) == seqs(handed)


def test_a_line_is_closed_at_first() -> None:
    """It hands nothing on before it knows where the stream stands."""
    line = Line()
    assert [] == line.receive(event(1))
    assert (False, True) == (line.open, line.behind)


def test_a_hole_holds_back() -> None:
    """Nothing is told over a hole; the history fills it, and what came early follows."""
    line = Line()
    line.start("a", 1)
    assert [2] == seqs(line.receive(event(2)))
    assert [] == line.receive(event(4))
    assert line.behind
    assert [] == line.receive(event(5))
    assert [3, 4, 5] == seqs(line.catch_up("a", 4, [event(3), event(4)]))
    assert not line.behind


def test_a_history_with_a_hole_of_its_own() -> None:
    """Then the line stays behind."""
    line = Line()
    line.start("a", 1)
    assert [2] == seqs(line.catch_up("a", 4, [event(2), event(4)]))
    assert line.behind


def test_another_epoch_is_not_told() -> None:
    """It is another stream: the line is behind until somebody has looked."""
    line = Line()
    line.start("a", 1)
    assert [] == line.receive(event(2, "b"))
    assert line.behind


@pytest.mark.parametrize(
    ("told", "after", "until", "wanted"),
    [
        ([2, 3], 1, 3, True),
        ([], 3, 3, True),
        ([3], 1, 3, False),
        ([2], 1, 3, False),
        ([2, 2, 3], 1, 3, False),
        ([3, 2], 1, 3, False),
        ([2, 3, 4], 1, 3, False),
    ],
)
def test_contiguous(told: list[int], after: int, until: int, wanted: bool) -> None:
    """Exactly after + 1 .. until, each once, in order."""
    assert wanted is contiguous([event(seq) for seq in told], after, until)
