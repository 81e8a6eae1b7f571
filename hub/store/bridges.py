"""What all bridges know together: who lives, which origins are not reached, which endpoints fail.

oc:{bridges}:alive             zset   bridges by their last sign of life (Unix ms)
oc:{bridges}:circuits          hash   origin -> times tripped in a row, when it may be probed,
                                      when the probe that is out has had its time (Unix ms)
oc:{bridges}:failing           hash   endpoint -> its first failure in a row (Unix ms)
oc:{bridges}:failing:<id>      set    orders whose deliveries failed since
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.store.connection import Connection, Script

__all__ = ["PROBE", "Bridges", "Common"]

PROBE: Final = -1.0
"""What `enter` answers to the one attempt that may go through an open circuit."""

_ALIVE: Final = "oc:{bridges}:alive"
_CIRCUITS: Final = "oc:{bridges}:circuits"
_FAILING: Final = "oc:{bridges}:failing"
_HOUR: Final = 3600
_DAYS: Final = 8 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Common:
    names: frozenset[str]
    """Of the bridges that live."""
    circuits: Mapping[str, float]
    """Origin -> seconds until it may be probed."""
    failing: frozenset[str]
    """Endpoints whose last attempt failed."""


class Bridges:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._beat = Script("bridge_beat")
        self._trip = Script("circuit_trip")
        self._enter = Script("circuit_enter")
        self._failed = Script("endpoint_failed")

    async def beat(self, name: str, silence: float) -> Common:
        """Tell that `name` lives ("" only asks). Who is silent for so many seconds is gone."""
        keys = (_ALIVE, _CIRCUITS, _FAILING)
        names, circuits, failing = await self._connection.run(
            self._beat, keys, name, int(silence * 1000), _DAYS
        )
        pairs = zip(circuits[::2], circuits[1::2], strict=True)
        return Common(
            names=frozenset(each.decode() for each in names),
            circuits={origin.decode(): wait / 1000 for origin, wait in pairs},
            failing=frozenset(each.decode() for each in failing),
        )

    async def leave(self, name: str) -> None:
        async with self._connection.mapped() as client:
            await client.zrem(_ALIVE, name)

    async def trip(self, origin: str, first: float, longest: float) -> float:
        """Open an origin's circuit; seconds until it may be probed, doubled each time in a row."""
        limits = (int(first * 1000), int(longest * 1000))
        return float(await self._connection.run(self._trip, (_CIRCUITS,), origin, *limits)) / 1000

    async def enter(self, origin: str, lease: float, pause: float) -> float:
        """Seconds to wait, `pause` at most while a probe is out; 0.0 where the circuit is closed;
        or PROBE: one attempt may go, which has `lease` seconds.
        """
        times = (max(1, int(lease * 1000)), max(1, int(pause * 1000)))
        wait = await self._connection.run(self._enter, (_CIRCUITS,), origin, *times)
        return PROBE if wait == -1 else wait / 1000

    async def close(self, origin: str) -> None:
        """The origin was reached."""
        async with self._connection.mapped() as client:
            await client.hdel(_CIRCUITS, origin)

    async def failed(self, endpoint_id: str, order_id: str, most: int) -> tuple[float, int]:
        """Note a failure; seconds since the first in a row, and for how many orders (at most
        `most`).
        """
        keys = (_FAILING, f"{_FAILING}:{endpoint_id}")
        age, orders = await self._connection.run(
            self._failed, keys, endpoint_id, order_id, most, _DAYS
        )
        return age / 1000, orders

    async def well(self, endpoint_id: str) -> None:
        """The row of failures has ended."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            pipeline.hdel(_FAILING, endpoint_id)
            pipeline.delete(f"{_FAILING}:{endpoint_id}")
            await pipeline.execute()

    async def count(self, acks: Mapping[tuple[str, int], int], now: float) -> None:
        """Add to the counts of this hour: (endpoint, bucket) -> how many."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for (endpoint_id, bucket), number in acks.items():
                key = _acks(endpoint_id, now)
                pipeline.hincrby(key, str(bucket), number)
                pipeline.expire(key, 3 * _HOUR)
            await pipeline.execute()

    async def counted(self, endpoint_id: str, now: float) -> Counter[int]:
        """The buckets of this hour and the one before, together."""
        total = Counter[int]()
        async with self._connection.mapped() as client:
            for moment in (now, now - _HOUR):
                for bucket, number in (await client.hgetall(_acks(endpoint_id, moment))).items():
                    total[int(bucket)] += int(number)
        return total


def _acks(endpoint_id: str, now: float) -> str:
    return f"oc:{{bridges}}:acks:{endpoint_id}:{int(now // _HOUR)}"
