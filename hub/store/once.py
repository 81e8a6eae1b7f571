"""Things that must happen once: Idempotency-Keys and external order numbers."""

from dataclasses import dataclass
from typing import Any, Final

import msgpack

from hub.store.connection import Connection, Script
from hub.store.keys import once, once_of

__all__ = ["Begin", "Busy", "Differs", "Done", "Once"]

_ONCE: Final = Script("once")
LEASE_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Begin:
    """Do it, under this operation id: the same one that an earlier run that died had."""

    operation: str


@dataclass(frozen=True, slots=True)
class Done:
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """The first request with this key is still under way."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Differs:
    """The key is taken by another request, whose operation id this is."""

    operation: str


class Once:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def begin(
        self,
        scope: str,
        digest: str,
        fingerprint: str,
        operation: str,
        now: float,
        keep: int,
        lease: int = LEASE_MS,
    ) -> Begin | Done | Busy | Differs:
        """Take the key for `lease` milliseconds. `now` in Unix seconds, `keep` in seconds."""
        word, value = await self._connection.run(
            _ONCE, [once(scope, digest)], fingerprint, operation, int(now * 1000), lease, keep
        )
        match word:
            case b"begin":
                return Begin(value.decode())
            case b"done":
                return Done(msgpack.unpackb(value))
            case b"busy":
                return Busy(int(value))
            case _:
                return Differs(value.decode())

    async def finish(
        self, scope: str, digest: str, answer: dict[str, Any], tells_of: str | None, keep: int
    ) -> None:
        """Keep the answer for whoever asks again. `tells_of`: an order with whose customer's data
        it has to go; that is known for `keep` seconds.
        """
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            if tells_of is not None:
                pipeline.sadd(once_of(tells_of), digest)
                pipeline.expire(once_of(tells_of), keep)
            pipeline.hset(once(scope, digest), "answer", msgpack.packb(answer))
            await pipeline.execute()

    async def release(self, scope: str, digest: str) -> None:
        """Let the same request try again at once; it will resume the same operation."""
        async with self._connection.mapped() as client:
            await client.hset(once(scope, digest), "until", 0)
