"""The truth about one order, as it is stored."""

from math import ceil
from typing import Any

from msgspec import Struct

from schemas.exceptions import CATALOGUE, ExceptionCode
from schemas.lifecycle import FINAL, CourierState, PaymentMethod, PaymentState, Status

__all__ = ["OpenException", "OrderState"]


class OpenException(Struct, frozen=True, kw_only=True):
    """What goes wrong with an order just now. `opened_at`: Unix seconds; `items`: itemIds.

    `cause` is what it was raised for, if that may be followed by another of its kind: see
    `OrderState.cause`.
    """

    exception_id: str
    code: ExceptionCode
    opened_at: float
    detail: str | None = None
    items: tuple[str, ...] = ()
    cause: float | None = None


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
    paid_at: float | None = None
    leg_at: float | None = None
    """When the present leg began."""
    heard_at: float | None = None
    """When a rider who was silent was heard again."""
    exceptions: tuple[OpenException, ...] = ()
    """Those that are open, oldest first."""
    handled: tuple[OpenException, ...] = ()
    """Those that somebody has resolved although their cause goes on: not to be raised again."""

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

    def cause(self, code: ExceptionCode) -> float | None:
        """What a code tells of: the estimate that passed, the leg on which a rider is silent."""
        if code is ExceptionCode.DELIVERY_OVERDUE:
            return self.estimated_at
        return self.leg if code is ExceptionCode.RIDER_SILENT else None

    def may_have(self, code: ExceptionCode) -> bool:
        """Whether what the code tells of can be so, as the order stands."""
        kind = CATALOGUE[code]
        rides = kind.assigned is None or kind.assigned is (self.rider_id is not None)
        return rides and self.status in kind.statuses

    def fits(self, exception: OpenException) -> bool:
        """Whether the exception's cause goes on."""
        return self.may_have(exception.code) and self.cause(exception.code) == exception.cause

    def knows(self, code: ExceptionCode) -> bool:
        """Whether such an exception is open, or somebody has handled what it tells of."""
        return any(each.code is code for each in (*self.exceptions, *self.handled))

    def open_exception(self, code: ExceptionCode) -> OpenException | None:
        return next((each for each in self.exceptions if each.code is code), None)
