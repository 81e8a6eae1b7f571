"""One WebSocket: frames in by picows, finished frames out.

There is no task and no queue for writing. A server's frames are not masked, so a message is one
frame for all its readers, and is written straight to each socket. What the kernel does not take
at once goes to the transport, whose buffer is the queue: as long as anything waits there,
positions are held back, the newest of each order only; over the limit the socket is closed with
4008 and its client resumes.
"""

import socket as net
import time
from typing import Any, Final, Protocol

import structlog
from picows.picows import WSFrame, WSListener, WSTransport

from hub.metrics import CLOSED, EVENTS, POSITIONS_CONFLATED
from schemas.codes import CloseCode
from schemas.messages import MAX_MESSAGE
from schemas.wire import ENCODERS, Codec, Encode, Frames

__all__ = ["Clock", "Socket", "Talk"]

MAX_WAITING: Final = 512 * 1024
_CLOSE_TIMEOUT: Final = 3.0
_SLOW_CLOSE_TIMEOUT: Final = 20.0
"""Seconds in which a slow reader comes to the close frame, behind all that waits for it."""

# Opcodes (RFC 6455, 5.2), as plain numbers: picows' own enumeration costs more than the rest.
_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0, 1, 2, 8
_PINGS: Final = (9, 10)
_MAX_REASON: Final = 123  # bytes (RFC 6455, 5.5)
_NEVER_SENT: Final = (1004, 1005, 1006, 1015)  # codes in no frame (RFC 6455, 7.4.1)
_MAX_FRAGMENTS: Final = 1_024

log = structlog.get_logger("hub.socket")


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message as a server's frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (0x80 | opcode, size, payload)
    if size < 65_536:
        return b"%c\x7e%b%b" % (0x80 | opcode, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (0x80 | opcode, size.to_bytes(8, "big"), payload)


def _as_text(message: Any) -> bytes:
    return frame(_TEXT, ENCODERS["json"](message))


def _as_binary(message: Any) -> bytes:
    return frame(_BINARY, ENCODERS["msgpack"](message))


_ENCODE: Final[dict[Codec, Encode]] = {"json": _as_text, "msgpack": _as_binary}


class Talk(Protocol):
    """What is said on a socket."""

    kind: str

    @property
    def deadline(self) -> float:
        """The Unix time at which `overdue` has something to say."""

    @property
    def let_in(self) -> bool:
        """Whether a token was accepted."""

    def opened(self, socket: "Socket") -> None: ...

    def received(self, payload: bytes, binary: bool) -> None: ...

    def overdue(self, now: float) -> None:
        """The deadline, or another moment given to `Clock.at`, has come."""

    def closed(self) -> None: ...


class Clock(Protocol):
    """Who looks after the open sockets: `hub.transports.sockets`."""

    def add(self, socket: "Socket") -> None: ...

    def discard(self, socket: "Socket") -> None: ...

    def at(self, moment: float, socket: "Socket") -> None:
        """Have the socket's `overdue` called at a Unix time, or soon after."""


class Socket(WSListener):
    """A listener of picows. It is also the sink of the subscribers on it."""

    __slots__ = (
        "_clock",
        "_closing",
        "_fragments",
        "_held",
        "_link",
        "_out",
        "_transport",
        "alive",
        "encode",
        "talk",
        "turn",
    )

    def __init__(self, clock: Clock, talk: Talk, codec: Codec) -> None:
        self.encode: Encode = _ENCODE[codec]
        self.talk = talk
        self.alive = True
        """Something came in since the last ping."""
        self.turn = 0
        """When it is pinged: one of those of `Sockets`."""
        self._clock = clock
        self._transport: WSTransport | None = None
        self._link: net.socket | None = None
        """To write to past the transport. The file is the transport's, not ours to close."""
        self._out: net.socket | None = None
        """The same, while it is open and nothing waits to be written."""
        self._fragments: _Fragments | None = None
        self._held: dict[str, bytes] | None = None
        """Positions, while something waits to be written."""
        self._closing = 0.0
        """When the connection is cut (Unix seconds), once the closing handshake has begun."""

    # Out

    def send(self, frames: bytes) -> None:
        """Send finished frames, in order with all others."""
        if self._out is not None:
            try:
                sent = self._out.send(frames)
            except BlockingIOError:
                sent = 0
            except OSError:  # its end is about to be told
                return
            if sent == len(frames):
                return
            frames = frames[sent:]
        self._leave(frames)

    def _leave(self, frames: bytes) -> None:
        """Leave it to the transport, which calls `pause_writing` as long as anything waits."""
        if self._transport is None or self._closing:
            return
        link = self._transport.underlying_transport
        link.write(frames)
        if link.get_write_buffer_size() > MAX_WAITING:
            self.close(CloseCode.TOO_SLOW, "reads too slowly; come back and resume")

    def say(self, message: dict[str, Any]) -> None:
        self.send(self.encode(message))

    def event(self, frames: Frames) -> None:
        EVENTS.value += 1
        # What is held may be no longer for these eyes, now that the order has moved on.
        self.let_go(frames.message["orderId"])
        self.send(frames[self.encode])

    def let_go(self, order_id: str) -> None:
        """A position of the order that is held back is not to come any more."""
        if self._held is not None:
            self._held.pop(order_id, None)

    def position(self, order_id: str, encoded: bytes) -> None:
        if self._held is None:
            self.send(encoded)
        else:
            POSITIONS_CONFLATED.value += order_id in self._held
            self._held[order_id] = encoded

    def ping(self) -> None:
        """Send a ping, or close where nothing has come since the last one."""
        if self._transport is None or self._closing:
            return
        if not self.alive:
            self.close(CloseCode.NO_PONG, "no pong")
            return
        self.alive = False
        self._transport.send_ping()

    def close(self, code: CloseCode, reason: str) -> None:
        """Begin the closing handshake; a few seconds later the connection is cut."""
        if self._transport is None or self._closing:
            return
        self._end_within(_SLOW_CLOSE_TIMEOUT if code is CloseCode.TOO_SLOW else _CLOSE_TIMEOUT)
        CLOSED.labels(str(code.value)).inc()
        text = reason.encode()[:_MAX_REASON].decode(errors="ignore").encode()
        self._transport.send_close(code.value, text)  # type: ignore[arg-type]

    def _end_within(self, seconds: float) -> None:
        self._closing, self._out = time.time() + seconds, None
        self.wake_at(self._closing)

    def wake_at(self, moment: float) -> None:
        """Have `overdue` called at a Unix time, or soon after; see `Clock.at`."""
        self._clock.at(moment, self)

    def overdue(self, now: float) -> None:
        if self._transport is None:
            return
        if not self._closing:
            self.talk.overdue(now)
        elif now >= self._closing:  # else it is a deadline of the talk's, which is over
            self._transport.underlying_transport.abort()

    # In, from picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport, link = transport, transport.underlying_transport
        file = link.get_extra_info("socket").fileno()
        self._link = net.socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TCP, fileno=file)
        link.set_write_buffer_limits(high=0)
        self._reopen()
        self._clock.add(self)
        self.talk.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.alive = True
        kind: int = frame.msg_type  # type: ignore[assignment]
        whole = (kind == _TEXT or kind == _BINARY) and frame.fin  # noqa: SIM109  faster
        reserved = frame.rsv1 or frame.rsv2 or frame.rsv3
        if whole and not reserved and self._fragments is None and not self._closing:
            self.talk.received(frame.get_payload_as_bytes(), kind == _BINARY)
        else:
            self._on_other_frame(transport, frame, kind)

    def _on_other_frame(self, transport: WSTransport, frame: WSFrame, kind: int) -> None:
        if kind == _CLOSE:
            self._on_close(transport, frame)
        elif self._closing or kind in _PINGS:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.close(CloseCode.PROTOCOL_ERROR, "no extension was negotiated")
        else:
            self._on_fragment(frame, kind)

    def _on_close(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self._closing:
            self._end_within(_CLOSE_TIMEOUT)  # also of who reads nothing any more
            code = int(frame.get_close_code()) or CloseCode.NORMAL.value  # type: ignore[call-overload]
            if code in _NEVER_SENT or not 1000 <= code < 5000:
                code = CloseCode.PROTOCOL_ERROR.value
            transport.send_close(code)  # type: ignore[arg-type]
        transport.disconnect()

    def _on_fragment(self, frame: WSFrame, kind: int) -> None:
        if (self._fragments is None) is (kind == _CONTINUATION):
            self.close(CloseCode.MALFORMED, "fragments out of order")
            return
        message = self._fragments
        if message is None:
            message = self._fragments = _Fragments(kind == _BINARY)
        message.add(frame.get_payload_as_bytes())
        if len(message.payload) > MAX_MESSAGE:
            self.close(CloseCode.TOO_BIG, f"messages are at most {MAX_MESSAGE} bytes")
        elif message.number > _MAX_FRAGMENTS:
            self.close(CloseCode.TOO_MANY_REQUESTS, "too many fragments")
        elif frame.fin:
            self._fragments = None
            self.talk.received(bytes(message.payload), message.binary)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._link is not None:
            self._link.detach()
        self._transport = self._link = self._out = self._held = None
        self._clock.discard(self)
        self.talk.closed()

    def pause_writing(self) -> None:
        self._out, self._held = None, {}

    def resume_writing(self) -> None:
        held, self._held = self._held, None
        self._reopen()
        for encoded in (held or {}).values():
            self.send(encoded)

    def _reopen(self) -> None:
        if not self._closing and self._held is None:
            self._out = self._link


class _Fragments:
    """A message that comes in pieces."""

    __slots__ = ("binary", "number", "payload")

    def __init__(self, binary: bool) -> None:
        self.binary = binary
        self.number = 0
        self.payload = bytearray()

    def add(self, payload: bytes) -> None:
        self.number += 1
        self.payload += payload
