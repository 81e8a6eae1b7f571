"""Dividing the partitions."""

from hypothesis import given
from hypothesis import strategies as st

from hub.bridge.members import share_of
from hub.store.keys import PARTITIONS

NAMES = st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=8)


@given(NAMES)
def test_each_partition_has_one_bridge(names: set[str]) -> None:
    """Bridges that know of each other divide all partitions, none twice."""
    shares = [share_of(name, names) for name in names]
    assert sum(map(len, shares)) == PARTITIONS
    assert frozenset(range(PARTITIONS)) == frozenset().union(*shares)


@given(NAMES, st.text(min_size=1, max_size=8))
def test_only_the_leaver_s_partitions_move(names: set[str], leaver: str) -> None:
    """When one goes, the others keep what they had."""
    for name in names - {leaver}:
        assert share_of(name, names | {leaver}) <= share_of(name, names - {leaver})


def test_shares_are_fair() -> None:
    """Four bridges get about a quarter each."""
    names = ["a", "b", "c", "d"]
    assert all(20 <= len(share_of(name, names)) <= 44 for name in names)


def test_alone_before_it_is_heard_of() -> None:
    """A bridge counts itself, whatever the store says."""
    assert frozenset(range(PARTITIONS)) == share_of("a", [])
