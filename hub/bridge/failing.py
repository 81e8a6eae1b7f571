"""When a registered endpoint is switched off, and the owner's event that tells of it.

The rule, in one sentence: when twenty orders in a row, or more, have failed for an hour or more,
with no delivery accepted between, or at once when it answers 410. Until it is switched on again
what comes is held.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import structlog

from hub.bridge.plan import registered
from hub.store.bridges import Bridges
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.feed import FeedStore, Pointer
from hub.store.lanes import Claim, Lanes, News
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

    def learn(self, failing: Iterable[str]) -> None:
        """Endpoints that fail, as the store knows."""
        self._known = set(failing)

    async def accepted(self, claim: Claim) -> None:
        if claim.target in self._known:
            await self._bridges.well(claim.target)
            self._known.discard(claim.target)

    async def failed(self, claim: Claim, why: str) -> bool:
        """Whether that was one too many, and the endpoint is off now."""
        self._known.add(claim.target)
        age, orders = await self._bridges.failed(claim.target, claim.order_id, ORDERS)
        if orders < ORDERS or age < SECONDS * self._scale:
            return False
        minutes = int(age / self._scale / 60)
        await self.switch_off(
            claim, f"{orders} orders in a row failed over {minutes} minutes; the last one: {why}"
        )
        return True

    async def switch_off(self, claim: Claim, reason: str) -> None:
        """Told first, and then done: whoever is stopped between does both again, and a second
        telling is the first one again.
        """
        partner, name = claim.partner, claim.target
        record = await self._endpoints.find(partner, name)
        if record is None or not record.enabled:
            return
        await self._tell(partner, record, reason)

        def off(found: EndpointRecord) -> EndpointRecord:
            if not found.enabled:
                return found
            times = found.switched_off + 1
            return replace(found, enabled=False, switched_off=times, off_reason=reason)

        await self._endpoints.update(partner, name, off)
        await self._bridges.well(name)
        self._known.discard(name)
        _log.error("endpoint switched off", endpoint=name, partner=partner, reason=reason)

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
