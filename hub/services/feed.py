"""One order as a hub knows it, and those who watch it.

Nothing here awaits: an event or a position goes from `Feed` to each `Subscriber` to its `Sink`
within one call.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from hub.core.callers.claims import Claims
from hub.core.orders.running import RunningEstimate, Way
from hub.core.orders.state import OrderState
from hub.core.watchers.recovery import Line
from hub.core.watchers.views import Fields, position_view, stream_event, visible
from hub.metrics import EVENT_LAG
from hub.tracing import span
from schemas.lifecycle import FINAL, Role, Status
from schemas.messages import MessageId
from schemas.positions import fresh_until, freshness
from schemas.telemetry import Sighting
from schemas.wire import Encode, Frames, loads_own

__all__ = ["Feed", "Sink", "Subscriber"]


class Sink(Protocol):
    """Where a subscriber's messages go."""

    @property
    def encode(self) -> Encode:
        """Makes what it writes; sinks with the same share the bytes."""

    def event(self, frames: Frames) -> None:
        """Must arrive, in order."""

    def position(self, order_id: str, encoded: bytes) -> None:
        """May be replaced by a newer one of the same order."""


Look = tuple[Fields, bool, Encode]
"""How a position is seen: which fields, in GCJ-02, in which encoding."""

_sighting: Final = msgspec.msgpack.Decoder(Sighting).decode


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
    """One order as this hub knows it, and those who watch it. It listens on the order's channels.

    `on_events` is called after live events: for the holes that they show, and for their end.
    """

    __slots__ = (
        "_audience",
        "ages",
        "confirmed",
        "freshness",
        "heard_at",
        "last",
        "leg",
        "line",
        "on_events",
        "on_sighted",
        "order_id",
        "repairing",
        "rider_id",
        "running",
        "seen_at",
        "status",
        "subscribers",
        "watched",
    )

    def __init__(
        self,
        order_id: str,
        on_events: Callable[["Feed"], None],
        on_sighted: Callable[["Feed"], None],
    ) -> None:
        self.order_id = order_id
        self.on_events = on_events
        self.on_sighted = on_sighted
        self.confirmed: asyncio.Future[None] | None = None
        """Whether the server has confirmed the channels; None until they are asked for."""
        self.watched = False
        """Whether sightings are wanted: not on behalf of the rider alone."""
        self.line = Line()
        self.subscribers: set[Subscriber] = set()
        self.status = Status.PENDING
        self.leg = 0
        """0, which no sighting is of, until the order's state is known."""
        self.rider_id: str | None = None
        self.seen_at = 0.0
        self.last: Sighting | None = None
        """The last sighting of this leg, and how fresh it was told to be."""
        self.freshness = ""
        self.ages = False
        """Whether somebody looks when it has become stale."""
        self.repairing = False
        self.heard_at = time.monotonic()
        self.running: RunningEstimate | None = None
        """Of an order that is watched."""
        self._audience: tuple[tuple[Look, tuple[Sink, ...]], ...] | None = None

    @property
    def listens(self) -> bool:
        return self.confirmed is not None and self.confirmed.done()

    # Who watches

    def join(self, subscriber: Subscriber) -> None:
        """It holds back what comes until it is live."""
        self.subscribers.add(subscriber)

    def live(self, subscriber: Subscriber, seq: int) -> None:
        """The subscriber goes on from `seq`."""
        subscriber.live(seq)
        self._audience = None
        self._keep_or_end(subscriber)

    def recast(self, subscriber: Subscriber, claims: Claims) -> None:
        """The subscriber reads by another token."""
        subscriber.claims = claims
        self._audience = None

    def leave(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        self._audience = None

    def fence(self) -> None:
        """Let go of joined subscribers who rode the order once, and no longer do."""
        for subscriber in tuple(self.subscribers):
            self._keep_or_end(subscriber)

    def _keep_or_end(self, subscriber: Subscriber) -> None:
        if subscriber.held is None and not subscriber.rides(self.rider_id):
            self.leave(subscriber)
            subscriber.end("forbidden")

    def learn(self, state: OrderState) -> None:
        """What decides who sees what, as of the state."""
        self.status = state.status
        if self.running is not None:
            self.running.learn(state)
        self._begin_leg(state.leg, state.rider_id)

    def _begin_leg(self, leg: int, rider_id: str | None) -> None:
        self._audience = None
        if leg != self.leg:
            self.leg, self.seen_at, self.last = leg, 0.0, None
        if rider_id != self.rider_id:
            self.rider_id = rider_id
            self.fence()

    # From the bus

    def received(self, payload: bytes) -> None:
        """A message of the order's channel: E, `<leg> <time> <rider> <hand-over told>`, with a
        fifth word the trace that it is of, and an event.
        """
        self.heard_at = time.monotonic()
        head, event = payload[1:].split(b"\n", 1)
        leg, told_at, rider_id, hand_over, *trace = head.decode().split(" ")
        told = {
            **loads_own(event),
            "leg": int(leg),
            "riderId": rider_id or None,
            "told": float(hand_over) if hand_over else None,
        }
        if trace:
            with span("tell", trace[0], {"order": self.order_id, "seq": told["seq"]}):
                self.on_event(told)
        else:
            self.on_event(told)
        EVENT_LAG.observe(max(0.0, time.time() - float(told_at)))
        self.on_events(self)

    def on_event(self, event: dict[str, Any]) -> None:
        """A live event, with the order's `leg` and `riderId` as of that event, and the hand-over
        that was `told`.
        """
        for ready in self.line.receive(event):
            self.tell(ready)

    def tell(self, event: dict[str, Any]) -> None:
        self.status = Status(event["status"])
        self._audience = None
        frames = Frames(stream_event(event))
        for subscriber in self.subscribers:
            subscriber.event(event["seq"], frames)
        if "leg" in event:
            self._follow(event)
            self._begin_leg(event["leg"], event["riderId"])

    def _follow(self, event: dict[str, Any]) -> None:
        if self.running is not None:
            now = time.time()
            self.running.follow(self.status, event["told"], now, event["leg"] != self.leg)
            self.running.tell(event, now)

    def sighted(self, payload: bytes) -> None:
        """Where the rider is. A sighting of another leg, or older than the last, is for nobody."""
        sighting = _sighting(payload)
        if sighting.leg == self.leg and sighting.at >= self.seen_at:
            self._see(sighting)

    def missed(self, sighting: Sighting) -> None:
        """What the store knew of last, once it is back: told if it is news here."""
        if sighting.leg == self.leg and sighting.at > self.seen_at:
            self._see(sighting)

    def _see(self, sighting: Sighting) -> None:
        self.seen_at, self.last = sighting.at, sighting
        if self.running is not None:
            self.running.see(sighting)
        self._show(sighting, freshness(time.time() - sighting.at))
        if not self.ages:
            self.on_sighted(self)

    def recall(self, sighting: Sighting) -> None:
        """What the store knew of, when nobody had been seen here yet."""
        if self.last is None and sighting.leg == self.leg:
            self.seen_at, self.last = max(self.seen_at, sighting.at), sighting
            self.freshness = freshness(time.time() - sighting.at)
            if not self.ages:
                self.on_sighted(self)

    def estimate(self, now: float, way: Way) -> None:
        """Tell when the hand-over has moved."""
        moved = None if self.running is None else self.running.moved(now, way)
        if moved is None:
            return
        frames = Frames({"type": "estimate", "orderId": self.order_id, **moved})
        for subscriber in self.subscribers:
            if subscriber.held is None and not subscriber.own:
                subscriber.sink.event(frames)

    def age(self, now: float) -> float | None:
        """Tell when the last position has become stale, or lost. Answers when (Unix seconds) to
        look again, None for never.
        """
        if self.last is None or not self.subscribers or self.status in FINAL:
            return None
        fresh = freshness(now - self.last.at)
        if fresh != self.freshness:
            self.last.way = None
            self._show(self.last, fresh)
        return fresh_until(self.last.at, fresh)

    def _show(self, sighting: Sighting, fresh: str) -> None:
        self.freshness = fresh
        audience = self._audience
        if audience is None:
            audience = self._audience = self._looks()
        for (fields, gcj02, encode), sinks in audience:
            view = position_view(self.order_id, sighting, fields, fresh, self.rider_id, gcj02)
            encoded = encode(view)
            for sink in sinks:
                sink.position(self.order_id, encoded)

    def _looks(self) -> tuple[tuple[Look, tuple[Sink, ...]], ...]:
        """Who sees positions now, by how they see them: each look is made and encoded once."""
        looks: dict[Look, list[Sink]] = {}
        for subscriber in self.subscribers:
            fields = visible(subscriber.claims.role, self.status, self.rider_id is not None)
            joined = subscriber.held is None and not subscriber.own
            if joined and fields:
                look = (fields, subscriber.gcj02, subscriber.sink.encode)
                looks.setdefault(look, []).append(subscriber.sink)
        return tuple((look, tuple(sinks)) for look, sinks in looks.items())
