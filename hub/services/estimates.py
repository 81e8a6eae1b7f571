"""When orders arrive: the model that the workers learn, and what goes on in the town."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from hub.core.orders.estimate import Outlook, Remaining
from hub.errors import UnavailableError
from hub.eta.estimator import Estimator
from hub.eta.outlook import Town, features_of, outlook, way
from hub.store.index import OrderIndex
from hub.store.models import ModelStore
from hub.store.roster import Roster

__all__ = ["Estimates", "Learned", "read_town", "unpacked"]

_REFRESH: Final = 30.0

log = structlog.get_logger("hub.estimates")


class Learned(Struct):
    """The model as it is kept in the store, with how far the log was learned from."""

    estimator: Estimator
    cursors: dict[int, str]
    adopted: float
    """Until when the trained model had learned that it comes from (Unix seconds); 0 for none."""


async def read_town(index: OrderIndex, hubs: Roster) -> Town:
    """Raises UnavailableError."""
    now = time.time()
    census, living = await asyncio.gather(index.census(now), hubs.living(now))
    on_duty = sum(each.get("riders", 0) for each in living)
    return Town(open_orders=float(census.live.total()), on_duty=float(on_duty) if living else None)


class Estimates:
    """Of one hub. Without a model from the store it begins with one that knows nothing."""

    def __init__(self, models: ModelStore, index: OrderIndex, hubs: Roster) -> None:
        self._models = models
        self._index = index
        self._hubs = hubs
        self._version = 0
        self._estimator = Estimator()
        self._town = Town()

    async def run(self) -> None:
        """Keep the model and the town up to date."""
        while True:
            try:
                await self._refresh()
            except UnavailableError as error:
                log.debug("store away", error=str(error))
            await asyncio.sleep(_REFRESH)

    async def _refresh(self) -> None:
        self._town = await read_town(self._index, self._hubs)
        found = await self._models.load(self._version)
        if found is None:
            return
        version, packed = found
        try:
            learned = await asyncio.to_thread(unpacked, packed)
        except ValueError as error:
            log.warning("the model of the estimates is of another version", error=str(error))
        else:
            self._estimator = learned.estimator
        self._version = version

    def outlook(self, request: dict[str, Any], now: float) -> Outlook:
        """Of a new order; `request` is the wire form of an OrderRequest."""
        return outlook(self._estimator, features_of(request, now, self._town))

    def way(
        self, points: Sequence[tuple[float, float, float]], lat: float, lng: float
    ) -> Remaining:
        """What is left of a rider's way; see `hub.eta.outlook.way`."""
        return way(self._estimator, points, lat, lng)


def unpacked(packed: bytes) -> Learned:
    """Raises ValueError where it is of another version."""
    learned = msgspec.msgpack.decode(packed, type=Learned)
    if not learned.estimator.fits():
        raise ValueError("its parts do not fit together")
    return learned
