"""When a registered endpoint is switched off, and the owner's event that tells of it.

The rule, in one sentence: when twenty orders in a row, or more, have failed for an hour or more,
with no delivery accepted between, or at once when it answers 410. Until it is switched on again
what comes is held.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import structlog

from hub.bridge.plan import registered
from hub.store.bridges import Bridges
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.feed import FeedStore, Pointer
from hub.store.lanes import Claim, Lanes, News, State
from schemas.times import format_time
from schemas.webhooks import PartnerEventType
from schemas.wire import dumps

__all__ = ["ORDERS", "SECONDS", "Failing"]

ORDERS: Final = 20
SECONDS: Final = 3600.0

_EPOCH: Final = "switched"
"""Eight letters, as an order's epoch has: an endpoint's own events have but one."""

_log: Final = structlog.get_logger("hub.bridge")


class Failing:
    """Raises UnavailableError. `scale` multiplies the hour, for tests."""

    def __init__(
        self,
        bridges: Bridges,
        endpoints: EndpointStore,
        lanes: Lanes,
        feed: FeedStore,
        scale: float = 1.0,
    ) -> None:
        self._bridges = bridges
        self._endpoints = endpoints
        self._lanes = lanes
        self._feed = feed
        self._scale = scale
        self._known: set[str] = set()
        self._turn = asyncio.Lock()

    def learn(self, failing: Iterable[str]) -> None:
        """Endpoints that fail, as the store knows."""
        self._known = set(failing)

    async def accepted(self, claim: Claim) -> None:
        if claim.target in self._known:
            await self._bridges.well(claim.target)
            self._known.discard(claim.target)

    async def failed(self, claim: Claim, url: str, why: str) -> State | None:
        """An attempt at `url` failed; what becomes of the lane if that was one too many."""
        self._known.add(claim.target)
        age, orders = await self._bridges.failed(claim.target, claim.order_id, ORDERS)
        if orders < ORDERS or age < SECONDS * self._scale:
            return None
        minutes = int(age / self._scale / 60)
        reason = f"{orders} orders in a row failed over {minutes} minutes; the last one: {why}"
        return await self.switch_off(claim, url, reason)

    async def switch_off(self, claim: Claim, url: str, reason: str) -> State | None:
        """HELD: it is off; DEAD: there is no such endpoint; None: it has another URL by now.

        Told first, and then done: whoever is stopped between does both again, and a second
        telling is the first one again.
        """
        async with self._turn:
            record = await self._endpoints.find(claim.partner, claim.target)
            if record is None:
                return State.DEAD
            if record.enabled and record.url != url:
                return None
            if record.enabled:
                await self._tell(claim.partner, record, reason)
                await self._put_off(claim, url, reason)
            return State.HELD

    async def _put_off(self, claim: Claim, url: str, reason: str) -> None:
        def off(found: EndpointRecord) -> EndpointRecord:
            if not found.enabled or found.url != url:
                return found
            times = found.switched_off + 1
            return replace(found, enabled=False, switched_off=times, off_reason=reason)

        name = claim.target
        await self._endpoints.update(claim.partner, name, off)
        await self._bridges.well(name)
        self._known.discard(name)
        _log.error("endpoint switched off", endpoint=name, partner=claim.partner, reason=reason)

    async def _tell(self, partner: str, record: EndpointRecord, reason: str) -> None:
        seq = record.switched_off + 1
        told = _disabled(record, seq, reason)
        kind = PartnerEventType.ENDPOINT_DISABLED
        others = [
            registered(each)
            for each in await self._endpoints.of(partner)
            if each.endpoint_id != record.endpoint_id and each.wants(kind)
        ]
        name = record.endpoint_id
        if others:
            await self._lanes.add(News(name, _EPOCH, seq, partner, "", told, others))
        # Not from a partition's log: the endpoint takes its place, the number that of an entry.
        await self._feed.append(partner, name, [Pointer(f"{seq}-0", name, seq, told)])


def _disabled(record: EndpointRecord, seq: int, reason: str) -> bytes:
    now = format_time(time.time())
    return dumps(
        {
            "eventType": PartnerEventType.ENDPOINT_DISABLED.value,
            "payload": {
                "endpointId": record.endpoint_id,
                "url": record.url,
                "reason": reason,
                "timestamp": now,
            },
            "endpointId": record.endpoint_id,
            "seq": seq,
            "timestamp": now,
        }
    )
