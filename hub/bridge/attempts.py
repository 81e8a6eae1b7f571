"""One claimed delivery from address to verdict."""

import datetime
import random
import time
from collections import Counter as Counts
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter, Histogram

from hub.bridge import metrics
from hub.bridge.circuits import Circuits
from hub.bridge.failing import Failing
from hub.bridge.pacer import Pacer
from hub.bridge.plan import origin_of_url
from hub.bridge.sender import Sender
from hub.bridge.turns import Turns
from hub.core.webhooks.acks import bucket_of
from hub.core.webhooks.bodies import body_of, url_of
from hub.core.webhooks.notices import Quiet, due_at
from hub.core.webhooks.outcome import (
    Delivered,
    Fault,
    GaveUp,
    Reply,
    Retry,
    SwitchedOff,
    Verdict,
    judge,
)
from hub.core.webhooks.signature import sign
from hub.services.endpoints import fresh_secret
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.lanes import Claim, Settlement, State
from hub.tracing import span
from schemas.lifecycle import EventType
from schemas.times import format_time
from schemas.wire import loads_own

__all__ = ["Attempts", "Pace"]

_SECRET_TTL: Final = 5.0
_PACE: Final = 0.006
_COUNTERS: Final = {
    State.DELIVERED: metrics.DELIVERED,
    State.PENDING: metrics.RETRIED,
    State.DEAD: metrics.DEAD,
    State.HELD: metrics.HELD,
}
_ORDERS: Final = frozenset(each.value for each in EventType)
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

    @property
    def origin(self) -> str:
        return origin_of_url(self.url)


class Attempts:
    """Makes attempts and says what is to be settled. Raises UnavailableError, nothing else."""

    def __init__(
        self,
        endpoints: EndpointStore,
        sender: Sender,
        circuits: Circuits,
        failing: Failing,
        turns: Turns,
        pace: Pace,
    ) -> None:
        self._endpoints = endpoints
        self._sender = sender
        self._circuits = circuits
        self._failing = failing
        self._turns = turns
        self._pace = pace
        self._secrets: dict[str, tuple[float, str]] = {}
        self._acks: Counts[tuple[str, int]] = Counts()
        # Attempts that began together at servers that hang end together, by the hundred, and so
        # do those that wait for one circuit; what follows must not keep the loop from the others.
        self._unanswered = Pacer(_PACE)

    def acks(self) -> Counts[tuple[str, int]]:
        """How many each endpoint has accepted since the last call, by bucket of the time."""
        taken, self._acks = self._acks, Counts()
        return taken

    async def make(self, claim: Claim, begin_by: float) -> Settlement:
        """`begin_by`, on the loop's clock: an attempt that began later might outlast its lease."""
        where = await self._where(claim)
        if isinstance(where, Settlement):
            if where.state is State.PENDING:
                return where  # nothing was attempted
            made = where
        elif time.monotonic() > begin_by:
            return Settlement(State.PENDING)
        else:
            made = await self._try(claim, where)
        _counter(made.state, "callback" if claim.callback else claim.target).inc()
        return made

    async def _try(self, claim: Claim, where: _Address) -> Settlement:
        """Send, unless the origin is left alone: that counts as an attempt that failed, or what
        waits for a dead origin would never have had its day.
        """
        wait = await self._circuits.enter(where.origin)
        at, began = self._pace.clock(), time.monotonic()
        if wait:
            reply = Reply(None, "not sent: the host was not reached of late")
        else:
            reply = await self._send(claim, where, at)
        if reply.status is None:
            await self._unanswered.turn()
        verdict = judge(
            reply,
            failures=claim.attempt,
            age=(at - claim.first) / self._pace.scale,
            now=at,
            chance=self._pace.chance(),
        )
        if not wait:
            _tell(claim, reply, verdict)
        fate = None if wait else await self._hear(claim, where, reply, verdict, began)
        return self._settlement(claim, verdict, _record(reply, at), fate, wait)

    async def _send(self, claim: Claim, where: _Address, at: float) -> Reply:
        body = body_of(claim.target, claim.payload, claim.stands_for)
        headers = _headers(claim, where, at, body)
        if not claim.trace:
            return await self._sender.send(where.url, body, headers)
        about: dict[str, str | int] = {"delivery": claim.delivery_id, "attempt": claim.attempt}
        with span("webhook", claim.trace, about) as current:
            reply = await self._sender.send(where.url, body, headers)
            if current is not None:
                current.set_attribute("http.response.status_code", reply.status or 0)
            return reply

    async def _hear(
        self, claim: Claim, where: _Address, reply: Reply, verdict: Verdict, began: float
    ) -> State | None:
        """What the answer means for the origin, the queue and the endpoint; what becomes of all
        that waits in the lane, None for nothing but this delivery's own verdict.
        """
        if reply.fault is Fault.REQUEST:  # ours, not theirs
            return None
        self._turns.hear(claim.queue, reply, began, time.monotonic())
        await self._circuits.tell(where.origin, not reply.unreached, began)
        if claim.callback:
            return None
        match verdict:
            case Delivered():
                await self._failing.accepted(claim)
                took = max(0.0, self._pace.clock() - claim.created)
                _acked(claim.target).observe(took)
                self._acks[claim.target, bucket_of(took)] += 1
                return None
            case SwitchedOff():
                return await self._failing.switch_off(claim, where.url, "it answered 410 Gone")
            case _:
                why = reply.error or f"status {reply.status}"
                return await self._failing.failed(claim, where.url, why)

    async def _where(self, claim: Claim) -> _Address | Settlement:
        """Where to and signed with what; or what becomes of the lane if there is no such place."""
        if claim.callback:
            if claim.off:
                return Settlement(State.HELD, whole=True)
            url = url_of(claim.target, claim.url)
            return _Address(url, [await self._partner_secret(claim.partner)])
        endpoint = await self._endpoints.find(claim.partner, claim.target)
        if endpoint is None:
            return Settlement(State.DEAD, whole=True)
        if not endpoint.enabled:
            return Settlement(State.HELD, whole=True)
        if endpoint.latest is not claim.latest:  # the partner has changed its mind meanwhile
            return Settlement(State.PENDING, latest=endpoint.latest)
        if wait := self._early(claim, endpoint):
            return Settlement(State.PENDING, after=wait)
        return _Address(endpoint.url, endpoint.secrets(self._pace.clock()))

    def _early(self, claim: Claim, endpoint: EndpointRecord) -> float:
        """Seconds by which an order's event may not be sent yet. What is about the endpoint itself
        waits for nothing.
        """
        if not (endpoint.delay or endpoint.quiet) or not _tells_of_order(claim.payload):
            return 0.0
        now = self._pace.clock()
        return due_at(claim.created, endpoint.delay, _quiet(endpoint.quiet), now) - now

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

    def _settlement(
        self,
        claim: Claim,
        verdict: Verdict,
        record: dict[str, Any],
        fate: State | None,
        wait: float,
    ) -> Settlement:
        if fate is not None:
            return Settlement(fate, record, whole=True)
        match verdict:
            case Delivered():
                return Settlement(State.DELIVERED, record)
            case SwitchedOff() if claim.callback:
                return Settlement(State.HELD, record, whole=True, off=True)
            case SwitchedOff():  # so said a URL that is no longer the endpoint's
                return Settlement(State.PENDING, record)
            case Retry(after):
                return Settlement(
                    State.PENDING, record, _later(wait, self._pace) + after * self._pace.scale
                )
            case GaveUp():
                return Settlement(State.DEAD, record)


def _later(wait: float, pace: Pace) -> float:
    """Not all together, when a circuit may be probed, but over as long again."""
    return wait * (1.0 + pace.chance())


def _tells_of_order(payload: bytes) -> bool:
    return loads_own(payload)["eventType"] in _ORDERS


@lru_cache(maxsize=4096)
def _quiet(hours: tuple[str, str, str] | None) -> Quiet | None:
    if hours is None:
        return None
    start, end, zone = hours
    return Quiet(_clock(start), _clock(end), ZoneInfo(zone))


_clock: Final = datetime.time.fromisoformat


@lru_cache(maxsize=4096)
def _counter(state: State, name: str) -> Counter:
    return _COUNTERS[state].labels(name)


@lru_cache(maxsize=4096)
def _acked(name: str) -> Histogram:
    return metrics.ACKED.labels(name)


def _headers(claim: Claim, where: _Address, at: float, body: bytes) -> dict[str, str]:
    """Standard Webhooks' three, and two of ours; `at` is the time of this attempt."""
    webhook_id = claim.delivery_id
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": sign(where.secrets, webhook_id, int(at), body),
        "ordercast-attempt": str(claim.attempt),
        "ordercast-first-attempt": format_time(claim.first),
    }


def _record(reply: Reply, at: float) -> dict[str, Any]:
    """What is kept of an attempt: `at` in Unix seconds, `took` in seconds."""
    record = {"at": at, "took": reply.took, "status": reply.status, "error": reply.error}
    return {name: value for name, value in record.items() if value is not None}


def _tell(claim: Claim, reply: Reply, verdict: Verdict) -> None:
    """A line for what is news: the first failure of a delivery, and its end if that is a bad one.
    Every attempt is in the store, and shown to its partner.
    """
    match verdict:
        case Delivered():
            return
        case Retry(after) if claim.attempt == 1:
            _line(claim, reply).warning("attempt failed", retry_in=round(after, 3))
        case GaveUp():
            _line(claim, reply).error("delivery is dead", attempts=claim.attempt)
        case SwitchedOff():
            _line(claim, reply).warning("target switched itself off")


def _line(claim: Claim, reply: Reply) -> Any:
    told = {"status": reply.status, "error": reply.error}
    return _log.bind(order_id=claim.order_id, delivery_id=claim.delivery_id, **told)
