"""What to commit: a chain of facts about one order, each told by one event."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from hub.core.orders import estimate
from hub.core.orders.chain import sealed
from hub.core.orders.state import OpenException, OrderState
from schemas.exceptions import ExceptionState, Resolution
from schemas.lifecycle import EventType, Status
from schemas.orders import Actor
from schemas.times import format_time

__all__ = ["Change", "Closed", "Unchanged", "close", "shown", "tell"]


@dataclass(frozen=True, slots=True)
class Closed:
    """An exception that is open no more. `at`: Unix seconds."""

    exception: OpenException
    resolution: Resolution
    at: float


@dataclass(frozen=True, slots=True)
class Change:
    """What to commit, all of it or nothing: the next state, the events that tell of it, and the
    exceptions that it opened and closed.
    """

    state: OrderState
    events: tuple[dict[str, Any], ...] = ()
    opened: tuple[OpenException, ...] = ()
    closed: tuple[Closed, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to do. `late`: the update came after its time, and is kept as an operation."""

    late: bool = False


def tell(
    change: Change,
    event_type: EventType,
    actor: Actor,
    at: float,
    now: float,
    *,
    exception: dict[str, Any] | None = None,
    **changes: Any,
) -> Change:
    """The change with one more event, and the state with `changes`.

    Exceptions that these leave without their cause are closed, and that is told before: nothing
    comes after the event that ends an order.
    """
    for each, resolution in _left_without_cause(change.state, changes):
        change = close(change, each, resolution, actor, now)
    state = replace(change.state, **changes, seq=change.state.seq + 1, quiet=0, updated_at=now)
    if state.handled:
        state = replace(state, handled=tuple(each for each in state.handled if state.fits(each)))
    event = _event(state, event_type, actor, at, now)
    if exception is not None:
        event["exception"] = exception
    if changes.get("reason") is not None:
        event["reason"] = state.reason
    event = sealed(event, state.hash)
    state = replace(state, hash=event["hash"])
    return dataclasses.replace(change, state=state, events=(*change.events, event))


def _left_without_cause(
    state: OrderState, changes: dict[str, Any]
) -> list[tuple[OpenException, Resolution]]:
    if not state.exceptions:
        return []
    after = replace(state, **changes)
    cancelled = after.status is Status.CANCELLED
    resolution = Resolution.CANCELLED if cancelled else Resolution.RESOLVED
    return [(each, resolution) for each in after.exceptions if not after.fits(each)]


def _event(
    state: OrderState, event_type: EventType, actor: Actor, at: float, now: float
) -> dict[str, Any]:
    event = {
        "orderId": state.order_id,
        "epoch": state.epoch,
        "seq": state.seq,
        "eventType": event_type.value,
        "status": state.status.value,
        "timestamp": format_time(at),
        "actor": actor.dump(),
        "courierState": state.courier_state.value,
    }
    return event | estimate.shown(state.left(now), now)


def close(
    change: Change, exception: OpenException, resolution: Resolution, actor: Actor, now: float
) -> Change:
    """The exception is open no more."""
    closed = Closed(exception, resolution, now)
    change = dataclasses.replace(change, closed=(*change.closed, closed))
    left = tuple(each for each in change.state.exceptions if each != exception)
    view = shown(change.state.order_id, exception, closed)
    return tell(
        change,
        EventType.EXCEPTION_RESOLVED,
        actor,
        now,
        now,
        exception=view,
        exceptions=left,
    )


def shown(order_id: str, exception: OpenException, closed: Closed | None = None) -> dict[str, Any]:
    """The wire form of an `OrderException`."""
    view: dict[str, Any] = {
        "exceptionId": exception.exception_id,
        "code": exception.code.value,
        "orderId": order_id,
        "state": (ExceptionState.RESOLVED if closed else ExceptionState.OPEN).value,
        "openedAt": format_time(exception.opened_at),
    }
    if closed is not None:
        view["resolvedAt"] = format_time(closed.at)
        view["resolution"] = closed.resolution.value
    if exception.detail is not None:
        view["detail"] = exception.detail
    if exception.items:
        view["items"] = list(exception.items)
    return view
