"""Take webhooks: `PartnerReceiver`, an ASGI application."""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from clients.signature import BadHeadersError, BadSignatureError, Signed, read_secret, verify

__all__ = ["Counts", "Delivery", "PartnerReceiver"]

logger = logging.getLogger("clients.partner")

MAX_BODY: Final = 65_536

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that was verified, is new, and comes in its order's turn.

    `event_type` is None for `onOrderConfirmed`, which has none. `payload` is the status update
    with the names of the wire, `body` all that came. `attempt` starts at 1.
    """

    webhook_id: str
    sent_at: int
    path: str
    event_type: str | None
    order_id: str | None
    seq: int | None
    payload: Mapping[str, Any]
    body: Mapping[str, Any]
    attempt: int

    @property
    def lane(self) -> tuple[str, str] | None:
        """What comes first in, first out: an order at one of the receiver's paths."""
        return None if self.order_id is None else (self.path, self.order_id)


Handler = Callable[[Delivery], Awaitable[None]]


@dataclass(slots=True)
class Counts:
    """Deliveries by what became of them. `refused` were malformed, too large, or no POST."""

    received: int = 0
    repeats: int = 0
    out_of_order: int = 0
    bad_signature: int = 0
    refused: int = 0
    failed: int = 0


class _AnswerError(Exception):
    """The request ends here, with this status."""

    def __init__(self, status: int, title: str, **headers: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.headers = headers


class _Recent(Generic[V]):
    """The last `limit` keys that were set or read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[object, V] = OrderedDict()

    def get(self, key: object) -> V | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def set(self, key: object, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._limit:
            self._values.popitem(last=False)


class PartnerReceiver:
    """Hands each delivery to `handler` once, and per order and path never an older `seq` after
    a newer one.

        app = PartnerReceiver(["whsec_..."], handler)      # uvicorn module:app

    `secrets`: all that may sign, so two while one is being rotated out. `remember`: how many
    webhook ids, and how many orders, are kept in mind; the hub tries again for 24 h.

    Answers 202 after `handler` returned (also to repeats and late ones, which it does not see),
    503 with `Retry-After` when it raised, 400 for headers or a body that cannot be read, 401 for
    a signature that does not fit, 405, 413 over 64 KiB. Deliveries of one order are handled one
    after the other. What it remembers is in this process alone: a handler that must not repeat
    itself over restarts has to keep `webhook_id` with what it does.
    """

    def __init__(
        self,
        secrets: Iterable[str],
        handler: Handler,
        *,
        remember: int = 100_000,
        retry_after: int = 5,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = [read_secret(secret) for secret in secrets]
        if not self._keys:
            raise ValueError("at least one secret is needed")
        self.counts = Counts()
        self._handler = handler
        self._retry_after = retry_after
        self._now = now
        self._seen: _Recent[bool] = _Recent(remember)
        self._newest: _Recent[int] = _Recent(remember)
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={n}" for name, n in asdict(self.counts).items())
        return f"<PartnerReceiver {counts}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._take(scope, receive)
        except _AnswerError as answer:
            body = {"type": "about:blank", "title": answer.title, "status": answer.status}
            await _answer(send, answer.status, json.dumps(body).encode(), answer.headers)
        else:
            await _answer(send, 202, b"", {})

    async def _take(self, scope: Scope, receive: Receive) -> None:
        """Raises _AnswerError for what is not accepted."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        try:
            if scope["method"] != "POST":
                raise _AnswerError(405, "only POST is taken here", allow="POST")
            body = await _read(headers, receive)
            delivery = self._open(scope["path"], headers, body)
        except _AnswerError as answer:
            if answer.status != 401:
                self.counts.refused += 1
            raise
        self.counts.received += 1
        key = delivery.lane or delivery.webhook_id
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            await self._hand_on(delivery)

    def _open(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivery:
        try:
            signed = verify(self._keys, headers, body, self._now())
        except BadHeadersError as error:
            raise _AnswerError(400, str(error)) from None
        except BadSignatureError as error:
            self.counts.bad_signature += 1
            raise _AnswerError(401, str(error)) from None
        return _delivery(path, headers, signed, body)

    async def _hand_on(self, delivery: Delivery) -> None:
        if self._seen.get(delivery.webhook_id):
            self.counts.repeats += 1
            return
        if self._is_late(delivery):
            self.counts.out_of_order += 1
        else:
            await self._handle(delivery)
        self._seen.set(delivery.webhook_id, True)

    def _is_late(self, delivery: Delivery) -> bool:
        """Equal is not late: two endpoints may have one URL."""
        if delivery.lane is None or delivery.seq is None:
            return False
        return delivery.seq < (self._newest.get(delivery.lane) or 0)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self._handler(delivery)
        except Exception:
            self.counts.failed += 1
            logger.exception("handling webhook %s failed", delivery.webhook_id)
            after = {"retry-after": str(self._retry_after)}
            raise _AnswerError(503, "try again later", **after) from None
        if delivery.lane is not None and delivery.seq is not None:
            self._newest.set(delivery.lane, delivery.seq)


async def _read(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The body; what is too large is not read to its end."""
    too_large = _number(headers.get("content-length", ""), 0) > MAX_BODY
    body = b""
    more = not too_large
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _AnswerError(400, "the body broke off")
        body += message.get("body", b"")
        too_large = len(body) > MAX_BODY
        more = message.get("more_body", False) and not too_large
    if too_large:
        raise _AnswerError(413, f"a body has at most {MAX_BODY} bytes", connection="close")
    return body


def _delivery(path: str, headers: Mapping[str, str], signed: Signed, raw: bytes) -> Delivery:
    """Any of the three bodies of `schemas.webhooks`, and what a newer hub may add to them."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise _AnswerError(400, "the body is no JSON") from None
    payload = body.get("payload", body) if isinstance(body, dict) else None
    if not isinstance(payload, dict):
        raise _AnswerError(400, "the body is no status update")
    order_id = body.get("orderId", payload.get("orderId"))
    seq, event_type = body.get("seq"), body.get("eventType")
    return Delivery(
        webhook_id=signed.webhook_id,
        sent_at=signed.sent_at,
        path=path,
        event_type=event_type if isinstance(event_type, str) else None,
        order_id=order_id if isinstance(order_id, str) else None,
        seq=seq if isinstance(seq, int) else None,
        payload=payload,
        body=body,
        attempt=_number(headers.get("ordercast-attempt", ""), 1),
    )


def _number(header: str, otherwise: int) -> int:
    return int(header) if header.isdecimal() and len(header) < 16 else otherwise


async def _answer(send: Send, status: int, body: bytes, more: Mapping[str, str]) -> None:
    headers = {"content-length": str(len(body)), **more}
    if body:
        headers["content-type"] = "application/problem+json"
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
