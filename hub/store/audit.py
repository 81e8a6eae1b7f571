"""The audit log in the store: its tiles, where each event stands in it, and its signed heads.

All of it has one hash tag, so that one script may extend it: two who extend it at once cannot
fork it, since the script compares its size.

oc:{audit}:log           hash    id, size; kept: the tile in which the newest head ends;
                                 witnessed: number of the last head that the witness has
oc:{audit}:cursors       hash    how far each partition's log is in it
oc:{audit}:tile:<l>:<n>  string  the n-th tile of level l: up to 256 hashes of 32 bytes. A full one
                                 of level 0 expires, unless a head ends in it
oc:{audit}:places:<o>:<e>  string  5 bytes (big endian) for each event of order and epoch: where it
                                 stands in the log; expires
oc:{audit}:tip:<o>:<e>  string  the signed tip (JSON) of an order that is not finished; expires
oc:{audit}:heads         list    the signed heads (JSON), the first is number 1
oc:{audit}:keys          list    the keys that signed (JSON), the present one first
oc:{audit}:rotations     list    the heads that name a next key (JSON)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.core.audit.tiles import Frontier, Tile, Write
from hub.store.connection import Connection, Script
from schemas.wire import dumps, loads_own

__all__ = ["AuditStore", "Batch", "Tree"]

_HEAD: Final = "oc:{audit}:"
_LOG: Final = f"{_HEAD}log"
_CURSORS: Final = f"{_HEAD}cursors"
_HEADS: Final = f"{_HEAD}heads"
_KEYS: Final = f"{_HEAD}keys"
_ROTATIONS: Final = f"{_HEAD}rotations"
_EXTEND: Final = Script("audit_extend")
_SIGN: Final = Script("audit_sign")
_PLACE: Final = 5
_KEEP: Final = 2
"""How many times as long as an order its tiles are kept: an order may last a while itself."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The log as of one moment; `log` is "" before it is begun."""

    log: str
    frontier: Frontier
    cursors: dict[int, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """What extends the log. `places`: order and epoch, to the seq and place of each event; `tips`:
    to where the order ends now, None for one that is finished.
    """

    frontier: Frontier
    writes: Sequence[Write]
    cursors: Mapping[int, str]
    places: Mapping[tuple[str, str], Sequence[tuple[int, int]]]
    tips: Mapping[tuple[str, str], Mapping[str, Any] | None]


class AuditStore:
    """`retention`: seconds that an order is kept after its last change.

    Raises UnavailableError.
    """

    def __init__(self, connection: Connection, retention: int) -> None:
        self._connection = connection
        self._keep = _KEEP * retention

    async def tree(self) -> Tree:
        """The log now. Raises KeyError with a tile that is missing."""
        while True:
            log, size = await self.size()
            found = await self.tiles(Frontier.tiles_at(size))
            async with self._connection.mapped() as client:
                cursors = await client.hgetall(_CURSORS)
            if (log, size) == await self.size():
                known = {int(each): cursor.decode() for each, cursor in cursors.items()}
                return Tree(log, Frontier(size, found), known)

    async def size(self) -> tuple[str, int]:
        """The log's id, and how many events are in it."""
        log, size = await self._connection.ask("HMGET", _LOG, "id", "size")
        return (log or b"").decode(), int(size or 0)

    async def extend(self, log: str, size: int, batch: Batch) -> bool:
        """Extend the log that was of `size`; False where somebody else was first."""
        tiles: list[str | int | bytes] = []
        for write in batch.writes:
            full = write.tile.number if write.full and write.tile.level == 0 else ""
            tiles += (write.offset, write.data, full)
        places = [run for each in batch.places.items() for run in _runs(*each)]
        done = await self._connection.commit(
            _EXTEND,
            (
                _LOG,
                _CURSORS,
                *(_tile(w.tile) for w in batch.writes),
                *(key for key, _, _ in places),
                *(_tip(*order) for order in batch.tips),
            ),
            log,
            size,
            batch.frontier.size,
            self._keep,
            self._keep,
            len(batch.cursors),
            *(word for pair in batch.cursors.items() for word in pair),
            len(batch.writes),
            *tiles,
            len(places),
            *(word for _, *words in places for word in words),
            *(dumps(tip) if tip else "" for tip in batch.tips.values()),
        )
        return bool(done)

    async def tiles(self, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        """Those tiles of the wanted ones that there are."""
        each = list(wanted)
        if not each:
            return {}
        found = await self._connection.ask("MGET", *map(_tile, each))
        return {tile: data for tile, data in zip(each, found, strict=True) if data is not None}

    async def places(self, order_id: str, epoch: str) -> list[int]:
        """Where the events of an order stand in the log, from seq 1 on."""
        data = await self._connection.ask("GET", _places(order_id, epoch)) or b""
        cut = (data[at : at + _PLACE] for at in range(0, len(data), _PLACE))
        return [int.from_bytes(each) for each in cut]

    async def tip(self, order_id: str, epoch: str) -> dict[str, Any] | None:
        """Where an order ends, None for one that is finished or not yet in the log."""
        tip = await self._connection.ask("GET", _tip(order_id, epoch))
        return None if tip is None else loads_own(tip)

    async def sign(self, head: Mapping[str, Any], key: Mapping[str, Any] | None) -> bool:
        """Append a head; False where somebody else was first. `key`: the one that it is the first
        to be signed by.
        """
        tile, inside = divmod(head["size"], 256)
        done = await self._connection.commit(
            _SIGN,
            (_HEADS, _LOG, _KEYS, _ROTATIONS, _tile(Tile(0, tile))),
            head["number"],
            dumps(head),
            head["log"],
            tile if inside else "",
            dumps(key) if key else "",
            "1" if "nextKey" in head else "",
        )
        return bool(done)

    async def newest(self) -> dict[str, Any] | None:
        """The last signed head."""
        head = await self._connection.ask("LINDEX", _HEADS, -1)
        return None if head is None else loads_own(head)

    async def heads(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` heads after a number."""
        rows = await self._connection.ask("LRANGE", _HEADS, after, after + limit - 1)
        return [loads_own(row) for row in rows]

    async def keys(self) -> list[dict[str, Any]]:
        return [loads_own(row) for row in await self._connection.ask("LRANGE", _KEYS, 0, -1)]

    async def rotations(self) -> list[dict[str, Any]]:
        rows = await self._connection.ask("LRANGE", _ROTATIONS, 0, -1)
        return [loads_own(row) for row in rows]

    async def witnessed(self) -> int:
        """Number of the last head that the witness has."""
        return int(await self._connection.ask("HGET", _LOG, "witnessed") or 0)

    async def witness(self, number: int) -> None:
        await self._connection.ask("HSET", _LOG, "witnessed", number)


def _tile(tile: Tile) -> str:
    return f"{_HEAD}tile:{tile.level}:{tile.number}"


def _places(order_id: str, epoch: str) -> str:
    return f"{_HEAD}places:{order_id}:{epoch}"


def _tip(order_id: str, epoch: str) -> str:
    return f"{_HEAD}tip:{order_id}:{epoch}"


def _runs(
    order: tuple[str, str], places: Sequence[tuple[int, int]]
) -> list[tuple[str, int, bytes]]:
    """Key, offset and bytes; one for all of an order's events, which follow each other."""
    key = _places(*order)
    runs: list[tuple[str, int, bytes]] = []
    for seq, place in places:
        offset, data = (seq - 1) * _PLACE, place.to_bytes(_PLACE)
        if runs and runs[-1][1] + len(runs[-1][2]) == offset:
            data = runs[-1][2] + data
            offset = runs.pop()[1]
        runs.append((key, offset, data))
    return runs
