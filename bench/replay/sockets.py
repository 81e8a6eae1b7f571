"""The load's sockets: picows, so that the generator costs less than what it measures."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from schemas.times import format_time

__all__ = ["Customer", "Rider", "Tally"]

_ANSWERED_WITHIN: Final = 20.0


@dataclass(slots=True)
class Tally:
    """What all sockets counted. Lags in seconds, those of events by type."""

    events: int = 0
    covered: int = 0
    positions: int = 0
    holes: int = 0
    repeats: int = 0
    event_lags: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    position_lags: list[float] = field(default_factory=list)
    fixes: int = 0
    messages: int = 0
    unacked: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


async def _open(listener: "Customer | Rider", url: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    await ws_connect(
        lambda: listener,
        "ws" + url.removeprefix("http"),
        extra_headers=headers,
        websocket_handshake_timeout=_ANSWERED_WITHIN,
    )
    await asyncio.wait_for(listener.begun.wait(), _ANSWERED_WITHIN)


class Customer(WSListener):
    """One socket, one order. `sent` and `fixed` hold when things were sent, by their names."""

    def __init__(self, order_id: str, tally: Tally) -> None:
        self.order_id = order_id
        self.seq = 0
        self.sent: dict[str, float] = {}
        self.fixed: dict[str, float] = {}
        self.begun = asyncio.Event()
        self.finished = asyncio.Event()
        self._tally = tally
        self._transport: WSTransport

    async def open(self, hub: str, token: str) -> None:
        """Returns when the hub has answered with the snapshot."""
        await _open(self, f"{hub}/v1/stream", token)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        message = {"type": "subscribe", "id": 1, "orderId": self.order_id}
        transport.send(WSMsgType.TEXT, json.dumps(message).encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        if frame.msg_type != WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_bytes())
        match message["type"]:
            case "position":
                self._position(message, now)
            case "event":
                self._event(message, now)
            case "subscribed":
                self.seq = message["snapshot"]["seq"]
                self._tally.covered += self.seq
                self.begun.set()
            case "unsubscribed":
                self.finished.set()
            case "welcome" | "estimate":
                pass
            case other:
                self._tally.unexpected[message.get("code", other)] += 1

    def _event(self, message: dict[str, Any], now: float) -> None:
        self._tally.events += 1
        seq = message["seq"]
        self._tally.repeats += seq <= self.seq
        self._tally.holes += max(0, seq - self.seq - 1)
        self.seq = max(self.seq, seq)
        sent = self.sent.get(message["eventType"])
        if sent is not None:
            self._tally.event_lags[message["eventType"]].append(now - sent)

    def _position(self, message: dict[str, Any], now: float) -> None:
        self._tally.positions += 1
        sent = self.fixed.pop(message["at"], None)  # told again as stale, it has no lag
        if sent is not None:
            self._tally.position_lags.append(now - sent)

    def close(self) -> None:
        self._transport.disconnect()


class Rider(WSListener):
    """One rider's socket. `fixed` is the customer's: the moment each position was sent."""

    def __init__(self, rider_id: str, fixed: dict[str, float], tally: Tally) -> None:
        self.rider_id = rider_id
        self.begun = asyncio.Event()
        self.settled = asyncio.Event()
        self._fixed = fixed
        self._tally = tally
        self._seq = 0
        self._acked = 0
        self._at = 0.0
        self._transport: WSTransport

    async def open(self, hub: str, token: str) -> None:
        """Returns when the hub has told this rider's order."""
        await _open(self, f"{hub}/v1/riders/{self.rider_id}/stream", token)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_bytes())
        match message["type"]:
            case "orders":
                if message["orders"]:
                    self.begun.set()
            case "ack":
                self._settle(message["seq"])
            case "rejected":
                self._tally.rejected[message["reason"]] += 1
                self._settle(message["seq"])
            case "welcome" | "cadence":
                pass
            case other:
                self._tally.unexpected[message.get("code", other)] += 1

    def _settle(self, seq: int) -> None:
        self._acked = max(self._acked, seq)
        if self._acked == self._seq:
            self.settled.set()

    def send(self, places: Iterable[tuple[float, float, float]]) -> None:
        """Fixes as (seconds ago, lat, lng), oldest first, as one message; the last one is now."""
        now, moment = time.time(), time.perf_counter()
        fixes = []
        for ago, lat, lng in places:
            self._seq += 1
            self._at = max(self._at, now - ago)  # a message that went late is not overtaken
            at = format_time(self._at)
            fixes.append({"seq": self._seq, "at": at, "lat": lat, "lng": lng})
        self.settled.clear()
        self._fixed[fixes[-1]["at"]] = moment  # type: ignore[index]
        self._tally.fixes += len(fixes)
        self._tally.messages += 1
        one = len(fixes) == 1
        message = {"type": "fix", **fixes[0]} if one else {"type": "fixes", "fixes": fixes}
        self._transport.send(WSMsgType.TEXT, json.dumps(message).encode())

    def close(self) -> None:
        self._tally.unacked += self._seq - self._acked
        self._transport.disconnect()
