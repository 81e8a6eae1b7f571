"""Deadlines in the store: which have come.

They are set and cleared by the order's own commit.
"""

import time
from dataclasses import dataclass
from typing import Final

from hub.store.connection import Connection, Script
from hub.store.keys import order_keys, tag

__all__ = ["Claimed", "DeadlineStore"]

_CLAIM: Final = Script("deadline_claim")
_FORGET: Final = Script("deadline_forget")

_LEASE: Final = 1.0
"""Seconds in which who claimed a deadline must have fired it, before others may."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A deadline that has come. `lease`: until when it is the claimant's (Unix ms)."""

    order_id: str
    deadline: str
    lease: int

    @property
    def member(self) -> str:
        return f"{self.order_id}|{self.deadline}"


class DeadlineStore:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, partition: int, count: int) -> list[Claimed]:
        """Up to `count` deadlines that have come and are nobody else's, the longest due first."""
        now = time.time()
        lease = int((now + _LEASE) * 1000)
        key = f"{tag(partition)}deadlines"
        members = await self._connection.run(_CLAIM, [key], int(now * 1000), lease, count)
        pairs = (member.decode().rsplit("|", 1) for member in members)
        return [Claimed(order_id, deadline, lease) for order_id, deadline in pairs]

    async def forget(self, claimed: Claimed) -> None:
        """Drop one that runs no longer, or whose order is gone; not one that was set anew."""
        key = order_keys(claimed.order_id).deadlines
        await self._connection.run(_FORGET, [key], claimed.member, claimed.lease)
