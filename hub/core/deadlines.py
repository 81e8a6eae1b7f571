"""Which deadlines run for an order in its present state."""

from dataclasses import dataclass
from typing import Any

from hub.core.order import Change, Unchanged, change_status
from hub.core.state import OrderState
from schemas.lifecycle import Role, Status
from schemas.orders import Actor, OrderStatusUpdate

__all__ = ["Durations", "deadlines", "expire"]

WORKER = Actor(role=Role.OPS, sub="worker")


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


def deadlines(state: OrderState, durations: Durations) -> dict[str, float]:
    """Code to due time, Unix seconds. Computed anew at each change: what is not named is off."""
    due: dict[str, float] = {}
    if state.status is Status.PENDING:
        due["MERCHANT_TIMEOUT"] = state.created_at + durations.merchant_timeout
        if state.needs_payment:
            due["PAYMENT_TIMEOUT"] = state.created_at + durations.payment_timeout
    return due


def expire(state: OrderState, code: str, durations: Durations, now: float) -> Change | Unchanged:
    """What a deadline that has come does: cancel the order, unless it runs no longer.

    That its time has come is the store's word: a worker with other settings must not doubt it.
    """
    if code not in deadlines(state, durations):
        return Unchanged()
    update = OrderStatusUpdate(status=Status.CANCELLED, timestamp=now, reason=code)
    return change_status(state, update, WORKER, now)
