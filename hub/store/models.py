"""What the estimates are made by: as the worker that learns has written it last, and as it was
trained last. Both are packed by who wrote them.

oc:{eta}:model     hash   version, model
oc:{eta}:trained   hash   until: how far into the past it goes (Unix seconds), model;
                          due: when a worker is to train the next one
"""

from typing import Final

from hub.store.connection import Connection, Script

__all__ = ["ModelStore"]

_KEY: Final = "oc:{eta}:model"
_TRAINED: Final = "oc:{eta}:trained"
_SAVE: Final = Script("model_save")
_OFFER: Final = Script("model_offer")
_CLAIM: Final = Script("training_claim")


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

    async def trained(self, known: float = 0.0) -> tuple[float, bytes] | None:
        """The model that was trained last, and until when it has learned; None where that is no
        later than `known`.
        """
        until = await self._connection.ask("HGET", _TRAINED, "until")
        if until is None or float(until) <= known:
            return None
        until, packed = await self._connection.ask("HMGET", _TRAINED, "until", "model")
        return float(until), packed

    async def offer(self, until: float, packed: bytes, due: float) -> bool:
        """A trained model, for all workers; whether it has learned from later orders than the one
        that was there. If so, the next is `due` then.
        """
        return bool(await self._connection.run(_OFFER, [_TRAINED], until, packed, due))

    async def claim(self, now: float, every: float, again: float) -> bool:
        """Whether a model is to be trained now, by the caller alone: if he is never heard of, the
        next may so many seconds from now. The first to ask has the clock begin.
        """
        return bool(await self._connection.run(_CLAIM, [_TRAINED], now, now + every, now + again))

    async def put_off(self, due: float) -> None:
        """The next training."""
        await self._connection.ask("HSET", _TRAINED, "due", due)
