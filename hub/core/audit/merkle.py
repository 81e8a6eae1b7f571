"""Merkle trees by RFC 9162, section 2.1: hashes, proofs as ranges of leaves, and their checks.

A proof is planned without any hash at hand: as the ranges of leaves whose hashes it is made of.
Where these come from is `hub.core.audit.tiles`' matter.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

__all__ = [
    "EMPTY",
    "consistency_ranges",
    "consistent",
    "inclusion_ranges",
    "leaf_hash",
    "node_hash",
    "root_by_inclusion",
]

Range = tuple[int, int]
"""The leaves from the first up to, and without, the second."""

EMPTY: Final = sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size` (2 or more)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """PATH of 2.1.3.1: the ranges beside a leaf, from the leaf to the root."""
    ranges: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """PROOF of 2.1.4.1: ranges that show a tree of `first` leaves in one of `second`."""
    if first in (0, second):
        return []
    ranges: list[Range] = []
    low, high = 0, second
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:  # else it is the first tree itself, whose root who checks has
        ranges.append((low, high))
    return ranges[::-1]


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and path lead to (2.1.3.2); None where they cannot fit."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(beside, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def consistent(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of `second` leaves begins with the tree of `first` (2.1.4.2)."""
    if first == second or first == 0:
        fits = first_root == (second_root if first else EMPTY)
        return fits and not path
    if not 0 < first < second or not path:
        return False
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
