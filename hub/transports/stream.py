"""`/v1/stream`: customers, merchants and the platform watch orders (contract 4)."""

from typing import Final

from hub.core.callers.claims import READERS, Claims, concerns
from hub.errors import NotFoundError, UnavailableError
from hub.services.fanout import Fanout
from hub.services.feed import Subscriber
from hub.transports.conversation import Conversation, Work
from hub.transports.upgrade import Handshake, SocketRoute
from schemas.codes import ErrorCode
from schemas.messages import MAX_SUBSCRIPTIONS, Subscribe, Unsubscribe, read_user_message

__all__ = ["routes"]


class Stream(Conversation):
    """One socket and the orders on it."""

    kind = "stream"
    __slots__ = ("_fanout", "_subscribers")

    def __init__(self, handshake: Handshake) -> None:
        super().__init__(handshake, read_user_message)
        self._fanout: Fanout = handshake.state.fanout
        self._subscribers: dict[str, Subscriber] = {}

    def admits(self, claims: Claims) -> bool:
        return claims.role in READERS

    def admitted(self) -> None:
        if self.state.degraded:
            self.socket.say({"type": "notice", "code": "degraded"})

    async def refreshed(self) -> None:
        """The new token may allow less: let go of what it does not cover, and show less at once."""
        assert self.claims is not None
        others = [
            subscriber
            for subscriber in self._subscribers.values()
            if not self.claims.is_renewal_of(subscriber.claims)
        ]
        for subscriber in others:
            self._fanout.recast(subscriber, self.claims)
            self.socket.let_go(subscriber.order_id)
        for subscriber in others:
            stored = await self.state.order_store.load(subscriber.order_id)
            here = self._subscribers.get(subscriber.order_id) is subscriber
            if here and (stored is None or not concerns(stored.state, self.claims)):
                self._leave(subscriber)
                subscriber.end("forbidden")

    def asked(self, message: Subscribe | Unsubscribe) -> Work | None:
        if isinstance(message, Subscribe):
            return self._subscribe(message)
        subscriber = self._subscribers.get(message.order_id)
        if subscriber is not None:
            self._leave(subscriber)
        self.socket.say({"type": "unsubscribed", "id": message.id, "orderId": message.order_id})
        return None

    async def _subscribe(self, asked: Subscribe) -> None:
        assert self.claims is not None
        former = self._subscribers.get(asked.order_id)
        if former is not None:  # asked anew: from the given place, in the place of the former
            self._leave(former)
        if len(self._subscribers) >= MAX_SUBSCRIPTIONS:
            self._refuse(asked)
            return
        subscriber = _Listed(self, asked, self.claims)
        self._subscribers[asked.order_id] = subscriber
        try:
            await self._fanout.subscribe(subscriber, asked.after, self.socket.say)
        except (NotFoundError, UnavailableError) as error:
            self._subscribers.pop(asked.order_id, None)
            self.fail(error, asked.id)

    def _refuse(self, asked: Subscribe) -> None:
        self.socket.say(
            {
                "type": "error",
                "id": asked.id,
                "code": ErrorCode.TOO_MANY_SUBSCRIPTIONS.value,
                "message": f"at most {MAX_SUBSCRIPTIONS} orders on one socket",
            }
        )

    def _leave(self, subscriber: Subscriber) -> None:
        self._fanout.unsubscribe(subscriber)
        self._subscribers.pop(subscriber.order_id, None)
        self.socket.let_go(subscriber.order_id)

    def forget(self, order_id: str) -> None:
        self._subscribers.pop(order_id, None)

    def ended(self) -> None:
        for subscriber in tuple(self._subscribers.values()):
            self._leave(subscriber)


class _Listed(Subscriber):
    """A subscriber that takes itself off its socket's list at the end."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream, asked: Subscribe, claims: Claims) -> None:
        super().__init__(stream.socket, asked.order_id, claims, asked.id, asked.crs == "gcj02")
        self._stream = stream

    def end(self, reason: str | None) -> None:
        super().end(reason)
        self._stream.forget(self.order_id)


routes: Final = [SocketRoute("/v1/stream", Stream)]
