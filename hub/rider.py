"""One rider as a hub knows them: their orders, and the positions their fixes make."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core.claims import Claims
from hub.core.fixes import FixFilter
from hub.core.state import OrderState
from hub.feed import Subscriber
from hub.store.orders import Reading
from schemas.lifecycle import Role
from schemas.motion import distance
from schemas.positions import Fix
from schemas.wire import Frames

__all__ = ["Held", "Rider"]

_TRAIL_POINTS: Final = 60
_TRAIL_STEP: Final = 15.0  # metres between two points of a trail


@dataclass(slots=True)
class Held:
    """An active order of a rider, with its trail on the present leg."""

    state: OrderState
    subscriber: Subscriber
    trail: deque[list[float]] = field(default_factory=lambda: deque(maxlen=_TRAIL_POINTS))

    def see(self, reading: Reading) -> None:
        """The order as it is now. The trail is the present leg's; another hub may have begun it."""
        if self.state.leg != reading.state.leg:
            self.trail.clear()
        self.state = reading.state
        stored = reading.position
        if stored is not None and stored["leg"] == self.state.leg and self._older(stored["trail"]):
            self.trail.clear()
            self.trail.extend(stored["trail"])

    def _older(self, stored: list[list[float]]) -> bool:
        return bool(stored) and (not self.trail or self.trail[-1][0] < stored[-1][0])

    def add_to_trail(self, fix: Fix) -> None:
        if self.trail and fix.at < self.trail[-1][0]:
            return
        point = [fix.at, fix.lat, fix.lng]
        if (
            not self.trail
            or distance(self.trail[-1][1], self.trail[-1][2], fix.lat, fix.lng) >= _TRAIL_STEP
        ):
            self.trail.append(point)


class Rider:
    """One rider as this hub knows them, with a socket or without.

    `on_orders` is called when the orders changed, `on_superseded` when another session of the
    same rider has begun.
    """

    def __init__(self, rider_id: str) -> None:
        self.rider_id = rider_id
        self.filter = FixFilter()
        self.held: dict[str, Held] = {}
        self.fence: int | None = None
        self.newest_fence = 0
        self.on_orders: Callable[[], None] | None = None
        self.on_superseded: Callable[[], None] | None = None
        self.seen_at = time.monotonic()
        self.refresh = asyncio.Event()
        self.turn = asyncio.Lock()
        """Held by a session that begins: two at once begin one after the other."""
        self.claims = Claims(role=Role.RIDER, sub=rider_id, expires=0)

    # A sink of its own orders' feeds: their events are the sign to look again.

    def event(self, frames: Frames) -> None:
        self.refresh.set()

    def position(self, order_id: str, frames: Frames) -> None:
        """Our own word, come back."""

    def view(self) -> list[dict[str, Any]]:
        """The `orders` of the rider's message."""
        return [_order_for_rider(held.state) for held in self.held.values()]

    def recall(self, position: dict[str, Any]) -> None:
        """Go on from where another hub left off: the filter must not take anything older."""
        newest = self.filter.newest
        known = position["riderId"] == self.rider_id
        if known and (newest is None or newest.at < position["at"]):
            self.filter.newest = Fix(
                seq=0, at=position["at"], lat=position["lat"], lng=position["lng"]
            )

    def moved(self, fix: Fix) -> Iterable[tuple[dict[str, Any], list[list[float]]]]:
        """The position that a fix makes of each active order, with the order's trail."""
        for order_id, held in self.held.items():
            held.add_to_trail(fix)
            position = {
                "orderId": order_id,
                "riderId": self.rider_id,
                "leg": held.state.leg,
                "at": fix.at,
                "lat": fix.lat,
                "lng": fix.lng,
                "heading": fix.heading,
                "speed": fix.speed,
                "accuracy": fix.accuracy,
                "battery": fix.battery,
            }
            yield position, list(held.trail)


def _order_for_rider(state: OrderState) -> dict[str, Any]:
    view = {
        "orderId": state.order_id,
        "status": state.status.value,
        "address": state.request["address"],
    }
    if (pickup := state.request.get("pickup")) is not None:
        view["pickup"] = pickup
    return view
