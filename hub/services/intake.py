"""A rider's fixes, from the message to the order's place on the bus.

One fix: `Intake.take_one` -> `FixFilter.judge` -> `_go` -> for each active order `Telling.due` ->
`Held.tell`. Nothing awaits on that way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from hub.core.callers.claims import Claims
from hub.core.orders.state import OrderState
from hub.core.riders.fixes import seq_of
from hub.errors import NotFoundError, UnavailableError
from hub.metrics import FIXES, FIXES_REJECTED, QUARANTINES
from hub.services.rider import Held, Rider
from hub.tasks import end
from schemas.lifecycle import CourierState
from schemas.positions import Rejection
from schemas.telemetry import RawFix, Sighting, read_fix

__all__ = ["Intake"]

log = structlog.get_logger("hub.intake")

Judged = tuple[int | None, Rejection]
"""The seq of a fix that was not taken, if it named one, and why."""

Approach = Callable[[str, CourierState, Claims], Awaitable[OrderState]]
Heard = Callable[[str, Claims], Awaitable[None]]


class Intake:
    """`approach` tells an order that its rider has come to one of its places; answers the order
    then. `heard` tells one that holds its rider for silent that a fix has come; `rider_silent` is
    after how many seconds it does.
    """

    def __init__(self, approach: Approach, heard: Heard, *, rider_silent: float) -> None:
        self._approach = approach
        self._heard = heard
        self._rider_silent = rider_silent
        self._telling: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        await end(self._telling)

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
                rejected.append((seq_of(raw), self._rejected(rider, verdict)))
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
            return self._rejected(rider, Rejection.OFF_DUTY)
        sighting = rider.filter.judge(fix, now)
        if isinstance(sighting, Rejection):
            return self._rejected(rider, sighting)
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
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    @staticmethod
    def _rejected(rider: Rider, reason: Rejection) -> Rejection:
        FIXES_REJECTED.labels(reason.value).inc()
        if rider.filter.quarantines:
            QUARANTINES.value += rider.filter.quarantines
            rider.filter.quarantines = 0
            log.warning("rider quarantined, too fast for long", rider=rider.rider_id)
        return reason


def _lead_on(rider: Rider, sighting: Sighting) -> None:
    """Where the phone does not say how fast and whereto, the way says it. A phone at rest often
    knows its speed alone.
    """
    moves = rider.course.velocity(sighting.at, sighting.lat, sighting.lng)
    if moves is None:
        return
    speed, heading = moves
    if sighting.heading is None and (speed or sighting.speed is None):
        sighting.heading = heading
    if sighting.speed is None:
        sighting.speed = speed
