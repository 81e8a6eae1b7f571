"""One socket's conversation up to what it asks for: codec, token, limits. Sans-I/O.

The transport feeds it payloads and the time, and does what it answers:

    Reply     send this message
    Verify    check this token, then call `authenticated`; or close
    Asked     an authenticated client asks for this
    Close     close the socket
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub.core.bucket import Bucket
from schemas.codes import CloseCode
from schemas.messages import MAX_MESSAGE, Auth, BadMessageError, Ping
from schemas.wire import Codec, UndecodableError, decode

__all__ = ["Asked", "Close", "Effect", "Reply", "Session", "Verify"]

AUTH_TIMEOUT: Final = 10.0
LEEWAY: Final = 30.0
"""Seconds that a token is still taken after its `exp`."""

_RATE: Final = 50.0
_BURST: Final = 300.0


@dataclass(frozen=True, slots=True)
class Reply:
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verify:
    token: str


@dataclass(frozen=True, slots=True)
class Asked:
    message: Any


@dataclass(frozen=True, slots=True)
class Close:
    code: CloseCode
    reason: str


Effect = Reply | Verify | Asked | Close


def error_message(error: BadMessageError) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "error", "code": error.code.value, "message": error.message}
    if error.echo is not None:
        message["id"] = error.echo
    return message


class Session:
    """`read` turns a decoded message into its model, or raises BadMessageError.

    Times are Unix seconds.
    """

    __slots__ = ("_bucket", "_read", "binary", "codec", "deadline", "open")

    def __init__(self, codec: Codec, read: Callable[[dict[str, Any]], Any], now: float) -> None:
        self.codec: Codec = codec
        self.binary = codec == "msgpack"
        """By which frames its messages come."""
        self.open = False
        self.deadline = now + AUTH_TIMEOUT
        """When `overdue` has something to say, unless a token comes first."""
        self._read = read
        self._bucket = Bucket(_RATE, _BURST)

    def authenticated(self, expires: float) -> None:
        self.open = True
        self.deadline = expires + LEEWAY

    def overdue(self, now: float) -> Close | None:
        if now < self.deadline:
            return None
        if self.open:
            return Close(CloseCode.TOKEN_EXPIRED, "token expired")
        return Close(CloseCode.NO_AUTH_IN_TIME, f"no auth within {AUTH_TIMEOUT:.0f} s")

    def receive(self, payload: bytes, binary: bool, now: float) -> Effect:
        """One message, as its frames brought it."""
        if len(payload) > MAX_MESSAGE:
            return Close(CloseCode.TOO_BIG, f"messages are at most {MAX_MESSAGE} bytes")
        if not self._bucket.take(now):
            return Close(CloseCode.TOO_MANY_REQUESTS, f"more than {_RATE:.0f} messages a second")
        if binary is not self.binary:
            frames = "binary" if self.binary else "text"
            return Close(CloseCode.MALFORMED, f"this subprotocol takes {frames} frames")
        try:
            data = decode(self.codec, payload)
        except UndecodableError as error:
            return Close(CloseCode.MALFORMED, str(error))
        return self._understand(data)

    def _understand(self, data: dict[str, Any]) -> Effect:
        if not self.open and data["type"] != "auth":
            return Close(CloseCode.UNAUTHENTICATED, "the first message must be auth")
        try:
            message = self._read(data)
        except BadMessageError as error:
            if not self.open:
                return Close(CloseCode.UNAUTHENTICATED, error.message)
            return Reply(error_message(error))
        if isinstance(message, Auth):
            return Verify(message.token)
        if isinstance(message, Ping):
            pong = {"type": "pong"} if message.id is None else {"type": "pong", "id": message.id}
            return Reply(pong)
        return Asked(message)
