"""Orders in the store: read as of one moment, changed all or nothing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgpack
import msgspec

from hub.core.orders.change import Change
from hub.core.orders.deadlines import Deadline
from hub.core.orders.state import OpenException, OrderState
from hub.store.connection import Connection, Script
from hub.store.customers import CustomerIndex
from hub.store.keys import TALLY, TALLY_KEPT, OrderKeys, order_keys
from hub.tracing import current
from schemas.telemetry import Sighting
from schemas.wire import dumps, loads_own

__all__ = ["OrderStore", "Reading", "Stored"]

_COMMIT: Final = Script("commit")
_READ: Final = Script("read")
_OPERATIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """An order's state and its revision, which each commit raises by one (0: not there yet)."""

    rev: int
    state: OrderState


@dataclass(frozen=True, slots=True)
class Reading:
    """An order as of one moment, with the stored events after the place that was asked for.

    `position` and `trail` are what `PositionBoard` kept last; `trail` holds triples of Unix
    seconds, lat and lng, oldest first.
    """

    state: OrderState
    position: Sighting | None
    trail: list[list[float]]
    events: list[dict[str, Any]]


_sighting: Final = msgspec.msgpack.Decoder(Sighting).decode
_state: Final = msgspec.msgpack.Decoder(OrderState).decode
_pack: Final = msgspec.msgpack.Encoder().encode


class OrderStore:
    """`retention`: seconds that an order and its events are kept after its last change."""

    def __init__(self, connection: Connection, retention: int) -> None:
        self._connection = connection
        self._retention = retention
        self._customers = CustomerIndex(connection, retention)

    async def load(self, order_id: str) -> Stored | None:
        key = order_keys(order_id).order
        rev, packed = await self._connection.ask("HMGET", key, "rev", "state")
        return None if rev is None else Stored(int(rev), _state(packed))

    async def read(self, order_id: str, epoch: str = "", after: int = -1) -> Reading | None:
        """The order with its events after `after` in `epoch`; `after` -1 asks for none."""
        keys = order_keys(order_id)
        found = await self._connection.run(
            _READ, [keys.order, keys.events], epoch, after, keys.position(""), keys.trail("")
        )
        if found is None:
            return None
        _, packed, position, trail, events = found
        return Reading(
            state=_state(packed),
            position=_sighting(position) if position else None,
            trail=msgpack.unpackb(trail) if trail else [],
            events=[loads_own(event) for event in events],
        )

    async def seqs(self, order_ids: Iterable[str]) -> list[tuple[str, int] | None]:
        """Epoch and seq of many orders, in one round trip."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for order_id in order_ids:
                pipeline.hmget(order_keys(order_id).order, "epoch", "seq")
            rows = await pipeline.execute()
        return [None if epoch is None else (epoch.decode(), int(seq)) for epoch, seq in rows]

    async def positions(self, legs: Iterable[tuple[str, int]]) -> list[Sighting | None]:
        """The last position on each of these legs of orders, in one round trip."""
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for order_id, leg in legs:
                pipeline.get(order_keys(order_id).position(leg))
            rows = await pipeline.execute()
        return [_sighting(packed) if packed else None for packed in rows]

    async def states(self, order_ids: Iterable[str]) -> dict[str, OrderState]:
        """Many orders, in one round trip; those that are gone are left out."""
        each = list(order_ids)
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for order_id in each:
                pipeline.hget(order_keys(order_id).order, "state")
            packed = await pipeline.execute()
        found = zip(each, packed, strict=True)
        return {order_id: _state(state) for order_id, state in found if state is not None}

    async def commit(
        self,
        rev: int,
        before: OrderState | None,
        change: Change,
        due: Mapping[Deadline, float],
        cleared: Collection[Deadline],
    ) -> Stored | None:
        """Commit a change that was decided on `rev`. None where another change was first.

        `due` holds the deadlines that run from now on (Unix seconds), `cleared` those that ran.
        """
        state, trace = change.state, current()
        keys = order_keys(state.order_id)
        leg, leg_before = state.leg, 0 if before is None else before.leg
        if before is None and state.customer_id is not None:
            await self._customers.add(state.customer_id, state.order_id, state.created_at)
        answer = await self._connection.commit(
            _COMMIT,
            [
                keys.order,
                keys.events,
                keys.position(leg),
                keys.log,
                keys.deadlines,
                keys.trail(leg),
                keys.exceptions,
                keys.position(leg_before),
                keys.trail(leg_before),
                *_status_keys(keys, before, state),
            ],
            rev,
            _pack(state),
            state.epoch,
            state.seq,
            self._retention,
            keys.channel,
            _fate_of_position(before, state),
            _pack(_whom(state, trace)),
            f"{state.leg} {state.updated_at:.3f} {state.rider_id or ''} {state.estimated_at or ''}"
            f"{trace and ' '}{trace}",
            state.order_id,
            *_status_arguments(before, state),
            len(change.events),
            *(dumps(event) for event in change.events),
            *_deadline_arguments(due, cleared),
            *_exception_arguments(change),
        )
        return Stored(answer[1], state) if answer[0] == 1 else None

    async def note(self, order_id: str, operation: Mapping[str, Any]) -> None:
        """Keep what was asked and made no event."""
        key = order_keys(order_id).operations
        async with self._connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            pipeline.lpush(key, dumps(operation))
            pipeline.ltrim(key, 0, _OPERATIONS - 1)
            pipeline.expire(key, self._retention)
            await pipeline.execute()

    async def operations(self, order_id: str) -> list[dict[str, Any]]:
        """What was asked and made no event, newest first."""
        async with self._connection.mapped() as client:
            rows = await client.lrange(order_keys(order_id).operations, 0, -1)
        return [loads_own(row) for row in rows]


def _whom(state: OrderState, trace: str) -> dict[str, Any]:
    """Whom its webhooks go to, and the trace that they are of, if any."""
    whom = {"partner": state.partner, "url": state.request.get("notificationUrl")}
    return {**whom, "trace": trace} if trace else whom


def _fate_of_position(
    before: OrderState | None, after: OrderState
) -> Literal["keep", "open", "close"]:
    """A new leg opens a place for positions; nobody riding, or the end, closes it."""
    if after.final or after.rider_id is None:
        return "close"
    return "keep" if before and before.leg == after.leg else "open"


def _status_keys(keys: OrderKeys, before: OrderState | None, after: OrderState) -> list[str]:
    """The live orders of the status before, of the one after, and the tally of this time."""
    left = before.status if before else after.status
    bucket = int(after.updated_at // TALLY)
    return [keys.live(left), keys.live(after.status), keys.tally(bucket)]


def _status_arguments(before: OrderState | None, after: OrderState) -> list[Any]:
    """The status that is entered, and where that is a live one, when the order was placed."""
    if before is not None and before.status is after.status:
        return ["", "", 0]
    placed = "" if after.final else int(after.created_at * 1000)
    return [after.status, placed, TALLY_KEPT]


def _deadline_arguments(due: Mapping[Deadline, float], cleared: Collection[Deadline]) -> list[Any]:
    pairs = [part for code, at in due.items() for part in (code, int(at * 1000))]
    return [len(due), *pairs, len(cleared), *cleared]


def _exception_arguments(change: Change) -> list[Any]:
    """What to write down as open, and what to strike off."""
    closed = [each.exception for each in change.closed]
    opened = [each for each in change.opened if each not in closed]
    pairs = [part for each in opened for part in (_named(each), round(each.opened_at * 1000))]
    return [len(opened), *pairs, *map(_named, closed)]


def _named(exception: OpenException) -> str:
    return f"{exception.exception_id}|{exception.code}"
