"""A user's conversation with a hub: cursors, repeats, holes. Sans-I/O.

Feed it what happens (`connected`, `receive`, `disconnected`) and send what `outgoing` answers.
Per order, what `receive` hands out has no hole and no repeat, whatever became of connections.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from clients.updates import (
    Estimate,
    Event,
    Finished,
    Notice,
    Position,
    Refused,
    Snapshot,
    Update,
    read,
)
from schemas.codes import ErrorCode, NoticeCode
from schemas.lifecycle import EventType
from schemas.model import Crs

__all__ = ["Cursor", "UserSession"]

ANSWER_WITHIN: Final = 30.0
"""Seconds after which an unanswered `subscribe` is sent again."""

ASK_AGAIN: Final = (1.0, 5.0)
"""Seconds, at least and at most, before a subscription the hub could not serve is asked anew."""

_NEVER: Final = float("inf")
_AT_ONCE: Final = float("-inf")
_NEW_COURIER: Final = frozenset({EventType.COURIER_ASSIGNED, EventType.COURIER_UNASSIGNED})


class Cursor(NamedTuple):
    """The last event seen of an order: enough to go on after it, also in another process."""

    epoch: str
    seq: int


@dataclass(slots=True)
class _Order:
    order_id: str
    cursor: Cursor | None
    crs: Crs = "wgs84"
    request: int | None = None
    """The id of the subscription under way. None: it is live, or not yet asked for."""
    ask_at: float = _AT_ONCE
    seen_at: float = _AT_ONCE
    """The newest position's time: no older one follows it."""

    @property
    def live(self) -> bool:
        return self.request is None and self.ask_at == _NEVER

    def ask_anew(self) -> None:
        self.request, self.ask_at = None, _AT_ONCE


class UserSession:
    """`chance` answers a number in [0, 1); `now` is any clock that only goes forward, seconds.

    One that `stays` never ends, so that orders may come and go.
    """

    def __init__(self, chance: Callable[[], float], stays: bool = False) -> None:
        self._chance = chance
        self._stays = stays
        self._orders: dict[str, _Order] = {}
        self._farewells: list[dict[str, Any]] = []
        self._connected = False
        self._last_id = 0
        self.ended = False
        """Whether orders were watched and none is left: all finished, refused or given up."""
        self._handlers: Mapping[str, Callable[[Mapping[str, Any], float], list[Update]]] = {
            "subscribed": self._subscribed,
            "event": self._event,
            "position": self._position,
            "estimate": self._estimate,
            "unsubscribed": self._unsubscribed,
            "error": self._error,
            "notice": self._notice,
        }

    @property
    def orders(self) -> Mapping[str, Cursor | None]:
        """Where each order that is still watched stands."""
        return {order.order_id: order.cursor for order in self._orders.values()}

    def subscribe(self, order_id: str, after: Cursor | None = None, crs: Crs = "wgs84") -> None:
        """Watch an order, or watch it again. `after` goes on where another session stood."""
        if order_id not in self._orders:
            self._orders[order_id] = _Order(order_id, after, crs)
            self.ended = False

    def unsubscribe(self, order_id: str) -> None:
        if self._orders.get(order_id) is not None:
            self._drop(order_id)
            if self._connected:
                self._farewells.append(
                    {"type": "unsubscribe", "id": self._next_id(), "orderId": order_id}
                )

    def connected(self) -> None:
        """The hub has taken the token: everything watched is to be asked for again."""
        self._connected = True
        self._ask_all()

    def disconnected(self) -> None:
        self._connected = False
        self._farewells.clear()

    def due(self) -> float:
        """When `outgoing` will have something to say; minus infinity for now."""
        if not self._connected:
            return _NEVER
        if self._farewells:
            return _AT_ONCE
        return min((order.ask_at for order in self._orders.values()), default=_NEVER)

    def outgoing(self, now: float) -> list[dict[str, Any]]:
        """The messages to send, in order. Each is handed out once."""
        if not self._connected:
            return []
        messages, self._farewells = self._farewells, []
        asked = (order for order in self._orders.values() if order.ask_at <= now)
        return messages + [self._ask(order, now) for order in asked]

    def receive(self, message: Mapping[str, Any], now: float) -> list[Update]:
        """One decoded message of the hub. Unknown types are for newer clients: nothing follows.

        Raises HubMessageError if it lacks what its type must have.
        """
        handler = self._handlers.get(message["type"])
        return [] if handler is None else read(partial(handler, message, now))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _ask_all(self) -> None:
        for order in self._orders.values():
            order.ask_anew()

    def _ask(self, order: _Order, now: float) -> dict[str, Any]:
        if order.request is None:
            order.request = self._next_id()
        order.ask_at = now + ANSWER_WITHIN
        message: dict[str, Any] = {
            "type": "subscribe",
            "id": order.request,
            "orderId": order.order_id,
        }
        if order.cursor is not None:
            message["after"] = order.cursor._asdict()
        if order.crs != "wgs84":
            message["crs"] = order.crs
        return message

    def _drop(self, order_id: str) -> None:
        del self._orders[order_id]
        self.ended = not self._orders and not self._stays

    def _subscribed(self, message: Mapping[str, Any], now: float) -> list[Update]:
        order = self._orders.get(message["orderId"])
        if order is None or order.request is None or message["id"] != order.request:
            return []
        events = [Event.of(event) for event in message["events"]]
        snapshot = Snapshot.of(message["snapshot"], recovered=bool(message["recovered"]))
        updates: list[Update] = []
        if snapshot.recovered:
            told = self._missed(order, events, snapshot)
            if told is None:  # said to be whole, but is not: the snapshot is all there is
                snapshot = Snapshot.of(message["snapshot"], recovered=False)
            else:
                updates += told
        order.cursor = Cursor(snapshot.epoch, snapshot.seq)
        order.request, order.ask_at = None, _NEVER
        order.seen_at = snapshot.position.at if snapshot.position else _AT_ONCE
        return [*updates, snapshot]

    @staticmethod
    def _missed(order: _Order, events: Iterable[Event], snapshot: Snapshot) -> list[Event] | None:
        """The events from our cursor to the snapshot; None if one is missing."""
        if order.cursor is None or order.cursor.epoch != snapshot.epoch:
            return None
        missed = [event for event in events if event.seq > order.cursor.seq]
        expected = [(snapshot.epoch, n) for n in range(order.cursor.seq + 1, snapshot.seq + 1)]
        whole = [(event.epoch, event.seq) for event in missed] == expected
        return missed if whole and snapshot.seq >= order.cursor.seq else None

    def _event(self, message: Mapping[str, Any], now: float) -> list[Update]:
        order = self._orders.get(message["orderId"])
        if order is None or not order.live or order.cursor is None:
            return []  # the answer to `subscribe` will hold it
        event = Event.of(message)
        if event.epoch == order.cursor.epoch and event.seq <= order.cursor.seq:
            return []
        if event.epoch != order.cursor.epoch or event.seq != order.cursor.seq + 1:
            order.ask_anew()
            return []
        order.cursor = Cursor(event.epoch, event.seq)
        if event.event_type in _NEW_COURIER:
            order.seen_at = _AT_ONCE
        return [event]

    def _position(self, message: Mapping[str, Any], now: float) -> list[Update]:
        order = self._orders.get(message["orderId"])
        if order is None or not order.live:
            return []
        position = Position.of(message)
        if position.at < order.seen_at:
            return []
        order.seen_at = position.at
        return [position]

    def _estimate(self, message: Mapping[str, Any], now: float) -> list[Update]:
        order = self._orders.get(message["orderId"])
        return [Estimate.of(message)] if order is not None and order.live else []

    def _unsubscribed(self, message: Mapping[str, Any], now: float) -> list[Update]:
        order, reason = self._orders.get(message["orderId"]), message.get("reason")
        if order is None or reason is None:
            return []  # the answer to our own `unsubscribe`
        if reason == "finished":
            self._drop(order.order_id)
            return [Finished(order.order_id)]
        if reason == "forbidden":
            self._drop(order.order_id)
            return [Refused(order.order_id, reason)]
        order.cursor = None  # lost: what we know is worth nothing to the hub
        order.ask_anew()
        return []

    def _error(self, message: Mapping[str, Any], now: float) -> list[Update]:
        code, text, request = message["code"], message.get("message", ""), message.get("id")
        for order in self._orders.values():
            if request is None or order.request != request:
                continue
            if code == ErrorCode.UNAVAILABLE:
                least, most = ASK_AGAIN
                order.ask_at = now + least + self._chance() * (most - least)
                return []
            self._drop(order.order_id)
            return [Refused(order.order_id, code, text)]
        return [Notice(code, text)]

    def _notice(self, message: Mapping[str, Any], now: float) -> list[Update]:
        if message["code"] == NoticeCode.RECOVERED:
            for order in self._orders.values():
                if not order.live:
                    order.ask_at = _AT_ONCE  # no need to wait longer
        return [Notice(message["code"], message.get("message", ""))]
