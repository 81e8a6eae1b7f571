"""Riders on duty at this hub: their sessions and their orders. `intake` takes their fixes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from hub.core.riders.telling import Telling
from hub.errors import NotFoundError, UnavailableError
from hub.services.fanout import Fanout
from hub.services.feed import Subscriber
from hub.services.rider import Held, Rider
from hub.store.bus import Bus
from hub.store.keys import order_keys
from hub.store.keys import rider as rider_key
from hub.store.orders import OrderStore, Reading
from hub.store.riders import PositionBoard, RiderIndex
from hub.tasks import end

__all__ = ["Riders"]

_IDLE: Final = 60.0  # seconds, at least, that a rider without a socket is remembered
_ROUND: Final = 30
"""Seconds in which every rider is looked at once: word from the bus may be lost."""

_PACED_IN: Final = 5
"""Seconds in which every rider is told once how often to send."""

log = structlog.get_logger("hub.riders")


class Riders:
    """All riders of this hub. Attach the bus before the first one.

    `fix_rate`: messages with fixes that a rider may send a second, sustained. `position_error`:
    metres by which those who lead the last position on may be wrong before the next is told.
    """

    def __init__(
        self,
        orders: OrderStore,
        index: RiderIndex,
        fanout: Fanout,
        *,
        fix_rate: float,
        position_error: float,
    ) -> None:
        self._orders = orders
        self._fix_rate = fix_rate
        self._position_error = position_error
        self._index = index
        self._fanout = fanout
        self._riders: dict[str, Rider] = {}
        self._arriving: dict[str, asyncio.Task[Rider]] = {}
        self._looks: set[asyncio.Task[None]] = set()
        self._round: deque[Rider] = deque()
        self._to_pace: list[Rider] = []
        self.bus: Bus
        self.board: PositionBoard

    def __len__(self) -> int:
        return len(self._riders)

    def attach(self, bus: Bus) -> None:
        self.bus = bus
        self.board = PositionBoard(bus)

    async def on_duty(self, rider_id: str) -> Rider:
        """The rider, with their present orders. Raises UnavailableError."""
        rider = self._riders.get(rider_id)
        if rider is None:
            arriving = self._arriving.get(rider_id)
            if arriving is None:
                arriving = self._arriving[rider_id] = asyncio.create_task(self._arrive(rider_id))
                arriving.add_done_callback(lambda task: self._arriving.pop(rider_id))
            rider = await asyncio.shield(arriving)
        rider.seen_at = time.monotonic()
        return rider

    async def _arrive(self, rider_id: str) -> Rider:
        rider = Rider(rider_id, self._fix_rate, self.look)
        channel = rider_key(rider_id, "c")
        await self.bus.subscribe({channel: partial(self._on_word, rider)})
        try:
            await self._refresh(rider)
        except BaseException:
            self.bus.unsubscribe(channel)
            raise
        self._riders[rider_id] = rider
        self._round.append(rider)
        return rider

    async def begin_session(
        self,
        rider_id: str,
        on_orders: Callable[[], None],
        on_cadence: Callable[[], None],
        on_superseded: Callable[[], None],
    ) -> Rider:
        """A socket of the rider: every older one, here or elsewhere, is superseded."""
        rider = await self.on_duty(rider_id)
        async with rider.turn:
            if rider.on_superseded is not None:
                rider.on_superseded()
            rider.on_orders, rider.on_superseded = None, on_superseded
            try:
                await self._take_over(rider)
            except BaseException:
                self.end_session(rider, on_superseded)
                raise
            if rider.on_superseded == on_superseded:  # else it was superseded from elsewhere
                rider.on_orders, rider.on_cadence = on_orders, on_cadence
        return rider

    async def _take_over(self, rider: Rider) -> None:
        rider.fence = None  # our own word may come back before the number is known here
        rider.fence = await self._index.take_over(rider.rider_id)
        self._fenced(rider, rider.fence)
        for held in rider.carried:
            held.forget_trail()  # another hub may have led it on: the stored one counts
        await self._refresh(rider)

    def end_session(self, rider: Rider, on_superseded: Callable[[], None]) -> None:
        if rider.on_superseded == on_superseded:
            rider.on_orders = rider.on_superseded = rider.on_cadence = None
            rider.seen_at = time.monotonic()

    def _on_word(self, rider: Rider, payload: bytes) -> None:
        """Word from the bus for whoever holds the rider."""
        if payload == b"O":
            self.look(rider)
        else:
            self._fenced(rider, int(payload[1:]))

    @staticmethod
    def _fenced(rider: Rider, fence: int) -> None:
        """A session with this number has begun somewhere: an older one is superseded."""
        rider.newest_fence = max(rider.newest_fence, fence)
        if rider.fence is None or rider.newest_fence <= rider.fence:
            return
        superseded, rider.on_orders, rider.on_superseded = rider.on_superseded, None, None
        if superseded is not None:
            superseded()

    def make_whole(self) -> None:
        """The store is back: tell again what was told last, and look at the orders."""
        for rider in self._riders.values():
            for held in rider.carried:
                if held.place.put_again():
                    held.place.put_trail(list(held.trail))
            self.look(rider)

    # Orders of a rider

    async def run(self) -> None:
        """Go round: look at a few riders each second, and forget those who are gone."""
        while True:
            await asyncio.sleep(1.0)
            for _ in range(-(-len(self._round) // _ROUND)):
                rider = self._round.popleft()
                if rider.on_superseded is None and time.monotonic() - rider.seen_at > _IDLE:
                    self._forget(rider)
                else:
                    self._round.append(rider)
                    self.look(rider)
            self._to_pace = self._to_pace or list(self._riders.values())
            number = -(-len(self._riders) // _PACED_IN)
            batch, self._to_pace = self._to_pace[:number], self._to_pace[number:]
            await self._pace([rider for rider in batch if rider.on_cadence is not None])

    async def _pace(self, riders: list[Rider]) -> None:
        """Tell riders how often to send: by who watches, and how near they are."""
        keys = {rider: [order_keys(each).sightings for each in rider.held] for rider in riders}
        try:
            audience = await self.bus.audience([key for each in keys.values() for key in each])
        except UnavailableError:
            return
        for rider in riders:
            watched = sum(audience.get(key, 0) for key in keys[rider])
            rider.cadence.hear(watched, rider.metres_to_go(), rider.battery)
            if rider.on_cadence is not None:
                rider.on_cadence()

    def look(self, rider: Rider) -> None:
        """See to it that the rider's orders are read, after now."""
        rider.stale = True
        if not rider.looking:
            rider.looking = True
            task = asyncio.create_task(self._look(rider))
            self._looks.add(task)
            task.add_done_callback(self._looks.discard)

    async def _look(self, rider: Rider) -> None:
        try:
            while rider.stale:
                await self._refresh(rider)
        except UnavailableError:
            pass  # `make_whole` looks again when the store is back
        except Exception:
            log.exception("orders not read", rider=rider.rider_id)
        finally:
            rider.looking = False

    def _forget(self, rider: Rider) -> None:
        self._riders.pop(rider.rider_id, None)
        self.bus.unsubscribe(rider_key(rider.rider_id, "c"))
        for held in rider.carried:
            self._fanout.unsubscribe(held.subscriber)

    async def _refresh(self, rider: Rider) -> None:
        rider.stale = False
        before = rider.view()
        fence, order_ids = await self._index.look(rider.rider_id)
        self._fenced(rider, fence)
        readings = await self._readings(rider, order_ids)
        for order_id in rider.held.keys() - readings.keys():
            self._fanout.unsubscribe(rider.put_down(order_id).subscriber)
        for order_id, reading in readings.items():
            await self._hold(rider, order_id, reading)
        if rider.on_orders is not None and rider.view() != before:
            rider.on_orders()

    async def _readings(self, rider: Rider, order_ids: list[str]) -> dict[str, Reading]:
        """The rider's active orders. What the index has too many is struck off."""
        active: dict[str, Reading] = {}
        for order_id in order_ids:
            reading = await self._orders.read(order_id)
            if not _active(reading, rider):
                await self._index.strike(rider.rider_id, order_id)
                reading = await self._orders.read(order_id)  # assigned in this very moment?
                if not _active(reading, rider):
                    continue
                await self._index.add(rider.rider_id, order_id)
            assert reading is not None
            active[order_id] = reading
        return active

    async def _hold(self, rider: Rider, order_id: str, reading: Reading) -> None:
        held = rider.held.get(order_id)
        if held is None:
            subscriber = Subscriber(rider, order_id, rider.claims, None, own=True)
            try:
                await self._fanout.subscribe(subscriber, None, lambda message: None)
            except NotFoundError:  # taken away again just now
                return
            held = rider.held.get(order_id)
            if held is not None:  # another look was first
                self._fanout.unsubscribe(subscriber)
            else:
                telling = Telling(self._position_error)
                held = Held(reading.state, subscriber, partial(self.board.place, order_id), telling)
                rider.take_up(order_id, held)
        held.see(reading)
        if reading.position is not None and reading.position.leg == reading.state.leg:
            rider.filter.recall(reading.position)

    async def stop(self) -> None:
        await end([*self._arriving.values(), *self._looks])


def _active(reading: Reading | None, rider: Rider) -> bool:
    return (
        reading is not None and not reading.state.final and reading.state.rider_id == rider.rider_id
    )
