"""Leases: which of several workers leads a duty just now.

oc:lease:<duty>   string  the holder; expires
"""

from typing import Final

from hub.store.connection import Connection, Script

__all__ = ["Leases"]

_HOLD: Final = Script("lease_hold")


class Leases:
    """The leases of one holder. Raises UnavailableError."""

    def __init__(self, connection: Connection, holder: str) -> None:
        self._connection = connection
        self._holder = holder

    async def hold(self, duty: str, seconds: float) -> bool:
        """Take a lease, or keep it, for so many seconds; False while another holds it."""
        key = f"oc:lease:{duty}"
        return bool(await self._connection.run(_HOLD, [key], self._holder, int(seconds * 1000)))
