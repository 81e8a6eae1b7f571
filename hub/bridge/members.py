"""Which bridge works which partition.

Rendezvous hashing over the bridges that were heard of lately: when one comes or goes, only its
own partitions move. Nothing depends on two bridges agreeing: cursors and leases are compared and
set in the store.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from hub.store.keys import PARTITIONS
from hub.store.lanes import Lanes

__all__ = ["BEAT", "SILENCE", "Members", "share_of"]

BEAT: Final = 1.0
SILENCE: Final = 4.0
"""Seconds without a sign of life after which a bridge's partitions go to the others."""


def share_of(name: str, names: Iterable[str]) -> frozenset[int]:
    """The partitions that fall to `name` among `names` and itself."""
    everybody = sorted({name, *names})
    return frozenset(
        partition
        for partition in range(PARTITIONS)
        if max(everybody, key=lambda each: _weight(each, partition)) == name
    )


def _weight(name: str, partition: int) -> bytes:
    return blake2b(f"{partition}|{name}".encode(), digest_size=8).digest()


class Members:
    """`mine` is what this bridge works now; `beat` keeps it up to date."""

    def __init__(self, lanes: Lanes, name: str) -> None:
        self.name = name
        self.mine: frozenset[int] = frozenset()
        self._lanes = lanes
        self._names: frozenset[str] | None = None

    async def beat(self) -> frozenset[int]:
        """Tell that we live; answers the partitions that are newly ours."""
        names = frozenset(await self._lanes.beat(self.name, SILENCE))
        if names == self._names:
            return frozenset()
        before, self._names = self.mine, names
        self.mine = share_of(self.name, names)
        return self.mine - before

    async def leave(self) -> None:
        await self._lanes.leave(self.name)
