"""What is made of an exception: raised, resolved, and its effect on the order (contract 3).

As in `order`, each command answers the `Change` to commit, or raises a RefusedError.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from hub.core.orders.change import Change, Unchanged, close, shown, tell
from hub.core.orders.order import step
from hub.core.orders.state import OpenException, OrderState
from hub.errors import ConflictError, ForbiddenError, UnprocessableError
from schemas.exceptions import (
    CATALOGUE,
    Effect,
    ExceptionCode,
    ExceptionReport,
    Resolution,
)
from schemas.lifecycle import EventType, Role, Status
from schemas.orders import Actor, OrderStatusUpdate

__all__ = ["Report", "cancel", "expire_offer", "hear", "raise_exception", "resolve"]

_ANSWERS: Final = frozenset({Resolution.ACCEPTED, Resolution.DECLINED})
_BY_HAND: Final = frozenset({Resolution.RESOLVED, Resolution.CANCELLED})
_LASTING: Final = frozenset({Effect.RAISE, Effect.DELAY})


@dataclass(frozen=True, slots=True)
class Report:
    """An exception as somebody raises it, with the id that it is to have."""

    exception_id: str
    code: ExceptionCode
    detail: str | None = None
    items: tuple[str, ...] = ()

    @classmethod
    def of(cls, exception_id: str, told: ExceptionReport) -> "Report":
        return cls(exception_id, told.code, told.detail, tuple(dict.fromkeys(told.items or ())))


def raise_exception(state: OrderState, report: Report, actor: Actor, now: float) -> Change:
    """Open an exception, with its effect.

    Raises ForbiddenError (the role), UnprocessableError (the items) and ConflictError (the order's
    state, or one of the kind is open already: `exceptionId`).
    """
    _check_role(report.code, actor)
    _check_items(state, report)
    _check_state(state, report)
    opened = OpenException(
        exception_id=report.exception_id,
        code=report.code,
        opened_at=now,
        detail=report.detail,
        items=report.items,
        cause=state.cause(report.code),
    )
    change = _open(state, opened, actor, now)
    match CATALOGUE[report.code].effect:
        case Effect.CANCEL:
            return cancel(change, report.code, actor, now)
        case Effect.OFFER if not _remaining(state, report.items):
            return cancel(change, report.code, actor, now)
        case Effect.DELAY:
            view = shown(state.order_id, opened)
            return tell(change, EventType.DELAYED, actor, now, now, exception=view)
        case _:
            return change


def _open(state: OrderState, opened: OpenException, actor: Actor, now: float) -> Change:
    return tell(
        Change(state, opened=(opened,)),
        EventType.EXCEPTION,
        actor,
        now,
        now,
        exception=shown(state.order_id, opened),
        exceptions=(*state.exceptions, opened),
    )


def _check_role(code: ExceptionCode, actor: Actor) -> None:
    allowed = {Role.PLATFORM, Role.OPS, *CATALOGUE[code].raised_by}
    if actor.role not in allowed:
        raise ForbiddenError(f"a {actor.role} may not raise {code}")


def _check_items(state: OrderState, report: Report) -> None:
    if report.code is not ExceptionCode.ITEM_SOLD_OUT:
        if report.items:
            wrong = f"is not for {report.code}"
            raise UnprocessableError(f"items {wrong}", [("#/items", wrong)])
        return
    if not report.items:
        raise UnprocessableError("ITEM_SOLD_OUT needs items", [("#/items", "is required")])
    known = {item["itemId"] for item in state.request["items"]}
    wrong = "is no item of this order"
    faults = [
        (f"#/items/{index}", wrong) for index, item in enumerate(report.items) if item not in known
    ]
    if faults:
        raise UnprocessableError(f"an item {wrong}", faults)


def _check_state(state: OrderState, report: Report) -> None:
    already = state.open_exception(report.code)
    if already is not None:
        raise ConflictError(f"{report.code} is open already", exceptionId=already.exception_id)
    if report.code is ExceptionCode.PAYMENT_TIMEOUT and not state.needs_payment:
        raise ConflictError(
            f"{report.code} cannot be raised: nothing is to be paid",
            paymentState=state.payment_state.value,
        )
    kind = CATALOGUE[report.code]
    if state.status not in kind.statuses:
        raise ConflictError(
            f"{report.code} cannot be raised as the order stands",
            current=state.status.value,
            allowed=sorted(kind.statuses),
        )
    if not state.may_have(report.code):
        number = "a" if state.rider_id else "no"
        raise ConflictError(
            f"{report.code} cannot be raised: the order has {number} rider",
            current=state.status.value,
        )


def _remaining(state: OrderState, sold_out: Sequence[str]) -> list[dict[str, Any]]:
    return [item for item in state.request["items"] if item["itemId"] not in sold_out]


def cancel(change: Change, code: ExceptionCode, actor: Actor, now: float) -> Change:
    """The order is cancelled for that reason; what is open is closed with it."""
    update = OrderStatusUpdate(status=Status.CANCELLED, timestamp=now, reason=code)
    return step(change, update, actor, now)


def resolve(
    state: OrderState, exception: OpenException, resolution: Resolution, actor: Actor, now: float
) -> Change:
    """End an open exception. `accepted` leaves out what is sold out; `declined` and `cancelled`
    cancel the order.

    Raises ForbiddenError (the role) and UnprocessableError (a resolution that is none of it).
    """
    _check_resolution(exception, resolution, actor)
    change = close(Change(state), exception, resolution, actor, now)
    if resolution in (Resolution.DECLINED, Resolution.CANCELLED):
        return cancel(change, exception.code, actor, now)
    state = change.state
    if resolution is Resolution.ACCEPTED:
        items = _remaining(state, exception.items)
        state = replace(state, request={**state.request, "items": items})
    elif CATALOGUE[exception.code].effect in _LASTING:
        state = replace(state, handled=(*state.handled, exception))
    return dataclasses.replace(change, state=state)


def _check_resolution(exception: OpenException, resolution: Resolution, actor: Actor) -> None:
    offer = CATALOGUE[exception.code].effect is Effect.OFFER
    allowed = (_ANSWERS if offer else frozenset()) | _BY_HAND
    if actor.role is Role.CUSTOMER:
        if not offer:
            raise ForbiddenError(f"a customer may not resolve {exception.code}")
        allowed = _ANSWERS
    if actor.role is Role.MERCHANT:
        allowed = _BY_HAND
    if resolution not in allowed:
        wrong = f"must be one of {', '.join(sorted(allowed))}"
        raise UnprocessableError(f"resolution {wrong}", [("#/resolution", wrong)])


def expire_offer(state: OrderState, actor: Actor, now: float) -> Change | Unchanged:
    """The customer has not answered."""
    offer = state.open_exception(ExceptionCode.ITEM_SOLD_OUT)
    if offer is None:
        return Unchanged()
    change = close(Change(state), offer, Resolution.EXPIRED, actor, now)
    return cancel(change, offer.code, actor, now)


def hear(state: OrderState, actor: Actor, now: float) -> Change | Unchanged:
    """A fix of the rider has come: they are not silent, and may become it again."""
    code = ExceptionCode.RIDER_SILENT
    if not state.knows(code):
        return Unchanged()
    change = Change(state)
    silent = state.open_exception(code)
    if silent is not None:
        change = close(change, silent, Resolution.RESOLVED, actor, now)
    handled = tuple(each for each in change.state.handled if each.code is not code)
    heard = replace(change.state, handled=handled, heard_at=now)
    return dataclasses.replace(change, state=heard)
