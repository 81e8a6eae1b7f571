"""The truth about one order, as it is stored."""

from typing import Any

from msgspec import Struct

from hub.core.orders.estimate import Remaining, Timing
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
    quiet: int = 0
    """Moves of the courier since the last event, which no event tells."""
    ready_at: float | None = None
    reason: str | None = None
    estimated_at: float | None = None
    """The hand-over as a person told it last."""
    promised_at: float | None = None
    """When, as was forecast at first, nine of ten such orders are there."""
    forecast: tuple[int, ...] | None = None
    road: tuple[int, ...] | None = None
    """See `hub.core.orders.estimate.Outlook`."""
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

    @property
    def timing(self) -> Timing | None:
        """What its estimate is made of; None where no hand-over is to come."""
        if self.final or self.status is Status.RETURNING:
            return None
        since = self.leg_at or self.status_at
        return Timing(
            created_at=self.created_at,
            forecast=self.forecast,
            road=self.road,
            under_way_since=since if self.status is Status.ON_DELIVERY else None,
            told=self.estimated_at,
        )

    def left(self, now: float) -> Remaining | None:
        """Seconds until hand-over, as far as the order itself knows."""
        timing = self.timing
        return None if timing is None else timing.left(now)

    @property
    def due_at(self) -> float | None:
        """The hand-over that the customer may count on."""
        return self.promised_at if self.estimated_at is None else self.estimated_at

    def cause(self, code: ExceptionCode) -> float | None:
        """What a code tells of: the estimate that passed, the leg on which a rider is silent."""
        if code is ExceptionCode.DELIVERY_OVERDUE:
            return self.due_at
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
