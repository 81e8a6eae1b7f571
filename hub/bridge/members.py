"""Which bridge works which partition.

Rendezvous hashing over the bridges that were heard of lately: when one comes or goes, only its
own partitions move. Nothing depends on two bridges agreeing: cursors and leases are compared and
set in the store.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from hub.store.bridges import Bridges, Common
from hub.store.keys import PARTITIONS

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

    def __init__(self, bridges: Bridges, name: str) -> None:
        self.name = name
        self.mine: frozenset[int] = frozenset()
        self._bridges = bridges
        self._names: frozenset[str] | None = None

    async def beat(self) -> Common:
        """Tell that we live; answers what all bridges know."""
        common = await self._bridges.beat(self.name, SILENCE)
        if common.names != self._names:
            self._names = common.names
            self.mine = share_of(self.name, common.names)
        return common

    async def leave(self) -> None:
        await self._bridges.leave(self.name)
