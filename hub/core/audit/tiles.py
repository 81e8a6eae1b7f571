"""The Merkle log in tiles, as C2SP's tlog-tiles cuts it.

A tile of level 0 holds the hashes of 256 leaves, one of level n those of 256 full tiles of level
n - 1. Only the last tile of a level may have fewer. Every proof in a log of 10 million leaves is
made of the tiles of three levels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Self

from hub.core.audit.merkle import EMPTY, Range, node_hash

__all__ = ["Frontier", "Hashes", "Tile", "Write", "hash_of", "root_of", "tiles_of"]

_HASH: Final = 32
_BITS: Final = 8
_WIDTH: Final = 1 << _BITS
FULL: Final = _WIDTH * _HASH


class Tile(NamedTuple):
    level: int
    number: int


class Write(NamedTuple):
    """Bytes of a tile, to be written at an offset. A tile that is full now comes as a whole."""

    tile: Tile
    offset: int
    data: bytes

    @property
    def full(self) -> bool:
        return len(self.data) == FULL


class _Node(NamedTuple):
    """A subtree of 2**height leaves, the so-manieth from the left."""

    height: int
    number: int


def _nodes(of: Range) -> list[_Node]:
    """The full subtrees that a range of a proof is made of, left to right."""
    low, high = of
    nodes = []
    while low < high:
        height = (high - low).bit_length() - 1
        if low:  # not wider than where it begins allows
            height = min(height, (low & -low).bit_length() - 1)
        nodes.append(_Node(height, low >> height))
        low += 1 << height
    return nodes


def _place(node: _Node) -> tuple[Tile, int, int]:
    """The tile, and the first and the number of its hashes, that a subtree's hash comes from."""
    level, inside = divmod(node.height, _BITS)
    number, first = divmod(node.number << inside, _WIDTH)
    return Tile(level, number), first, 1 << inside


def tiles_of(ranges: Iterable[Range]) -> set[Tile]:
    """The tiles that must be at hand for the hashes of these ranges."""
    return {_place(node)[0] for each in ranges for node in _nodes(each)}


def _folded(hashes: Sequence[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


def _cut(data: bytes | bytearray) -> list[bytes]:
    return [bytes(data[at : at + _HASH]) for at in range(0, len(data), _HASH)]


def _hash_of_node(node: _Node, tiles: Mapping[Tile, bytes]) -> bytes:
    tile, first, count = _place(node)
    data = tiles.get(tile, b"")[first * _HASH : (first + count) * _HASH]
    if len(data) != count * _HASH:
        raise KeyError(tile)
    return _folded(_cut(data))


class Hashes:
    """The hashes of ranges, out of tiles; what proofs share is worked out once."""

    def __init__(self, tiles: Mapping[Tile, bytes]) -> None:
        self._tiles = tiles
        self._known: dict[_Node, bytes] = {}

    def __call__(self, of: Range) -> bytes:
        """Raises KeyError with the tile that is missing or too short."""
        hashes = [self._node(node) for node in _nodes(of)]
        root = hashes.pop() if hashes else EMPTY
        while hashes:
            root = node_hash(hashes.pop(), root)
        return root

    def _node(self, node: _Node) -> bytes:
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = _hash_of_node(node, self._tiles)
        return known


def hash_of(of: Range, tiles: Mapping[Tile, bytes]) -> bytes:
    """The hash of a range. Raises KeyError with the tile that is missing or too short."""
    return Hashes(tiles)(of)


def root_of(size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    return hash_of((0, size), tiles)


class Frontier:
    """The right edge of a log: all that is needed to go on, and for its root."""

    def __init__(self, size: int = 0, tiles: Mapping[Tile, bytes] | None = None) -> None:
        """Raises KeyError with a tile of `tiles_at(size)` that is missing or too short."""
        self.size = size
        self._edges: list[bytes] = []
        for tile in self.tiles_at(size):
            wanted = (size >> _BITS * tile.level) % _WIDTH * _HASH
            edge = (tiles or {}).get(tile, b"")[:wanted]
            if len(edge) != wanted:
                raise KeyError(tile)
            self._edges.append(edge)

    @staticmethod
    def tiles_at(size: int) -> list[Tile]:
        """The last tile of each level, which may be empty as yet."""
        tiles: list[Tile] = []
        while size:
            size, level = size >> _BITS, len(tiles)
            tiles.append(Tile(level, size))
        return tiles

    @property
    def root(self) -> bytes:
        return root_of(self.size, dict(zip(self.tiles_at(self.size), self._edges, strict=True)))

    def extended(self, leaves: Sequence[bytes]) -> tuple[Self, list[Write]]:
        """The frontier with more leaf hashes, and what to write for it."""
        following = type(self)()
        following.size = self.size + len(leaves)
        writes: list[Write] = []
        level, hashes = 0, list(leaves)
        while hashes or level < len(self._edges):
            edge = self._edges[level] if level < len(self._edges) else b""
            number = self.size >> _BITS * (level + 1)
            rest, hashes = _fill(Tile(level, number), edge, hashes, writes)
            following._edges.append(rest)
            level += 1
        return following, writes


def _fill(
    tile: Tile, edge: bytes, hashes: Sequence[bytes], writes: list[Write]
) -> tuple[bytes, list[bytes]]:
    """Put hashes into a level from its last tile on: what is in the last one then, and the
    hashes of those that became full.
    """
    offset, data = len(edge), edge + b"".join(hashes)
    above = []
    while len(data) >= FULL:
        writes.append(Write(tile, 0, data[:FULL]))
        above.append(_folded(_cut(data[:FULL])))
        tile, offset, data = Tile(tile.level, tile.number + 1), 0, data[FULL:]
    if len(data) > offset:
        writes.append(Write(tile, offset, data[offset:]))
    return data, above
