"""One order as a hub knows it, and those who watch it.

Nothing here awaits: an event or a position goes from `Feed` to each `Subscriber` to its `Sink`
within one call.
"""

import asyncio
import time
from typing import Any, Protocol

from hub.core.claims import Claims
from hub.core.recovery import Line
from hub.core.state import OrderState
from hub.core.views import position_view, sees_position, stream_event
from schemas.lifecycle import Role, Status
from schemas.messages import MessageId
from schemas.positions import freshness
from schemas.wire import Frames

__all__ = ["Feed", "Sink", "Subscriber"]


class Sink(Protocol):
    """Where a subscriber's messages go."""

    def event(self, frames: Frames) -> None:
        """Must arrive, in order."""

    def position(self, order_id: str, frames: Frames) -> None:
        """May be replaced by a newer one of the same order."""


class Subscriber:
    """One order on one socket. `seq` is the last event told; `held` collects while it joins.

    `own` marks the hub's own, which listens on behalf of a rider whoever rides.
    """

    __slots__ = ("claims", "gcj02", "held", "id", "order_id", "own", "seq", "sink")

    def __init__(
        self,
        sink: Sink,
        order_id: str,
        claims: Claims,
        request_id: MessageId | None,
        gcj02: bool = False,
        own: bool = False,
    ) -> None:
        self.sink = sink
        self.order_id = order_id
        self.claims = claims
        self.id = request_id
        self.gcj02 = gcj02
        self.own = own
        self.seq = 0
        self.held: list[tuple[int, Frames]] | None = []

    def event(self, seq: int, frames: Frames) -> None:
        if self.held is not None:
            self.held.append((seq, frames))
        elif seq > self.seq:
            self.seq = seq
            self.sink.event(frames)

    def rides(self, rider_id: str | None) -> bool:
        """Whether it may stay now that `rider_id` rides: a former rider may not."""
        return self.own or self.claims.role is not Role.RIDER or self.claims.sub == rider_id

    def live(self, seq: int) -> None:
        """Go on from `seq`: first what came while joining, then as it comes."""
        self.seq = seq
        held, self.held = self.held or [], None
        for number, frames in held:
            self.event(number, frames)

    def end(self, reason: str | None) -> None:
        message: dict[str, Any] = {"type": "unsubscribed", "orderId": self.order_id}
        if self.id is not None:
            message["id"] = self.id
        if reason is not None:
            message["reason"] = reason
        self.sink.event(Frames(message))


class Feed:
    """One order as this hub knows it, and those who watch it."""

    __slots__ = (
        "heard_at",
        "leg",
        "line",
        "opened",
        "order_id",
        "repairing",
        "rider_id",
        "seen_at",
        "status",
        "subscribers",
    )

    def __init__(self, order_id: str, opened: asyncio.Task[None]) -> None:
        self.order_id = order_id
        self.opened = opened
        self.line = Line()
        self.subscribers: set[Subscriber] = set()
        self.status = Status.PENDING
        self.leg = 0
        self.rider_id: str | None = None
        self.seen_at = 0.0
        self.repairing = False
        self.heard_at = time.monotonic()

    def learn(self, state: OrderState) -> None:
        """What decides who sees what, as of the state."""
        self.status = state.status
        self._begin_leg(state.leg, state.rider_id)

    def _begin_leg(self, leg: int, rider_id: str | None) -> None:
        if leg != self.leg:
            self.leg, self.seen_at = leg, 0.0
        self.rider_id = rider_id
        self.fence()

    def fence(self) -> None:
        """Let go of joined subscribers who rode the order once, and no longer do."""
        for subscriber in tuple(self.subscribers):
            if subscriber.held is None and not subscriber.rides(self.rider_id):
                self.subscribers.discard(subscriber)
                subscriber.end("forbidden")

    def on_event(self, event: dict[str, Any]) -> None:
        """A live event from the bus, with the order's `leg` and `riderId` as of that event."""
        for ready in self.line.receive(event):
            self.tell(ready)

    def tell(self, event: dict[str, Any]) -> None:
        self.status = Status(event["status"])
        frames = Frames({"type": "event", **stream_event(event)})
        for subscriber in self.subscribers:
            subscriber.event(event["seq"], frames)
        if "leg" in event:
            self._begin_leg(event["leg"], event["riderId"])

    def on_position(self, position: dict[str, Any]) -> None:
        """A position from the bus. Another leg's, or one older than the last, is for nobody."""
        if position["leg"] != self.leg or position["at"] < self.seen_at or not self.line.open:
            return
        self.seen_at = position["at"]
        fresh = freshness(time.time() - position["at"]).value
        made: dict[tuple[Role, bool], Frames] = {}
        for subscriber in self.subscribers:
            role = subscriber.claims.role
            if subscriber.held is None and sees_position(role, self.status, True):
                view = (role, subscriber.gcj02)
                if (frames := made.get(view)) is None:
                    message = position_view(position, role, fresh, subscriber.gcj02)
                    frames = made[view] = Frames({"type": "position", **message})
                subscriber.sink.position(self.order_id, frames)
