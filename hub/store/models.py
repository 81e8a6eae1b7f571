"""What the estimates are made by, as the worker that learns has written it last.

oc:{eta}:model   hash   version, model (packed by who wrote it)
"""

from typing import Final

from hub.store.connection import Connection, Script

__all__ = ["ModelStore"]

_KEY: Final = "oc:{eta}:model"
_SAVE: Final = Script("model_save")


class ModelStore:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(self, known: int = 0) -> tuple[int, bytes] | None:
        """The version and the model; None where there is no other than the one known."""
        version = await self._connection.ask("HGET", _KEY, "version")
        if version is None or int(version) == known:
            return None
        version, packed = await self._connection.ask("HMGET", _KEY, "version", "model")
        return int(version), packed

    async def save(self, known: int, packed: bytes) -> int | None:
        """The new version; None where another has written since the one that is known."""
        version = await self._connection.run(_SAVE, [_KEY], known, packed)
        return int(version) or None
