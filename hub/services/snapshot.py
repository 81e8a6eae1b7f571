"""The first message of a subscription: the order now, and what the client missed."""

import time
from typing import Any

import msgspec

from hub.core.orders import estimate
from hub.core.watchers.recovery import contiguous
from hub.core.watchers.views import order_view, position_view, stream_event, trail_view, visible
from hub.services.feed import Subscriber
from hub.store.orders import Reading
from schemas.messages import After
from schemas.positions import freshness

__all__ = ["subscribed"]


def subscribed(subscriber: Subscriber, reading: Reading, after: After | None) -> dict[str, Any]:
    state = reading.state
    recovered = (
        after is not None
        and after.epoch == state.epoch
        and after.seq <= state.seq
        and contiguous(reading.events, after.seq, state.seq)
    )
    message: dict[str, Any] = {"type": "subscribed", "orderId": state.order_id}
    if subscriber.id is not None:
        message["id"] = subscriber.id
    message["recovered"] = recovered
    message["snapshot"] = _snapshot(subscriber, reading)
    message["events"] = [stream_event(event) for event in reading.events] if recovered else []
    return message


def _snapshot(subscriber: Subscriber, reading: Reading) -> dict[str, Any]:
    """The order now, with position and trail when this audience may see them."""
    state, position, now = reading.state, reading.position, time.time()
    role = subscriber.claims.role
    snapshot = order_view(state, role, subscriber.gcj02)
    snapshot |= estimate.shown(state.left(now), now)
    fields = visible(role, state.status, state.rider_id is not None)
    if fields and position is not None and position.leg == state.leg:
        fresh = freshness(now - position.at)
        view = position_view(
            state.order_id, position, fields, fresh, state.rider_id, subscriber.gcj02
        )
        snapshot["position"] = msgspec.to_builtins(view)
        del snapshot["position"]["type"]
        snapshot["trail"] = trail_view(reading.trail, fields, subscriber.gcj02)
    return snapshot
