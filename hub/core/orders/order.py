"""What each command makes of an order.

Every command is a function of the state, the command and the moment. It answers the `Change` to
commit (the next state and the events that tell of it), or `Unchanged`; it raises a RefusedError
where the lifecycle forbids the step. Nothing here is stored or sent.
"""

from typing import Any, Final

from msgspec.structs import replace

from hub.core.orders.change import Change, Unchanged, tell
from hub.core.orders.estimate import Outlook, remaining
from hub.core.orders.state import OrderState
from hub.errors import ConflictError, ForbiddenError, UnprocessableError
from schemas.lifecycle import (
    COURIER_EVENTS,
    COURIER_STEPS,
    STATUS_EVENTS,
    STEPS_BY_ROLE,
    TRANSITIONS,
    CourierState,
    EventType,
    PaymentState,
    Role,
    Status,
    skipped,
)
from schemas.orders import Actor, OrderStatusUpdate

__all__ = [
    "RETREATS",
    "approach",
    "assign_rider",
    "change_status",
    "mark_ready",
    "move_courier",
    "pay",
    "place",
    "step",
    "unassign_rider",
]

MAX_CLOCK_LEAD = 300.0
"""Seconds that an update's `timestamp` may lie in the future."""


RETREATS: Final = {
    CourierState.AT_STORE: CourierState.ASSIGNED,
    CourierState.NEARBY: CourierState.PICKED_UP,
    CourierState.AT_DOOR: CourierState.PICKED_UP,
}
"""What a courier is again who has gone far away from where they were."""

_APPROACHES: Final = frozenset(RETREATS)


def place(
    order_id: str,
    epoch: str,
    request: dict[str, Any],
    partner: str,
    actor: Actor,
    now: float,
    outlook: Outlook | None = None,
) -> Change:
    """A new order, PENDING. `request` is the checked wire form of an OrderRequest."""
    forecast, road = outlook or (None, None)
    promised_at = now + remaining(forecast, 0.0).p90 if forecast else None
    state = OrderState(
        order_id=order_id,
        epoch=epoch,
        seq=0,
        request=request,
        partner=partner,
        status=Status.PENDING,
        status_at=now,
        reached=(Status.PENDING,),
        courier_state=CourierState.UNASSIGNED,
        payment_state=PaymentState.UNPAID,
        created_at=now,
        updated_at=now,
        hash="",
        forecast=forecast,
        road=road,
        promised_at=promised_at,
    )
    return tell(Change(state), EventType.CREATED, actor, now, now)


def change_status(
    state: OrderState, update: OrderStatusUpdate, actor: Actor, now: float
) -> Change | Unchanged:
    """Move the order to `update.status`, if its lifecycle and the actor's role allow it.

    Raises ForbiddenError (role), UnprocessableError (a field) or ConflictError (the table, or a
    payment that is missing); the conflict's `allowed` names the steps that the table permits.
    """
    _check_update(update, actor, now)
    if update.status is state.status:
        return Unchanged()
    if update.timestamp < state.status_at and update.status in state.reached:
        return Unchanged(late=True)
    _check_step(state, update.status, actor)
    return step(Change(state), update, actor, now)


def _check_update(update: OrderStatusUpdate, actor: Actor, now: float) -> None:
    if update.status not in STEPS_BY_ROLE.get(actor.role, ()):
        raise ForbiddenError(f"a {actor.role} may not set {update.status}")
    if update.status is Status.CANCELLED and update.reason is None:
        raise UnprocessableError("CANCELLED needs a reason", [("#/reason", "is required")])
    if update.timestamp > now + MAX_CLOCK_LEAD:
        raise UnprocessableError(
            "the timestamp lies in the future",
            [("#/timestamp", f"is more than {MAX_CLOCK_LEAD:.0f} s ahead of the hub's clock")],
        )


def _check_step(state: OrderState, target: Status, actor: Actor) -> None:
    allowed = TRANSITIONS[state.status]
    if actor.role is Role.CUSTOMER and state.status is not Status.PENDING:
        raise ConflictError(
            f"a customer may cancel while the order is PENDING, this one is {state.status}",
            current=state.status.value,
            allowed=[],
        )
    if target not in allowed:
        named = ", ".join(allowed) or "none"
        raise ConflictError(
            f"{state.status} does not go to {target}; allowed: {named}",
            current=state.status.value,
            allowed=[status.value for status in allowed],
        )
    if target is Status.CONFIRMED and state.needs_payment:
        raise ConflictError(
            f"{state.request['paymentMethod']} orders must be PAID before CONFIRMED",
            current=state.status.value,
            allowed=[Status.CANCELLED.value],
            paymentState=state.payment_state.value,
        )


def step(change: Change, update: OrderStatusUpdate, actor: Actor, now: float) -> Change:
    """The change, and then the order's step to `update.status`, which nothing forbids."""
    state, target = change.state, update.status
    courier = state.courier_state
    if target is Status.ON_DELIVERY and courier in (CourierState.ASSIGNED, CourierState.AT_STORE):
        courier = CourierState.PICKED_UP
    estimated_at = state.estimated_at
    if update.estimated_time is not None:
        estimated_at = now + 60 * update.estimated_time
    return tell(
        change,
        STATUS_EVENTS[target],
        actor,
        update.timestamp,
        now,
        status=target,
        status_at=update.timestamp,
        reached=(*state.reached, *skipped(state.status, target), target),
        leg=state.leg + (target is Status.ON_DELIVERY),
        leg_at=now if target is Status.ON_DELIVERY else state.leg_at,
        courier_state=courier,
        estimated_at=estimated_at,
        reason=update.reason,
    )


def pay(state: OrderState, told: PaymentState, now: float) -> Change | Unchanged:
    """Record a payment's outcome. It makes no event; PAID opens the way to CONFIRMED.

    Raises ConflictError on a finished order, and for FAILED after PAID.
    """
    if told is state.payment_state:
        return Unchanged()
    if state.final:
        raise ConflictError(f"the order is {state.status}", current=state.status.value)
    if state.payment_state is PaymentState.PAID:
        raise ConflictError("the order is PAID already", paymentState=PaymentState.PAID.value)
    paid_at = now if told is PaymentState.PAID else None
    return Change(replace(state, payment_state=told, paid_at=paid_at))


def assign_rider(state: OrderState, rider_id: str, actor: Actor, now: float) -> Change | Unchanged:
    """Give the order to a rider, or to another one. Raises ConflictError on a finished order."""
    _check_live(state)
    if rider_id == state.rider_id:
        return Unchanged()
    return tell(
        Change(state),
        EventType.COURIER_ASSIGNED,
        actor,
        now,
        now,
        rider_id=rider_id,
        leg=state.leg + 1,
        leg_at=now,
        approached=(),
        courier_state=CourierState.ASSIGNED,
    )


def unassign_rider(state: OrderState, actor: Actor, now: float) -> Change | Unchanged:
    """Take the order from its rider; its status stays. Raises ConflictError on a finished order."""
    _check_live(state)
    if state.rider_id is None:
        return Unchanged()
    return tell(
        Change(state),
        EventType.COURIER_UNASSIGNED,
        actor,
        now,
        now,
        rider_id=None,
        leg=state.leg + 1,
        leg_at=now,
        approached=(),
        courier_state=CourierState.UNASSIGNED,
    )


def move_courier(
    state: OrderState, target: CourierState, actor: Actor, now: float
) -> Change | Unchanged:
    """The rider tells where they are. PICKED_UP moves the order to ON_DELIVERY.

    Raises ConflictError where the courier's axis, or the order's status, forbids the step.
    """
    if target is state.courier_state:
        return Unchanged()
    _check_live(state)
    if target not in COURIER_STEPS[state.courier_state]:
        allowed = [step.value for step in COURIER_STEPS[state.courier_state]]
        raise ConflictError(
            f"{state.courier_state} does not go to {target}; allowed: {', '.join(allowed)}",
            current=state.courier_state.value,
            allowed=allowed,
        )
    if target is CourierState.UNASSIGNED:
        return unassign_rider(state, actor, now)
    if target is CourierState.PICKED_UP:
        return _pick_up(state, actor, now)
    return _come_to(state, target, actor, now)


def approach(
    state: OrderState, target: CourierState, actor: Actor, now: float
) -> Change | Unchanged:
    """A geofence says where the rider is: nearer than before, or far away again."""
    if state.final or target is state.courier_state:
        return Unchanged()
    if target not in (*COURIER_STEPS[state.courier_state], RETREATS.get(state.courier_state)):
        return Unchanged()
    return _come_to(state, target, actor, now)


def _come_to(state: OrderState, target: CourierState, actor: Actor, now: float) -> Change:
    """Each approach is told once a leg; when it is made again only the state shows it."""
    if target not in _APPROACHES or target in state.approached:
        return _move_quietly(state, target)
    approached = (*state.approached, target)
    event = COURIER_EVENTS[target]
    return tell(Change(state), event, actor, now, now, courier_state=target, approached=approached)


def _move_quietly(state: OrderState, target: CourierState) -> Change:
    return Change(replace(state, courier_state=target, quiet=state.quiet + 1))


def _pick_up(state: OrderState, actor: Actor, now: float) -> Change:
    if state.status is Status.ON_DELIVERY:  # a second rider took the order over on the way
        return _move_quietly(state, CourierState.PICKED_UP)
    _check_step(state, Status.ON_DELIVERY, actor)
    update = OrderStatusUpdate(status=Status.ON_DELIVERY, timestamp=now)
    return step(Change(state), update, actor, now)


def mark_ready(state: OrderState, actor: Actor, now: float) -> Change | Unchanged:
    """The food is ready. Raises ConflictError before CONFIRMED and once it is on its way."""
    if state.ready_at is not None:
        return Unchanged()
    if state.status not in (Status.CONFIRMED, Status.PREPARING):
        raise ConflictError(
            f"only a CONFIRMED or PREPARING order can be ready, this one is {state.status}",
            current=state.status.value,
        )
    return tell(Change(state), EventType.READY, actor, now, now, ready_at=now)


def _check_live(state: OrderState) -> None:
    if state.final:
        raise ConflictError(f"the order is {state.status}", current=state.status.value)
