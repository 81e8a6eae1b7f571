"""Streams of a partition, as those read them who keep elsewhere how far they have come."""

from collections.abc import Iterable, Mapping
from typing import Literal

from hub.core.warehouse import entry_of, position_of
from hub.store.connection import Connection
from hub.store.keys import tag
from hub.store.log import Entries

__all__ = ["Stream", "Tail", "last_of"]

Stream = Literal["log", "settled", "requests"]


class Tail:
    """One stream in every partition. Positions are those of hub.core.warehouse, 0 before the
    first entry. Raises UnavailableError.
    """

    def __init__(self, connection: Connection, stream: Stream) -> None:
        self._connection = connection
        self._stream = stream

    async def read(self, after: Mapping[int, int], count: int) -> dict[int, Entries]:
        """Up to `count` entries of each partition behind its position; waits for none."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition, position in after.items():
                start = f"({entry_of(position)}"
                pipeline.xrange(f"{tag(partition)}{self._stream}", min=start, count=count)
            answers = await pipeline.execute()
        return {
            partition: [(entry_id.decode(), fields) for entry_id, fields in entries]
            for partition, entries in zip(after, answers, strict=True)
            if entries
        }

    async def trim(self, upto: Mapping[int, int]) -> None:
        """Drop what is at these positions and before. Only for a stream with one reader."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition, position in upto.items():
                key = f"{tag(partition)}{self._stream}"
                pipeline.xtrim(key, minid=entry_of(position + 1), approximate=False)
            await pipeline.execute()

    async def lost(self, partitions: Iterable[int]) -> int:
        """How many entries found no room since it was asked for the last time."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for partition in partitions:
                pipeline.getdel(f"{tag(partition)}{self._stream}:lost")
            found = await pipeline.execute()
        return sum(int(each) for each in found if each)


def last_of(entries: Entries) -> int:
    """The position of the last entry."""
    return position_of(entries[-1][0])
