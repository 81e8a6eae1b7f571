"""Riders on duty at this hub: their orders, their fixes, and where these go.

One fix, from the socket to the bus: `Riders.take_one` -> `FixFilter.judge` -> `Telling.due` ->
`Held.tell`, for each active order.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog

from hub.core.claims import Claims
from hub.core.fixes import seq_of
from hub.core.state import OrderState
from hub.core.telling import Telling
from hub.errors import NotFoundError, UnavailableError
from hub.fanout import Fanout
from hub.feed import Subscriber
from hub.metrics import FIXES, FIXES_REJECTED
from hub.rider import Held, Rider
from hub.store.bus import Bus
from hub.store.keys import order_keys
from hub.store.keys import rider as rider_key
from hub.store.orders import OrderStore, Reading
from hub.store.riders import PositionBoard, RiderIndex
from hub.tasks import end
from schemas.lifecycle import CourierState
from schemas.positions import Rejection
from schemas.telemetry import RawFix, Sighting, read_fix

__all__ = ["Riders"]

_IDLE: Final = 60.0  # seconds, at least, that a rider without a socket is remembered
_ROUND: Final = 30
"""Seconds in which every rider is looked at once: word from the bus may be lost."""

_PACED_IN: Final = 5
"""Seconds in which every rider is told once how often to send."""

log = structlog.get_logger("hub.riders")

Judged = tuple[int | None, Rejection]
"""The seq of a fix that was not taken, if it named one, and why."""


Approach = Callable[[str, CourierState, Claims], Awaitable[OrderState]]
Heard = Callable[[str, Claims], Awaitable[None]]


class Riders:
    """All riders of this hub. Attach the bus before the first one.

    `fix_rate`: messages with fixes that a rider may send a second, sustained. `position_error`:
    metres by which those who lead the last position on may be wrong before the next is told.
    `approach` tells an order that its rider has come to one of its places; answers the order then.
    `heard` tells one that holds its rider for silent that a fix has come; `rider_silent` is after
    how many seconds it does.
    """

    def __init__(
        self,
        orders: OrderStore,
        index: RiderIndex,
        fanout: Fanout,
        approach: Approach,
        heard: Heard,
        *,
        rider_silent: float,
        fix_rate: float,
        position_error: float,
    ) -> None:
        self._orders = orders
        self._approach = approach
        self._heard = heard
        self._rider_silent = rider_silent
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

    # Fixes

    def take(self, rider: Rider, raws: list[Any]) -> tuple[int, int, list[Judged]]:
        """Judge one message's fixes; the newest one taken goes to each active order.

        Answers how many were taken, the highest seq of those (-1 for none), and the others with
        the reason.
        """
        now = time.time()
        rider.seen_at = time.monotonic()
        refused = None if rider.filter.take(now) else Rejection.RATE
        taken, highest, newest = 0, -1, None
        rejected: list[Judged] = []
        for raw in raws:
            verdict, seq = self._judge(rider, raw, now) if refused is None else (refused, -1)
            if isinstance(verdict, Rejection):
                rejected.append((seq_of(raw), verdict))
                FIXES_REJECTED.labels(verdict.value).inc()
                continue
            if newest is not None:
                self._pass(rider, newest)
            taken, highest, newest = taken + 1, max(highest, seq), verdict
        FIXES.value += taken
        if newest is not None:
            self._go(rider, newest)
        return taken, highest, rejected

    @staticmethod
    def _pass(rider: Rider, sighting: Sighting) -> None:
        """A fix of a batch that is not the last: only on the way."""
        rider.course.see(sighting.at, sighting.lat, sighting.lng)
        for held in rider.carried:
            if sighting.at >= held.trail_due:
                held.add_to_trail(sighting)
            held.hold_back(sighting)

    @staticmethod
    def _judge(rider: Rider, raw: Any, now: float) -> tuple[Sighting | Rejection, int]:
        if not rider.carried:
            return Rejection.OFF_DUTY, -1
        fix = read_fix(raw)
        if fix is None:
            return Rejection.MALFORMED, -1
        return rider.filter.judge(fix, now), fix.seq

    def take_one(self, rider: Rider, fix: RawFix, now: float) -> Rejection | None:
        """`take` for one fix that is within the rate: the usual case, and the hot one."""
        if not rider.carried:
            return self._rejected(Rejection.OFF_DUTY)
        sighting = rider.filter.judge(fix, now)
        if isinstance(sighting, Rejection):
            return self._rejected(sighting)
        FIXES.value += 1
        self._go(rider, sighting)
        return None

    def _go(self, rider: Rider, sighting: Sighting) -> None:
        """The rider is there now: told where it matters, kept back where all know it anyway."""
        at, lat, lng = sighting.at, sighting.lat, sighting.lng
        rider.course.see(at, lat, lng)
        rider.battery = sighting.battery
        for held in rider.carried:
            if at >= held.trail_due:
                held.add_to_trail(sighting)
            if at >= held.heard_due and held.hear(at, self._rider_silent):
                self._spawn(self._hear(rider, held))
            gate = held.gate
            if gate is not None and not held.coming and gate.crossed(lat, lng) is not None:
                held.coming = True
                self._spawn(self._come(rider, held, lat, lng))
            if held.telling.due(at, lat, lng):
                if sighting.speed is None or sighting.heading is None:
                    _lead_on(rider, sighting)
                held.tell(sighting)
            else:
                held.hold_back(sighting)

    async def _come(self, rider: Rider, held: Held, lat: float, lng: float) -> None:
        """The rider has come to one of an order's places, or gone: as far as it goes."""
        try:
            while held.gate is not None and (target := held.gate.crossed(lat, lng)) is not None:
                order_id = held.state.order_id
                state = await self._approach(order_id, target, rider.claims)
                if state.courier_state is held.state.courier_state:
                    break
                held.follow(state)
        except (NotFoundError, UnavailableError) as error:
            log.debug("geofence not told", rider=rider.rider_id, error=str(error))
        finally:
            held.coming = False

    async def _hear(self, rider: Rider, held: Held) -> None:
        try:
            await self._heard(held.state.order_id, rider.claims)
        except (NotFoundError, UnavailableError) as error:
            log.debug("not told as heard", rider=rider.rider_id, error=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    @staticmethod
    def _rejected(reason: Rejection) -> Rejection:
        FIXES_REJECTED.labels(reason.value).inc()
        return reason

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
            self._spawn(self._look(rider))

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
                held = Held(reading.state, subscriber, self.board.place(order_id), telling)
                rider.take_up(order_id, held)
        held.see(reading)
        if reading.position is not None and reading.position.leg == reading.state.leg:
            rider.filter.recall(reading.position)

    async def stop(self) -> None:
        await end([*self._arriving.values(), *self._looks])


def _lead_on(rider: Rider, sighting: Sighting) -> None:
    """Where the phone does not say how fast and whereto, the way says it."""
    moves = rider.course.velocity(sighting.at, sighting.lat, sighting.lng)
    if moves is not None:
        sighting.speed, sighting.heading = moves


def _active(reading: Reading | None, rider: Rider) -> bool:
    return (
        reading is not None and not reading.state.final and reading.state.rider_id == rider.rider_id
    )
