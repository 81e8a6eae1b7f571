"""Learns from every delivery how long orders take."""

import asyncio
import time
from typing import Any, Final

import msgspec
import structlog

from hub.core.orders.estimate import remaining
from hub.core.orders.state import OrderState
from hub.core.warehouse import position_of
from hub.eta import model as trained
from hub.eta.estimator import Estimator
from hub.eta.learner import Learner
from hub.eta.outlook import Town, features_of
from hub.eta.scores import band
from hub.metrics import ETA_ACTUALS, ETA_ERROR
from hub.services.estimates import Learned, read_town, unpacked
from hub.store.index import OrderIndex
from hub.store.keys import PARTITIONS
from hub.store.log import Log
from hub.store.models import ModelStore
from hub.store.orders import OrderStore
from hub.store.roster import Roster
from schemas.lifecycle import FINAL, EventType, Status
from schemas.times import parse_time
from schemas.wire import loads_own

__all__ = ["READER", "Learning"]

READER: Final = "eta"
"""As the log's cursors name us."""

_BATCH: Final = 100
_BLOCK: Final = 0.5
_SAVE_EVERY: Final = 30.0
_SILENCE: Final = 15.0
"""Seconds without a step after which another worker may have led."""

log = structlog.get_logger("hub.worker")


class Learning:
    """A duty that one worker should lead. A second one's model is not taken: the store compares.

    What the model has learned and how far the log was read are written as one, so no delivery is
    learned from twice. Orders that were placed before a new leader came teach what their own
    placing still shows.
    """

    pace = 0.1

    def __init__(
        self,
        log_reader: Log,
        orders: OrderStore,
        models: ModelStore,
        index: OrderIndex,
        hubs: Roster,
    ) -> None:
        self._log = log_reader
        self._orders = orders
        self._models = models
        self._index = index
        self._hubs = hubs
        self._learner: Learner | None = None
        self._cursors: dict[int, str] = {}
        self._version = 0
        self._adopted = 0.0
        """Until when the trained model had learned that was adopted last (Unix seconds)."""
        self._looked = 0.0
        """The same of the one that was looked at last, of use or not."""
        self._town = Town()
        self._stepped = self._saved = 0.0

    async def step(self) -> None:
        now = time.monotonic()
        if self._learner is None or now - self._stepped > _SILENCE:
            await self._begin()
        self._stepped = now
        await self._read()
        if time.monotonic() - self._saved >= _SAVE_EVERY:
            await self._save()
            self._saved = time.monotonic()

    async def _begin(self) -> None:
        found = await self._models.load()
        self._version, packed = found or (0, None)
        learned = Learned(Estimator(), {}, 0.0)
        if packed is not None:
            try:
                learned = unpacked(packed)
            except ValueError as error:
                log.warning("the model of the estimates is made anew", error=str(error))
        self._learner, self._adopted = Learner(learned.estimator), learned.adopted
        self._cursors = {each: learned.cursors.get(each, "") for each in range(PARTITIONS)}
        self._saved = time.monotonic()
        self._town = await read_town(self._index, self._hubs)

    async def _read(self) -> None:
        found = await self._log.read(self._cursors, _BLOCK, _BATCH)
        entries = [
            (entry_id, partition, loads_own(fields[b"e"]))
            for partition, each in found.items()
            for entry_id, fields in each
        ]
        entries.sort(key=lambda entry: position_of(entry[0]))
        told = [event for _, _, event in entries if _matters(event)]
        states = await self._orders.states({event["orderId"] for event in told})
        for entry_id, partition, event in entries:
            state = states.get(event["orderId"])
            if state is not None and _matters(event):
                self._learn(event, state)
            self._cursors[partition] = entry_id

    def _learn(self, event: dict[str, Any], state: OrderState) -> None:
        assert self._learner is not None
        at, order_id = parse_time(event["timestamp"]), state.order_id
        if event["eventType"] == EventType.CREATED:
            self._learner.placed(order_id, features_of(state.request, at, self._town))
        elif event["status"] == Status.COMPLETED:
            if self._learner.delivered(order_id, at) is None:
                features = features_of(state.request, state.created_at, Town())
                self._learner.placed(order_id, features)
                self._learner.delivered(order_id, at)
            _score(state, at - state.created_at)
        else:
            self._learner.gone(order_id)

    async def _save(self) -> None:
        """Also what was trained meanwhile takes its place."""
        assert self._learner is not None
        self._town = await read_town(self._index, self._hubs)
        await self._adopt()
        learned = Learned(self._learner.estimator, self._cursors, self._adopted)
        version = await self._models.save(self._version, msgspec.msgpack.encode(learned))
        if version is None:  # another worker leads
            self._learner = None
            return
        self._version = version
        await self._log.keep({each: at for each, at in self._cursors.items() if at})

    async def _adopt(self) -> None:
        """A trained model that has learned from later orders than the last one."""
        found = await self._models.trained(max(self._adopted, self._looked))
        if found is None:
            return
        self._looked, packed = found
        try:
            model = await asyncio.to_thread(trained.unpacked, packed)
        except trained.ModelError as error:
            log.warning("the trained model cannot be used", error=str(error))
            return
        assert self._learner is not None
        model.estimator.road = self._learner.estimator.road
        self._learner, self._adopted = Learner(model.estimator), model.trained_until
        log.info("a model was adopted", orders=model.orders, score=model.score)


def _matters(event: dict[str, Any]) -> bool:
    """An order is placed, or has ended."""
    return event["eventType"] == EventType.CREATED or Status(event["status"]) in FINAL


def _score(state: OrderState, seconds: float) -> None:
    """What was told first against what came."""
    if state.forecast is None:
        return
    first = remaining(state.forecast, 0.0)
    ETA_ACTUALS.labels(band(first, seconds)).inc()
    ETA_ERROR.observe(seconds - first.p50)
