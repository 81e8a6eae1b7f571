"""What the two socket protocols have in common: who is let in, one thing after the other."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from hub.core.callers.claims import Claims
from hub.core.callers.origins import may_connect
from hub.core.watchers.session import Asked, Close, Effect, Reply, Session, Verify
from hub.errors import NotFoundError, UnauthenticatedError, UnavailableError
from hub.transports.exchange import bearer
from hub.transports.socket import Socket
from hub.transports.upgrade import Handshake
from schemas.codes import CloseCode, ErrorCode
from schemas.messages import MAX_MESSAGE

__all__ = ["Conversation", "Work", "reconnect_window"]

_BACKLOG: Final = 512

Work = Coroutine[Any, Any, None]
"""What takes time; the messages that come meanwhile wait for it."""

log = structlog.get_logger("hub.socket")


def reconnect_window() -> dict[str, float]:
    """Seconds of full jitter before a client comes back."""
    return {"min": 0.5, "max": 20.0}


class Conversation(ABC):
    """Messages are handled in the order in which they came, each when the one before is done."""

    kind: str

    __slots__ = (
        "_backlog",
        "_foreign",
        "_token",
        "_work",
        "claims",
        "session",
        "socket",
        "state",
    )

    def __init__(self, handshake: Handshake, read: Callable[[dict[str, Any]], Any]) -> None:
        self.state = handshake.state
        self.session = Session(handshake.codec, read, time.time())
        self.claims: Claims | None = None
        self.socket: Socket
        self._token = bearer(handshake.headers)
        self._foreign = not _may_connect(handshake, self.state.settings.allowed_origins)
        self._backlog: deque[tuple[bytes, bool]] | None = None
        self._work: asyncio.Task[None] | None = None

    # For the protocol

    @abstractmethod
    def admits(self, claims: Claims) -> bool:
        """Whether a token is good for this path."""

    @abstractmethod
    def admitted(self) -> Work | None:
        """The first good token has come, and `welcome` is said."""

    @abstractmethod
    def refreshed(self) -> Work | None:
        """A later good token has come."""

    @abstractmethod
    def asked(self, message: Any) -> Work | None:
        """Do what the client asks for."""

    @abstractmethod
    def ended(self) -> None:
        """The socket is gone."""

    # From the socket

    @property
    def deadline(self) -> float:
        return self.session.deadline

    @property
    def let_in(self) -> bool:
        return self.claims is not None

    def opened(self, socket: Socket) -> None:
        self.socket = socket
        if self._foreign:
            socket.close(CloseCode.FORBIDDEN, "this origin is not allowed")
            return
        token, self._token = self._token, None
        if token is not None:
            self._start(self._check(token))
        if self.claims is None:
            socket.wake_at(self.session.deadline)

    def received(self, payload: bytes, binary: bool) -> None:
        if self._work is None:
            self._handle(payload, binary)
        elif self._backlog is None:
            self._backlog = deque([(payload, binary)])
        elif len(self._backlog) < _BACKLOG:
            self._backlog.append((payload, binary))
        else:
            self.socket.close(CloseCode.TOO_MANY_REQUESTS, "too many messages at once")

    def overdue(self, now: float) -> None:
        close = self.session.overdue(now)
        if close is not None:
            self.socket.close(close.code, close.reason)

    def closed(self) -> None:
        self._backlog = None
        if self._work is not None:
            self._work.cancel()
        self.ended()

    # One thing after the other

    def _handle(self, payload: bytes, binary: bool) -> None:
        self._start(self._do(self.session.receive(payload, binary, time.time())))

    def _do(self, effect: Effect) -> Work | None:
        match effect:
            case Reply(message):
                self.socket.say(message)
            case Verify(token):
                return self._check(token)
            case Asked(message):
                return self.asked(message)
            case Close(code, reason):
                self.socket.close(code, reason)
        return None

    def _start(self, work: Work | None) -> None:
        if work is not None:
            self._work = asyncio.create_task(self._run(work))

    async def _run(self, work: Work) -> None:
        try:
            await work
        except UnavailableError:
            self.socket.close(CloseCode.TRY_LATER, "the store is away")
        except Exception:
            log.exception("conversation failed", kind=self.kind)
            self.socket.close(CloseCode.INTERNAL, "internal error")
        self._work = None
        while self._backlog and self._work is None:
            self._handle(*self._backlog.popleft())
        self._backlog = self._backlog or None

    def _check(self, token: str) -> Work | None:
        """Most tokens are known at once; a task for each would cost more than the check."""
        try:
            claims = self.state.tokens.verify_own(token)
        except UnauthenticatedError as error:
            self.socket.close(CloseCode.UNAUTHENTICATED, error.detail)
            return None
        return self._verify(token) if claims is None else self._let_in(claims)

    async def _verify(self, token: str) -> None:
        try:
            claims = await self.state.tokens.verify(token)
        except UnauthenticatedError as error:
            self.socket.close(CloseCode.UNAUTHENTICATED, error.detail)
            return
        work = self._let_in(claims)
        if work is not None:
            await work

    def _let_in(self, claims: Claims) -> Work | None:
        if not self.admits(claims):
            self.socket.close(CloseCode.FORBIDDEN, f"not for this {claims.role}")
            return None
        first, self.claims = self.claims is None, claims
        self.session.authenticated(claims.expires)
        self.socket.wake_at(self.session.deadline)
        if not first:
            return self.refreshed()
        self.socket.say(self._welcome())
        return self.admitted()

    def _welcome(self) -> dict[str, Any]:
        return {
            "type": "welcome",
            "hub": self.state.hub_id,
            "ping": self.state.sockets.ping_seconds,
            "maxMessage": MAX_MESSAGE,
            "reconnect": reconnect_window(),
        }

    def fail(self, error: NotFoundError | UnavailableError, echo: Any) -> None:
        """Answer a request that failed; the socket stays."""
        missing = isinstance(error, NotFoundError)
        code = ErrorCode.NOT_FOUND if missing else ErrorCode.UNAVAILABLE
        text = "there is no such order" if missing else "the store is away; try again"
        message = {"type": "error", "code": code.value, "message": text}
        self.socket.say(message if echo is None else {**message, "id": echo})


def _may_connect(handshake: Handshake, allowed: tuple[str, ...]) -> bool:
    """Browsers name their page's origin; other clients name none and are let in."""
    origin = handshake.headers.get("origin")
    return origin is None or may_connect(origin, handshake.headers.get("host"), allowed)
