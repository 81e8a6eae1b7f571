"""Which deadlines run for an order in its present state, and what each does (contract 3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hub.core.orders.change import Change, Unchanged
from hub.core.orders.exceptions import Report, cancel, expire_offer, raise_exception
from hub.core.orders.state import OrderState
from schemas.exceptions import ExceptionCode
from schemas.lifecycle import Role, Status
from schemas.orders import Actor

__all__ = ["Deadline", "Durations", "deadlines", "expire"]

WORKER: Final = Actor(role=Role.OPS, sub="worker")


class Deadline(StrEnum):
    """By the names of the settings that say how long."""

    PAYMENT_TIMEOUT = "PAYMENT_TIMEOUT"
    MERCHANT_WARNING = "MERCHANT_WARNING"
    MERCHANT_TIMEOUT = "MERCHANT_TIMEOUT"
    SOLD_OUT_TIMEOUT = "SOLD_OUT_TIMEOUT"
    RIDER_TIMEOUT = "RIDER_TIMEOUT"
    RIDER_SILENT = "RIDER_SILENT"
    OVERDUE = "OVERDUE"


_RAISES: Final = {
    Deadline.PAYMENT_TIMEOUT: ExceptionCode.PAYMENT_TIMEOUT,
    Deadline.MERCHANT_WARNING: ExceptionCode.MERCHANT_TIMEOUT,
    Deadline.RIDER_TIMEOUT: ExceptionCode.RIDER_TIMEOUT,
    Deadline.RIDER_SILENT: ExceptionCode.RIDER_SILENT,
    Deadline.OVERDUE: ExceptionCode.DELIVERY_OVERDUE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds; the contract's defaults."""

    payment_timeout: float = 900
    merchant_warning: float = 300
    merchant_timeout: float = 600
    sold_out_timeout: float = 180
    rider_timeout: float = 600
    rider_silent: float = 120
    overdue: float = 600

    @classmethod
    def of(cls, settings: Any) -> "Durations":
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


def deadlines(state: OrderState, durations: Durations) -> dict[Deadline, float]:
    """Deadlines with their due times, Unix seconds, as of this state: what is not named is off."""
    due: dict[Deadline, float] = {}
    if state.status is Status.PENDING:
        due |= _before_confirmation(state, durations)
    if state.status is Status.PREPARING and _to_raise(state, ExceptionCode.RIDER_TIMEOUT):
        due[Deadline.RIDER_TIMEOUT] = state.status_at + durations.rider_timeout
    if _to_raise(state, ExceptionCode.RIDER_SILENT):
        heard = max(state.leg_at or state.status_at, state.heard_at or 0)
        due[Deadline.RIDER_SILENT] = heard + durations.rider_silent
    if state.due_at is not None and _to_raise(state, ExceptionCode.DELIVERY_OVERDUE):
        due[Deadline.OVERDUE] = state.due_at + durations.overdue
    offer = state.open_exception(ExceptionCode.ITEM_SOLD_OUT)
    if offer is not None:
        due[Deadline.SOLD_OUT_TIMEOUT] = offer.opened_at + durations.sold_out_timeout
    return due


def _before_confirmation(state: OrderState, durations: Durations) -> dict[Deadline, float]:
    """The merchant's time begins when they may confirm: what is unpaid is the customer's matter."""
    if state.needs_payment:
        return {Deadline.PAYMENT_TIMEOUT: state.created_at + durations.payment_timeout}
    since = state.paid_at or state.created_at
    due = {Deadline.MERCHANT_TIMEOUT: since + durations.merchant_timeout}
    if _to_raise(state, ExceptionCode.MERCHANT_TIMEOUT):
        due[Deadline.MERCHANT_WARNING] = since + durations.merchant_warning
    return due


def _to_raise(state: OrderState, code: ExceptionCode) -> bool:
    return state.may_have(code) and not state.knows(code)


def expire(
    state: OrderState, deadline: str, exception_id: str, durations: Durations, now: float
) -> Change | Unchanged:
    """What a deadline that has come does, unless it runs no longer.

    That its time has come is the store's word: a worker with other settings must not doubt it.
    """
    if deadline not in deadlines(state, durations):
        return Unchanged()
    if deadline == Deadline.SOLD_OUT_TIMEOUT:
        return expire_offer(state, WORKER, now)
    if deadline == Deadline.MERCHANT_TIMEOUT:
        return _give_the_merchant_up(state, exception_id, now)
    report = Report(exception_id, _RAISES[Deadline(deadline)])
    return raise_exception(state, report, WORKER, now)


def _give_the_merchant_up(state: OrderState, exception_id: str, now: float) -> Change:
    """The warning has led to nothing; where it was never raised, it is now."""
    code, change = ExceptionCode.MERCHANT_TIMEOUT, Change(state)
    if not state.knows(code):
        change = raise_exception(state, Report(exception_id, code), WORKER, now)
    return cancel(change, code, WORKER, now)
