"""Geofences around the places of an order, with hysteresis. Pure.

Inside 150 m the courier is AT_STORE or NEARBY, inside 30 m AT_DOOR; only beyond 250 m has the
courier gone again, so that a fix that jumps about does not come and go.
"""

from math import cos, radians
from typing import Any, Final, Self

from hub.core.orders.order import RETREATS
from hub.core.orders.state import OrderState
from schemas.lifecycle import CourierState, Status
from schemas.motion import METRES_OF_A_DEGREE

__all__ = ["Gate"]

NEAR: Final = 150.0
DOOR: Final = 30.0
FAR: Final = 250.0
"""Metres."""

_INWARDS: Final = {
    CourierState.ASSIGNED: (CourierState.AT_STORE, NEAR),
    CourierState.PICKED_UP: (CourierState.NEARBY, NEAR),
    CourierState.NEARBY: (CourierState.AT_DOOR, DOOR),
}
_TO_THE_STORE: Final = frozenset({CourierState.ASSIGNED, CourierState.AT_STORE})
_NEVER: Final = -1.0


class Gate:
    """What the next change of an order's courier state would be, and where. Asked with each fix,
    so distances are compared squared, in degrees of latitude, on a plane.
    """

    __slots__ = ("_inner", "_inwards", "_lat", "_lng", "_outer", "_outwards", "_scale")

    def __init__(self, place: dict[str, Any], state: CourierState) -> None:
        self._lat, self._lng = place["lat"], place["lng"]
        self._scale = cos(radians(self._lat))
        inwards: CourierState | None
        inwards, metres = _INWARDS.get(state, (None, 0.0))
        self._inwards = inwards
        self._outwards = RETREATS.get(state)
        self._inner = _NEVER if inwards is None else _square(metres)
        self._outer = float("inf") if self._outwards is None else _square(FAR)

    @classmethod
    def of(cls, state: OrderState) -> Self | None:
        """None where no geofence counts now."""
        if state.final or state.rider_id is None:
            return None
        if state.courier_state in _TO_THE_STORE:
            pickup = state.request.get("pickup")
            before = state.status in (Status.PENDING, Status.CONFIRMED, Status.PREPARING)
            return cls(pickup, state.courier_state) if pickup and before else None
        return cls(state.request["address"], state.courier_state)

    def crossed(self, lat: float, lng: float) -> CourierState | None:
        """What the courier has become by being there, None for no change."""
        north, east = lat - self._lat, (lng - self._lng) * self._scale
        square = north * north + east * east
        if square <= self._inner:
            return self._inwards
        return self._outwards if square > self._outer else None

    def metres(self, lat: float, lng: float) -> float:
        """From the place to there."""
        north, east = lat - self._lat, (lng - self._lng) * self._scale
        return METRES_OF_A_DEGREE * float((north * north + east * east) ** 0.5)


def _square(metres: float) -> float:
    return (metres / METRES_OF_A_DEGREE) ** 2
