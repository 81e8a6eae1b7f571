"""One claimed delivery from address to verdict."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from hub.bridge import metrics
from hub.bridge.plan import CHANGES, CONFIRMED
from hub.bridge.sender import Sender
from hub.core.outcome import Delivered, GaveUp, Reply, Retry, SwitchedOff, Verdict, judge
from hub.core.signature import sign
from hub.endpoints import fresh_secret
from hub.store.endpoints import EndpointStore
from hub.store.lanes import Claim, Settlement, State
from schemas.times import format_time

__all__ = ["Attempts", "Pace"]

_SECRET_TTL: Final = 5.0
_COUNTERS: Final = {
    State.DELIVERED: metrics.DELIVERED,
    State.PENDING: metrics.RETRIED,
    State.DEAD: metrics.DEAD,
    State.HELD: metrics.HELD,
}
_log: Final = structlog.get_logger("hub.bridge")


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, for tests to turn: `scale` multiplies every wait before a retry."""

    scale: float = 1.0
    chance: Callable[[], float] = random.random
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class _Address:
    url: str
    secrets: list[str]


class Attempts:
    """Makes attempts and says what is to be settled. Raises UnavailableError, nothing else."""

    def __init__(self, endpoints: EndpointStore, sender: Sender, pace: Pace) -> None:
        self._endpoints = endpoints
        self._sender = sender
        self._pace = pace
        self._secrets: dict[str, tuple[float, str]] = {}

    async def make(self, claim: Claim) -> Settlement:
        where = await self._where(claim)
        made = where if isinstance(where, Settlement) else await self._send(claim, where)
        _COUNTERS[made.state].labels("callback" if claim.url else "endpoint").inc()
        return made

    async def _send(self, claim: Claim, where: _Address) -> Settlement:
        at = self._pace.clock()
        reply = await self._sender.send(where.url, claim.body, _headers(claim, where, at))
        verdict = judge(
            reply,
            failures=claim.attempt,
            age=(at - claim.first) / self._pace.scale,
            now=at,
            chance=self._pace.chance(),
        )
        _tell(claim, reply, verdict)
        if isinstance(verdict, SwitchedOff) and not claim.url:
            await self._endpoints.update(
                claim.partner, claim.target, lambda record: replace(record, enabled=False)
            )
        return self._settlement(claim, verdict, _record(reply, at))

    async def _where(self, claim: Claim) -> _Address | Settlement:
        """Where to and signed with what; or what becomes of the lane if there is no such place."""
        if claim.target in (CONFIRMED, CHANGES):
            if claim.off:
                return Settlement(State.HELD, whole=True)
            return _Address(claim.url, [await self._partner_secret(claim.partner)])
        endpoint = await self._endpoints.find(claim.partner, claim.target)
        if endpoint is None:
            return Settlement(State.DEAD, whole=True)
        if not endpoint.enabled:
            return Settlement(State.HELD, whole=True)
        return _Address(endpoint.url, endpoint.secrets(self._pace.clock()))

    async def _partner_secret(self, partner: str) -> str:
        """A partner's secret never changes, but the store may lose it: asked for now and then."""
        now = time.monotonic()
        until, secret = self._secrets.get(partner, (0.0, ""))
        if now >= until:
            if len(self._secrets) > 10_000:
                self._secrets.clear()
            secret = await self._endpoints.partner_secret(partner, fresh_secret())
            self._secrets[partner] = (now + _SECRET_TTL, secret)
        return secret

    def _settlement(self, claim: Claim, verdict: Verdict, record: dict[str, Any]) -> Settlement:
        match verdict:
            case Delivered():
                return Settlement(State.DELIVERED, record)
            case Retry(after):
                return Settlement(State.PENDING, record, after=after * self._pace.scale)
            case GaveUp():
                return Settlement(State.DEAD, record)
            case SwitchedOff():
                return Settlement(State.HELD, record, whole=True, off=bool(claim.url))


def _headers(claim: Claim, where: _Address, at: float) -> dict[str, str]:
    """Standard Webhooks' three, and two of ours; `at` is the time of this attempt."""
    return {
        "webhook-id": claim.delivery_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": sign(where.secrets, claim.delivery_id, int(at), claim.body),
        "ordercast-attempt": str(claim.attempt),
        "ordercast-first-attempt": format_time(claim.first),
    }


def _record(reply: Reply, at: float) -> dict[str, Any]:
    """What is kept of an attempt: `at` in Unix seconds, `took` in seconds."""
    record = {"at": at, "took": reply.took, "status": reply.status, "error": reply.error}
    return {name: value for name, value in record.items() if value is not None}


def _tell(claim: Claim, reply: Reply, verdict: Verdict) -> None:
    """One line, and a quiet one when it went well."""
    log = _log.bind(order_id=claim.order_id, delivery_id=claim.delivery_id, attempt=claim.attempt)
    told = {"status": reply.status, "error": reply.error}
    match verdict:
        case Delivered():
            log.debug("delivered", status=reply.status)
        case Retry(after):
            log.warning("attempt failed", **told, retry_in=round(after, 3))
        case GaveUp():
            log.error("delivery is dead", **told)
        case SwitchedOff():
            log.warning("target switched itself off", **told)
