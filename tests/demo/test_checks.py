import pytest

from clients.updates import Update
from hub.demo.checks import LaneFaults, StreamFaults, check_lanes, check_stream, percentile
from schemas.lifecycle import Status
from tests.demo.stories import STORED, event, finished, position, snapshot, whole_log

GOOD = {("ord_1", "/hooks"): [2, 4, 5], ("ord_1", "/hooks/order-status"): [2]}


def test_a_whole_stream_has_no_fault() -> None:
    """What came before the subscription is covered by the snapshot."""
    assert StreamFaults(seen=4, covered=1) == check_stream(whole_log(), STORED)


def test_a_resumed_stream_has_no_fault() -> None:
    """What was missed comes before the new snapshot, and nothing of it counts twice."""
    log = [snapshot(1), event(2), event(3), event(4), snapshot(4, recovered=True), event(5)]

    assert StreamFaults(seen=4, covered=1) == check_stream(log, STORED)


@pytest.mark.parametrize(
    ("log", "faults"),
    [
        ([snapshot(1), event(2), event(4), event(5)], {"holes": 1}),
        ([snapshot(1), event(2), snapshot(4), event(5)], {"holes": 2}),
        ([snapshot(1), event(2), event(2), event(3), event(4), event(5)], {"repeats": 1}),
        ([snapshot(3), event(3), event(4), event(5)], {"repeats": 1}),
        ([snapshot(1), event(2), event(3)], {"lost": 2}),
        ([], {"lost": 5}),
        ([snapshot(3), position(), event(4), event(5)], {"misplaced": 1}),
        ([snapshot(4), event(5), position(), finished()], {"misplaced": 1}),
        ([snapshot(3, at=position()), event(4), event(5)], {"misplaced": 1}),
    ],
)
def test_each_fault_is_found(log: list[Update], faults: dict[str, int]) -> None:
    """A hole, a repeat, a loss, a position that should not be seen."""
    found = check_stream(log, STORED)
    expected = {"holes": 0, "repeats": 0, "lost": 0, "different": 0, "misplaced": 0, **faults}

    assert expected == {name: getattr(found, name) for name in expected}


def test_an_event_unlike_the_stored_one_is_found() -> None:
    """Seqs alone prove nothing."""
    changed = [*STORED[:3], STORED[3].model_copy(update={"status": Status.PREPARING}), STORED[4]]

    assert 1 == check_stream(whole_log(), changed).different


def test_positions_on_delivery_are_no_fault() -> None:
    """In the snapshot of a delivery under way too."""
    log = [snapshot(4, at=position()), position(), position(), event(5)]

    assert StreamFaults(seen=1, covered=4) == check_stream(log, STORED)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, LaneFaults(0, 0, 0)),
        ({("ord_1", "/hooks"): [2, 5, 4]}, LaneFaults(1, 0, 0)),
        ({("ord_1", "/hooks"): [2, 2, 4, 5]}, LaneFaults(1, 0, 0)),
        ({("ord_1", "/hooks"): [2, 5]}, LaneFaults(0, 1, 0)),
        ({("ord_1", "/hooks/order-status"): []}, LaneFaults(0, 1, 0)),
        ({("ord_1", "/hooks"): [2, 3, 4, 5]}, LaneFaults(0, 0, 1)),
        ({("ord_2", "/hooks"): [2]}, LaneFaults(0, 0, 1)),
    ],
)
def test_lanes_are_held_against_the_stored_events(
    change: dict[tuple[str, str], list[int]], faults: LaneFaults
) -> None:
    """Out of order, missing, and what nobody should have sent."""
    assert faults == check_lanes({**GOOD, **change}, {"ord_1": STORED}, "/hooks")


def test_an_order_without_any_webhook_misses_all_of_them() -> None:
    """A lane that never was is a lane all the same."""
    assert LaneFaults(0, 4, 0) == check_lanes({}, {"ord_1": STORED}, "/hooks")


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0), ([1, 2, 3], 1.0, 3)],
)
def test_percentiles_are_of_the_nearest_rank(
    values: list[float], share: float, expected: float | None
) -> None:
    """Always a value that was measured."""
    assert expected == percentile(values, share)
