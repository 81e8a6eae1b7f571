"""The Merkle log against the known vectors of RFC 6962's implementations, and a plain tree."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.audit.merkle import (
    EMPTY,
    consistency_ranges,
    consistent,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_by_inclusion,
)
from hub.core.audit.tiles import Frontier, Tile, Write, hash_of, root_of, tiles_of

# The leaves and roots of certificate-transparency's own tests (merkle_tree_test).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# (leaf, size): path; (first, second): path.
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


class Log:
    """Tiles as the store keeps them."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.tiles: dict[Tile, bytes] = {}

    def extend(self, hashes: list[bytes]) -> list[Write]:
        self.frontier, writes = self.frontier.extended(hashes)
        for tile, offset, data in writes:
            before = self.tiles.get(tile, b"")
            assert len(before) >= offset
            self.tiles[tile] = before[:offset] + data
        return writes

    def path(self, ranges: list[tuple[int, int]]) -> list[bytes]:
        tiles = {tile: self.tiles[tile] for tile in tiles_of(ranges)}
        return [hash_of(each, tiles) for each in ranges]


def tree_of(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node_hash(tree_of(hashes[:k]), tree_of(hashes[k:]))


def log_of(size: int) -> tuple[Log, list[bytes]]:
    hashes = [leaf_hash(b"%d" % number) for number in range(size)]
    log = Log()
    log.extend(hashes)
    return log, hashes


BIG, BIG_HASHES = log_of(70_000)
"""Three levels of tiles."""


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    """Extended a leaf at a time, the log has the roots that all implementations know."""
    log = Log()
    for data in LEAVES[:size]:
        log.extend([leaf_hash(data)])
    assert log.frontier.root.hex() == ROOTS[size - 1]


def test_an_empty_log() -> None:
    assert Frontier().root == root_of(0, {}) == EMPTY == sha256().digest()


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    log = Log()
    log.extend([leaf_hash(data) for data in LEAVES[:size]])
    path = log.path(inclusion_ranges(index, size))
    assert tuple(each.hex() for each in path) == INCLUSION[index, size]
    root = root_by_inclusion(index, size, leaf_hash(LEAVES[index]), path)
    assert root is not None
    assert root.hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_known_consistency_proofs(first: int, second: int) -> None:
    log = Log()
    log.extend([leaf_hash(data) for data in LEAVES])
    path = log.path(consistency_ranges(first, second))
    assert tuple(each.hex() for each in path) == CONSISTENCY[first, second]
    roots = bytes.fromhex(ROOTS[first - 1]), bytes.fromhex(ROOTS[second - 1])
    assert consistent(first, roots[0], second, roots[1], path)


@given(st.integers(1, 70), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    """Every leaf's proof leads to the root; no other place, leaf or path does."""
    log, hashes = log_of(size)
    index = data.draw(st.integers(0, size - 1))
    path, root = log.path(inclusion_ranges(index, size)), tree_of(hashes)
    assert root == log.frontier.root == root_by_inclusion(index, size, hashes[index], path)
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index) | st.just(size))
    assert root != root_by_inclusion(other, size, hashes[index], path)
    assert root != root_by_inclusion(index, size, leaf_hash(b"other"), path)
    assert root_by_inclusion(index, 4 * size, hashes[index], path) is None
    assert root_by_inclusion(index, size, hashes[index], [*path, root]) is None
    if path:
        assert root_by_inclusion(index, size, hashes[index], path[:-1]) is None
        at = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:at], leaf_hash(b"wrong"), *path[at + 1 :]]
        assert root != root_by_inclusion(index, size, hashes[index], wrong)


@given(st.integers(0, 70), st.integers(0, 70), st.data())
def test_consistency(one: int, other: int, data: st.DataObject) -> None:
    """A log goes on from each of its beginnings, and from nothing else."""
    first, second = sorted((one, other))
    log, hashes = log_of(second)
    path = log.path(consistency_ranges(first, second))
    old, new = tree_of(hashes[:first]), tree_of(hashes)
    assert consistent(first, old, second, new, path)
    assert not consistent(first, leaf_hash(b"another past"), second, new, path)
    assert not consistent(first, old, second, leaf_hash(b"another present"), path) or first == 0
    assert not consistent(first, old, second, new, [*path, new])
    assert not consistent(first, old, 4 * second + 1, new, path) or first == 0
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:at], leaf_hash(b"wrong"), *path[at + 1 :]]
        assert not consistent(first, old, second, new, wrong)
        assert not consistent(first, old, second, new, path[:-1])


def test_a_smaller_log_does_not_follow() -> None:
    assert not consistent(3, b"", 2, b"", [b""])


@given(st.lists(st.integers(0, 700), max_size=5))
def test_stretches_make_the_same_log(stretches: list[int]) -> None:
    """However it was extended; from a frontier that was read again, too."""
    log, count = Log(), 0
    for stretch in stretches:
        hashes = [leaf_hash(b"%d" % number) for number in range(count, count + stretch)]
        log.extend(hashes)
        count += stretch
        log.frontier = Frontier(count, log.tiles)
    plain, _ = log_of(count)
    assert log.tiles == plain.tiles
    assert log.frontier.root == plain.frontier.root == root_of(count, log.tiles)


@given(st.integers(0, 69_999), st.integers(1, 70_000))
def test_a_large_log(index: int, size: int) -> None:
    """Proofs in a log of three levels of tiles, at every size that it had."""
    index = min(index, size - 1)
    path = BIG.path(inclusion_ranges(index, size))
    root = root_of(size, BIG.tiles)
    assert root == root_by_inclusion(index, size, BIG_HASHES[index], path)
    whole = BIG.path(consistency_ranges(size, 70_000))
    assert consistent(size, root, 70_000, BIG.frontier.root, whole)


def test_few_tiles_for_a_proof() -> None:
    """In a log of 10 million at most five: one a level, and the last of each."""
    wanted = tiles_of(inclusion_ranges(3_456_789, 10_000_000))
    assert sorted(wanted)[:1] == [Tile(0, 13503)]
    assert {tile.level for tile in wanted} == {0, 1, 2}
    assert len(wanted) <= 5


def test_full_tiles_are_written_whole() -> None:
    """So that the store holds no more than their 8 KiB; others only get what is new."""
    log = Log()
    log.extend([leaf_hash(b"")] * 200)
    leaves, above, rest = log.extend([leaf_hash(b"")] * 100)
    assert (leaves.tile, leaves.offset, leaves.full) == (Tile(0, 0), 0, True)
    assert (above.tile, above.offset, len(above.data), above.full) == (
        Tile(0, 1),
        0,
        44 * 32,
        False,
    )
    assert (rest.tile, rest.offset, len(rest.data)) == (Tile(1, 0), 0, 32)


@pytest.mark.parametrize("size", [5, 300])
def test_what_is_missing_is_named(size: int) -> None:
    """A tile that is gone, or shorter than it must be, is never taken for another."""
    log, _ = log_of(size)
    last = Tile(0, size // 256)
    for tiles in ({}, {**log.tiles, last: log.tiles[last][:-32]}):
        with pytest.raises(KeyError):
            hash_of((0, size), tiles)
        with pytest.raises(KeyError):
            Frontier(size, tiles)
