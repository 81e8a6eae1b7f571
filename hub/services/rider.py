"""One rider as a hub knows them: their orders, and the positions their fixes make."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from hub.core.callers.claims import Claims
from hub.core.orders.deadlines import Deadline
from hub.core.orders.state import OrderState
from hub.core.riders.cadence import Cadence
from hub.core.riders.course import Course
from hub.core.riders.fixes import FixFilter
from hub.core.riders.gate import Gate
from hub.core.riders.telling import Telling
from hub.services.feed import Subscriber
from hub.store.orders import Reading
from hub.store.riders import Place
from schemas.exceptions import ExceptionCode
from schemas.lifecycle import Role, Status
from schemas.motion import within
from schemas.telemetry import Sighting
from schemas.wire import Encode, Frames, dumps

__all__ = ["Held", "Rider"]

_TRAIL_POINTS: Final = 60
_TRAIL_STEP: Final = 15.0  # metres between two points of a trail
_WAY_POINTS: Final = 16
_TRAIL_PAUSE: Final = 0.5  # seconds in which no second point is looked for


@dataclass(slots=True)
class Held:
    """An active order of a rider, with its trail on the present leg."""

    state: OrderState
    subscriber: Subscriber
    places: Callable[[int], Place]
    """The order's place on the board, on a leg."""
    telling: Telling
    place: Place = field(init=False)
    leg: int = -1
    trail: deque[list[float]] = field(default_factory=lambda: deque(maxlen=_TRAIL_POINTS))
    trail_due: float = 0.0
    """Fixes before this moment are no new points of the trail."""
    grown: bool = False
    """Whether the trail has points that the store has not."""
    way: list[list[float]] = field(default_factory=list)
    """The fixes since the last position that was told, as points of a trail."""
    gate: Gate | None = None
    coming: bool = False
    """Whether a geofence was crossed, and the order is being told."""
    heard_due: float = inf
    """A fix from this moment on says anew that the rider is not silent."""

    def see(self, reading: Reading) -> None:
        """The order as it is now. The trail is the present leg's; another hub may have begun it."""
        if self.leg != reading.state.leg:
            self.forget_trail()
            self.place = self.places(reading.state.leg)
            self.telling.forget()
            self.way.clear()
        self.follow(reading.state)
        self.leg = reading.state.leg
        stored = reading.position
        if stored is not None and stored.leg == self.leg and self._older(reading.trail):
            self.trail.clear()
            self.trail.extend(reading.trail)

    def follow(self, state: OrderState) -> None:
        self.state, self.gate = state, Gate.of(state)
        self.heard_due = 0.0 if state.status is Status.ON_DELIVERY else inf

    def hear(self, at: float, patience: float) -> bool:
        """A fix has come: the rider is silent in `patience` seconds at the earliest. Answers
        whether the order has them for silent now.
        """
        self.heard_due = at + patience / 4
        self.place.put_off(Deadline.RIDER_SILENT, at + patience)
        return self.state.knows(ExceptionCode.RIDER_SILENT)

    def hold_back(self, sighting: Sighting) -> None:
        """It is not told, but on the way to the next one that is."""
        if len(self.way) < _WAY_POINTS:
            self.way.append([sighting.at, sighting.lat, sighting.lng])

    def tell(self, sighting: Sighting) -> None:
        """To all who watch, and the store; with the way since the last time."""
        sighting.leg, sighting.way = self.leg, self.way or None
        if self.grown:
            self.place.put_trail(list(self.trail))
            self.grown = False
        self.place.put(sighting)
        self.telling.told(sighting)
        self.way = []

    def forget_trail(self) -> None:
        self.trail.clear()
        self.trail_due = 0.0

    def _older(self, stored: list[list[float]]) -> bool:
        return bool(stored) and (not self.trail or self.trail[-1][0] < stored[-1][0])

    def add_to_trail(self, sighting: Sighting) -> bool:
        """Whether it is a new point of the trail. Ask when `trail_due` has come."""
        at, lat, lng = sighting.at, sighting.lat, sighting.lng
        self.trail_due = at + _TRAIL_PAUSE
        if self.trail:
            last = self.trail[-1]
            if at < last[0] or within(_TRAIL_STEP, last[1], last[2], lat, lng):
                return False
        self.trail.append([at, lat, lng])
        self.grown = True
        return True


class Rider:
    """One rider as this hub knows them, with a socket or without.

    `look` has the rider's orders read again. `on_orders` is called when the orders changed,
    `on_cadence` when it was looked how often to send, `on_superseded` when another session of the
    same rider has begun.
    """

    __slots__ = (
        "_look",
        "battery",
        "cadence",
        "carried",
        "claims",
        "course",
        "fence",
        "filter",
        "held",
        "looking",
        "newest_fence",
        "on_cadence",
        "on_orders",
        "on_superseded",
        "rider_id",
        "seen_at",
        "stale",
        "turn",
    )
    encode: Encode = staticmethod(dumps)

    def __init__(self, rider_id: str, fix_rate: float, look: Callable[["Rider"], None]) -> None:
        self.rider_id = rider_id
        self._look = look
        self.filter = FixFilter(fix_rate)
        self.course = Course()
        self.cadence = Cadence()
        self.battery: float | None = None
        self.held: dict[str, Held] = {}
        self.carried: tuple[Held, ...] = ()
        """The values of `held`."""
        self.fence: int | None = None
        self.newest_fence = 0
        self.on_orders: Callable[[], None] | None = None
        self.on_superseded: Callable[[], None] | None = None
        self.on_cadence: Callable[[], None] | None = None
        self.seen_at = time.monotonic()
        self.stale = False
        """Whether the orders may have changed since they were read last."""
        self.looking = False
        """Whether they are being read."""
        self.turn = asyncio.Lock()
        """Held by a session that begins: two at once begin one after the other."""
        self.claims = Claims(role=Role.RIDER, sub=rider_id, expires=0)

    # A sink of its own orders' feeds: their events are the sign to look again.

    def event(self, frames: Frames) -> None:
        self._look(self)

    def position(self, order_id: str, encoded: bytes) -> None:
        """Never called: the hub's own subscribers get no positions."""

    def view(self) -> list[dict[str, Any]]:
        """The `orders` of the rider's message."""
        return [_order_for_rider(held.state) for held in self.carried]

    def metres_to_go(self) -> float | None:
        """To the nearest place that one of the orders waits at; None where it is not known."""
        here = self.filter
        if here.at <= 0.0:
            return None
        gates = (held.gate for held in self.carried)
        return min((gate.metres(here.lat, here.lng) for gate in gates if gate), default=None)

    def take_up(self, order_id: str, held: Held) -> None:
        self.held[order_id] = held
        self.carried = tuple(self.held.values())

    def put_down(self, order_id: str) -> Held:
        held = self.held.pop(order_id)
        self.carried = tuple(self.held.values())
        return held


def _order_for_rider(state: OrderState) -> dict[str, Any]:
    view = {
        "orderId": state.order_id,
        "status": state.status.value,
        "address": state.request["address"],
    }
    if (pickup := state.request.get("pickup")) is not None:
        view["pickup"] = pickup
    return view
