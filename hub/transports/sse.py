"""`GET /v1/orders/{id}/stream`: one order by Server-Sent Events, the same messages as the socket.

Status events carry `id: <epoch>-<seq>`, and `Last-Event-ID` resumes from there. A finished order
whose end the client has seen answers 204, which tells an EventSource to stop.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hub.core.callers.claims import READERS, Claims
from hub.core.watchers.session import LEEWAY
from hub.errors import UnauthenticatedError
from hub.metrics import EVENTS, POSITIONS_CONFLATED, SOCKETS
from hub.services.fanout import Fanout
from hub.services.feed import Subscriber
from hub.transports.exchange import caller
from hub.transports.orders import gcj02
from schemas.lifecycle import Role
from schemas.messages import After
from schemas.wire import Encode, Frames, dumps

__all__ = ["EventStream", "routes"]

_KEEPALIVE: Final = 15.0
_RETRY: Final = b"retry: 2000\n\n"
_MAX_WAITING: Final = 1_100  # all of an order's events, and then some


class EventStream:
    """The sink of one SSE client: events queue, positions replace each other."""

    def __init__(self, claims: Claims) -> None:
        self.encode: Encode = _record
        self.expires = claims.expires + LEEWAY
        self._events: deque[bytes] = deque()
        self._position: bytes | None = None
        self._wake = asyncio.Event()
        self._ending = False

    def event(self, frames: Frames) -> None:
        EVENTS.value += 1
        self._position = None  # it may be no longer for these eyes
        self._queue(frames.message, frames[_record])

    def position(self, order_id: str, encoded: bytes) -> None:
        POSITIONS_CONFLATED.value += self._position is not None
        self._position = encoded
        self._wake.set()

    def say(self, message: dict[str, Any]) -> None:
        self._queue(message, _record(message))

    def _queue(self, message: dict[str, Any], record: bytes) -> None:
        self._events.append(record)
        ended = message["type"] == "unsubscribed" or message.get("code") == "draining"
        self._ending = self._ending or ended or len(self._events) > _MAX_WAITING
        self._wake.set()

    async def records(self) -> AsyncIterator[bytes]:
        """What to write, until the stream ends, its token has run out, or it reads too slowly."""
        yield _RETRY
        while time.time() < self.expires:
            while self._events:
                yield self._events.popleft()
            if self._ending:
                return
            if self._position is not None:
                record, self._position = self._position, None
                yield record
                continue
            if not await self._woken():
                yield b": keep-alive\n\n"

    async def _woken(self) -> bool:
        self._wake.clear()
        try:
            async with asyncio.timeout(min(_KEEPALIVE, max(0.0, self.expires - time.time()))):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True


def _record(message: Any) -> bytes:
    # JSON by `dumps` has no newline, so one `data` line always does.
    return _id(message) + b"data: " + dumps(message) + b"\n\n"


def _id(message: Any) -> bytes:
    """The line that says where a client stands; a position says nothing of that."""
    if not isinstance(message, dict):
        return b""
    place = message.get("snapshot", message)
    return f"id: {place['epoch']}-{place['seq']}\n".encode() if "epoch" in place else b""


async def stream(request: Request) -> Response:
    order_id = request.path_params["order_id"]
    claims = await _caller(request, order_id)
    after = _after(request.headers.get("last-event-id"))
    state = await request.app.state.orders.get(order_id, claims)
    if state.final and after is not None and (after.epoch, after.seq) == (state.epoch, state.seq):
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=headers)
    sink = EventStream(claims)
    subscriber = Subscriber(sink, order_id, claims, None, gcj02(request))
    fanout: Fanout = request.app.state.fanout
    await fanout.subscribe(subscriber, after, sink.say)
    return StreamingResponse(
        _body(request, sink, subscriber),
        media_type="text/event-stream",
        headers=headers,
    )


async def _body(
    request: Request, sink: EventStream, subscriber: Subscriber
) -> AsyncIterator[bytes]:
    streams: set[EventStream] = request.app.state.event_streams
    streams.add(sink)
    SOCKETS["sse"].value += 1
    try:
        async for record in sink.records():
            yield record
    finally:
        SOCKETS["sse"].value -= 1
        streams.discard(sink)
        request.app.state.fanout.unsubscribe(subscriber)


async def _caller(request: Request, order_id: str) -> Claims:
    """As everywhere; or, here only, a customer's token for this one order in the query."""
    token = request.query_params.get("access_token")
    if token is None or "authorization" in request.headers:
        return await caller(request, *READERS)
    claims: Claims = await request.app.state.tokens.verify(token)
    if claims.role is not Role.CUSTOMER or claims.orders != {order_id}:
        raise UnauthenticatedError("access_token must be a customer's token for this one order")
    return claims


def _after(last_event_id: str | None) -> After | None:
    """The place that `Last-Event-ID` names; nonsense is no place, and gets the snapshot."""
    epoch, _, seq = (last_event_id or "").rpartition("-")
    if not epoch or not seq.isascii() or not seq.isdigit() or len(seq) > 15 or len(epoch) > 64:
        return None
    return After(epoch=epoch, seq=int(seq))


routes: Final = [Route("/v1/orders/{order_id}/stream", stream, methods=["GET"])]
