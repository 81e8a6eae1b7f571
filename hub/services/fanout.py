"""Who listens to what: one feed per order that somebody here watches.

One status change, from the bus to the sockets: `Feed.received` -> `Line.receive` (order without
holes) -> `Subscriber.event` (whoever reads it). One position: `Feed.sighted` -> `Sink.position`
(those who may see it). Nothing awaits on that way.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from math import ceil
from typing import Any, Final

import structlog

from hub.core.callers.claims import Claims, concerns
from hub.core.orders import estimate
from hub.core.orders.running import RunningEstimate, Way
from hub.core.orders.state import OrderState
from hub.errors import NotFoundError, OrdercastError, UnavailableError
from hub.services.feed import Feed, Subscriber
from hub.services.snapshot import subscribed
from hub.store.bus import Bus
from hub.store.keys import order_keys
from hub.store.orders import OrderStore, Reading
from hub.tasks import end
from schemas.lifecycle import FINAL
from schemas.messages import After

__all__ = ["Fanout"]

_LINGER: Final = 1.0  # a phone that changes cells comes back within the second
_SILENCE: Final = 40.0
_CHECK_BATCH: Final = 256
_SUBSCRIBE_TIMEOUT: Final = 5.0
_REPAIR_PAUSE: Final = 0.2
_ESTIMATE_EVERY: Final = 10
"""Seconds between two looks at the estimate of an order that is watched."""

log = structlog.get_logger("hub.fanout")


class Fanout:
    """All feeds of this hub. Attach the bus before the first subscriber.

    `way`: what is left of a rider's way.
    """

    def __init__(self, orders: OrderStore, way: Way) -> None:
        self._orders = orders
        self._way = way
        self._feeds: dict[str, Feed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ageing: defaultdict[int, list[Feed]] = defaultdict(list)  # by Unix second
        self._estimated: defaultdict[int, list[Feed]] = defaultdict(list)
        self.bus: Bus

    def __len__(self) -> int:
        return len(self._feeds)

    def _after_events(self, feed: Feed) -> None:
        if feed.line.behind and feed.line.open:
            self._spawn(self._repair(feed))
        elif feed.status in FINAL:
            self._finish(feed, "finished")
        elif not feed.subscribers:
            self._linger(feed)

    # What changes by itself

    async def run(self) -> None:
        """Tell of positions that have become stale, or lost, within the second; and of estimates
        that have moved.
        """
        while True:
            await asyncio.sleep(1.0)
            now = time.time()
            for feed in _due(self._ageing, now):
                self._age(feed, now)
            for feed in _due(self._estimated, now):
                if self._feeds.get(feed.order_id) is feed:
                    feed.estimate(now, self._way)
                    self._estimated[int(now) + _ESTIMATE_EVERY].append(feed)

    def _estimate_from_now(self, feed: Feed, state: OrderState) -> None:
        now = time.time()
        feed.running = RunningEstimate(state)
        feed.running.tell(estimate.shown(state.left(now), now), now)
        self._estimated[int(now) + _ESTIMATE_EVERY].append(feed)

    def _age_from_now(self, feed: Feed) -> None:
        feed.ages = True
        self._age(feed, time.time())

    def _age(self, feed: Feed, now: float) -> None:
        alive = self._feeds.get(feed.order_id) is feed
        due = feed.age(now) if alive else None
        feed.ages = due is not None
        if due is not None:
            self._ageing[max(int(now) + 1, ceil(due))].append(feed)

    # Subscribers

    async def subscribe(
        self, subscriber: Subscriber, after: After | None, answer: Callable[[dict[str, Any]], None]
    ) -> None:
        """Join a subscriber to its order: `answer` gets the `subscribed` message, then it is live.

        Raises NotFoundError for an unknown order or somebody else's, and UnavailableError.
        """
        feed = self._feed(subscriber.order_id)
        feed.join(subscriber)
        try:
            await self._listen(feed, watched=not subscriber.own)
            reading = await self._read(subscriber, after)
            if not feed.listens:
                await self._confirmed(feed)
                reading = await self._read(subscriber, after)
        except BaseException:
            self.unsubscribe(subscriber)
            raise
        self._align(feed, reading)
        answer(subscribed(subscriber, reading, after))
        feed.live(subscriber, reading.state.seq)
        if feed.running is None and not subscriber.own:
            self._estimate_from_now(feed, reading.state)
        if reading.position is not None and not subscriber.own:
            feed.recall(reading.position)
        self._after_events(feed)

    async def _listen(self, feed: Feed, watched: bool) -> None:
        """Ask for the channels that are wanted and not asked for yet.

        On one server what is read next is as of a moment at which the feed listens.
        """
        keys, listeners = order_keys(feed.order_id), {}
        if feed.confirmed is None:
            listeners[keys.channel] = feed.received
        if watched and not feed.watched:
            listeners[keys.sightings] = feed.sighted
        if listeners:
            feed.confirmed = await self.bus.begin(listeners)
            feed.watched = feed.watched or watched

    @staticmethod
    async def _confirmed(feed: Feed) -> None:
        assert feed.confirmed is not None
        try:
            async with asyncio.timeout(_SUBSCRIBE_TIMEOUT):
                await asyncio.shield(feed.confirmed)
        except TimeoutError:
            raise UnavailableError("the store does not answer") from None

    async def _read(self, subscriber: Subscriber, after: After | None) -> Reading:
        if after is None:
            reading = await self._orders.read(subscriber.order_id)
        else:
            reading = await self._orders.read(subscriber.order_id, after.epoch, after.seq)
        if reading is None or not concerns(reading.state, subscriber.claims):
            raise NotFoundError(f"no order {subscriber.order_id}")
        return reading

    def _align(self, feed: Feed, reading: Reading) -> None:
        state = reading.state
        if not feed.line.open:
            feed.learn(state)
            for event in feed.line.start(state.epoch, state.seq):
                feed.tell(event)
        elif feed.line.epoch != state.epoch or feed.line.seq < state.seq:
            self._spawn(self._repair(feed))

    def unsubscribe(self, subscriber: Subscriber) -> None:
        feed = self._feeds.get(subscriber.order_id)
        if feed is None:
            return
        feed.leave(subscriber)
        if not feed.subscribers or not subscriber.own:
            self._linger(feed)

    def recast(self, subscriber: Subscriber, claims: Claims) -> None:
        """From now on the subscriber sees what these claims may see."""
        self._feeds[subscriber.order_id].recast(subscriber, claims)

    def _linger(self, feed: Feed) -> None:
        asyncio.get_running_loop().call_later(_LINGER, self._forget_if_idle, feed)

    def _feed(self, order_id: str) -> Feed:
        feed = self._feeds.get(order_id)
        if feed is None:
            feed = self._feeds[order_id] = Feed(order_id, self._after_events, self._age_from_now)
        return feed

    def _forget_if_idle(self, feed: Feed) -> None:
        if self._feeds.get(feed.order_id) is not feed:
            return
        if not feed.subscribers:
            del self._feeds[feed.order_id]
            keys = order_keys(feed.order_id)
            self.bus.unsubscribe(keys.channel, keys.sightings)
        elif feed.watched and all(subscriber.own for subscriber in feed.subscribers):
            feed.watched = False
            self.bus.unsubscribe(order_keys(feed.order_id).sightings)

    def _finish(self, feed: Feed, reason: str) -> None:
        """The order ended, or is lost: the joined subscribers are told and let go.

        One that is joining just now is let go by `subscribe`, with its snapshot first.
        """
        for subscriber in [one for one in feed.subscribers if one.held is None]:
            subscriber.end(reason)
            feed.leave(subscriber)
        if not feed.subscribers:
            self._forget_if_idle(feed)

    # Making whole

    async def _repair(self, feed: Feed) -> None:
        """Read what is missing until nothing is, as long as somebody watches."""
        if feed.repairing:
            return
        feed.repairing = True
        try:
            while feed.subscribers and not await self._caught_up(feed):  # noqa: ASYNC110
                await asyncio.sleep(_REPAIR_PAUSE)
        except UnavailableError:
            feed.line.behind = True  # `make_whole` runs when the store is back
        finally:
            feed.repairing = False

    async def _caught_up(self, feed: Feed) -> bool:
        reading = await self._orders.read(feed.order_id, feed.line.epoch or "", feed.line.seq)
        if reading is None or reading.state.epoch != feed.line.epoch:
            self._finish(feed, "lost")
            return True
        state = reading.state
        if reading.events and reading.events[0]["seq"] > feed.line.seq + 1:
            self._finish(feed, "lost")  # fell behind by more than is kept
            return True
        for event in feed.line.catch_up(state.epoch, state.seq, reading.events):
            feed.tell(event)
        if feed.line.seq == state.seq:
            feed.learn(state)
        if feed.line.behind:
            return False
        if feed.status in FINAL:
            self._finish(feed, "finished")
        return True

    async def make_whole(self) -> None:
        """Compare every feed with the log, as after an outage, and look where its rider is now.

        Raises UnavailableError.
        """
        feeds = [feed for feed in self._feeds.values() if feed.line.open]
        await self._compare(feeds)
        await self._look_for([feed for feed in feeds if feed.watched and feed.rider_id])

    async def check_silent(self) -> None:
        """Compare the feeds that heard nothing for long. Call every few seconds."""
        limit = time.monotonic() - _SILENCE
        silent = [f for f in self._feeds.values() if f.line.open and f.heard_at < limit]
        for feed in silent:
            feed.heard_at = time.monotonic()
        await self._compare(silent)

    async def _compare(self, feeds: list[Feed]) -> None:
        for start in range(0, len(feeds), _CHECK_BATCH):
            batch = feeds[start : start + _CHECK_BATCH]
            places = await self._orders.seqs(feed.order_id for feed in batch)
            for feed, place in zip(batch, places, strict=True):
                if place != (feed.line.epoch, feed.line.seq) or feed.line.behind:
                    await self._repair(feed)

    async def _look_for(self, feeds: list[Feed]) -> None:
        """Positions that were told while this hub did not hear: the last is in the store."""
        for start in range(0, len(feeds), _CHECK_BATCH):
            batch = feeds[start : start + _CHECK_BATCH]
            found = await self._orders.positions((feed.order_id, feed.leg) for feed in batch)
            for feed, sighting in zip(batch, found, strict=True):
                if sighting is not None:
                    feed.missed(sighting)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OrdercastError):
            log.error("task failed", exc_info=error)

    async def stop(self) -> None:
        await end(self._tasks)


def _due(by_second: dict[int, list[Feed]], now: float) -> list[Feed]:
    seconds = [second for second in by_second if second <= now]
    return [feed for second in seconds for feed in by_second.pop(second)]
