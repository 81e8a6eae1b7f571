"""The truth about one order, as it is stored."""

from math import ceil
from typing import Any

from msgspec import Struct

from schemas.lifecycle import FINAL, CourierState, PaymentMethod, PaymentState, Status

__all__ = ["OrderState"]


class OrderState(Struct, frozen=True, kw_only=True):
    """The truth about one order, as it is stored. Times are Unix seconds.

    `request` is the wire form of the OrderRequest; `reached` holds every status that was entered
    or passed over. `leg` counts assignments and pick-ups: a position belongs to the leg it was
    taken on, so that a former rider's, or one from before the pick-up, is told from those that
    the present audience may see.
    """

    order_id: str
    epoch: str
    seq: int
    request: dict[str, Any]
    partner: str
    status: Status
    status_at: float
    reached: tuple[Status, ...]
    courier_state: CourierState
    payment_state: PaymentState
    created_at: float
    updated_at: float
    hash: str
    rider_id: str | None = None
    leg: int = 0
    approached: tuple[CourierState, ...] = ()
    """What of AT_STORE, NEARBY and AT_DOOR was told on this leg: each is told once."""
    ready_at: float | None = None
    reason: str | None = None
    estimated_at: float | None = None

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def restaurant_id(self) -> str:
        return str(self.request["restaurantId"])

    @property
    def customer_id(self) -> str | None:
        return self.request.get("customerId")

    @property
    def needs_payment(self) -> bool:
        """Whether payment still stands between the order and CONFIRMED."""
        cash = self.request["paymentMethod"] == PaymentMethod.CASH
        return not cash and self.payment_state is not PaymentState.PAID

    def minutes_left(self, now: float) -> int | None:
        """Whole minutes until hand-over, never 0 before the end; None where nobody said."""
        if self.estimated_at is None or self.final:
            return None
        return max(1, ceil((self.estimated_at - now) / 60))
