"""One HTTP attempt: bounded in every direction, and no exception for a peer's sake."""

import asyncio
import socket
import ssl
import time
from contextvars import ContextVar
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from hub.bridge import metrics
from hub.bridge.addresses import AddressGuard, AddressRefusedError, GuardedResolver
from hub.bridge.faults import Timeouts, explain
from hub.bridge.pacer import Pacer
from hub.core.webhooks.outcome import Fault, Reply

__all__ = ["ANSWER_MAX", "Sender", "Timeouts"]

ANSWER_MAX: Final = 4096
"""Bytes of an answer's body that are read at most."""

_KEEP_ALIVE: Final = 30.0
_PACE: Final = 0.002
"""Seconds between two attempts that are ended because their time is up."""

_LINGER: Final = 1.0
"""Seconds for the rest of an answer whose status is known: it only saves a connection."""
_OPENED: Final = metrics.CONNECTIONS.labels("opened")
_REUSED: Final = metrics.CONNECTIONS.labels("reused")
_WINDOW: Final = 16 * 1024
"""Bytes that the kernel takes for us, so that no flood keeps the loop with one connection."""

try:
    _VERSION = version("ordercast")
except PackageNotFoundError:  # run from a checkout
    _VERSION = "0"

HEADERS: Final = {
    "content-type": "application/json",
    "user-agent": f"ordercast/{_VERSION}",
    "accept-encoding": "identity",
}


class Sender:
    """An async context; the connections it keeps alive are closed with it.

    `authorities`: PEM of certificate authorities to trust beside the machine's own.
    """

    def __init__(self, guard: AddressGuard, timeouts: Timeouts, authorities: str = "") -> None:
        self._guard = guard
        self._timeouts = timeouts
        self._authorities = authorities
        self._ends = Pacer(_PACE)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        self._sessions = {plain: self._session(plain) for plain in (False, True)}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        """POST `body`. However it ends, it ends within the total timeout, in a Reply."""
        began = time.monotonic()
        status, wait, fault, error = None, None, None, None
        _attempt.set(attempt := _Attempt())
        session = self._sessions[url[:5].lower() == "http:"]
        try:
            async with (
                self._ends.limit(self._timeouts.total),
                session.post(
                    url, data=body, headers=HEADERS | headers, allow_redirects=False
                ) as response,
            ):
                status, wait = response.status, response.headers.get("retry-after")
                await _drain(response)
        except Exception as failure:  # whatever a stranger's server makes our client raise
            # After the status line nothing that goes wrong changes what was decided.
            if status is None:
                fault, error = explain(failure, attempt.stage, self._timeouts)
        return Reply(status, error, wait, time.monotonic() - began, fault)

    def _session(self, plain: bool) -> aiohttp.ClientSession:
        connector = _Connector(
            limit=0,  # the bridge takes turns itself; waiting here would count as the peer's time
            resolver=GuardedResolver(self._guard, plain=plain),
            ttl_dns_cache=10,
            keepalive_timeout=_KEEP_ALIVE,
            socket_factory=lambda info: self._socket(info, plain),
            ssl=_tls(self._authorities),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None,  # ours: `_ends`
                connect=self._timeouts.connect,
                sock_connect=self._timeouts.connect,
            ),
        )

    def _socket(self, info: Any, plain: bool) -> socket.socket:
        """The last gate: sees each address as it is dialled, literals included."""
        family, kind, protocol, _, address = info
        if reason := self._guard.refusal(ip_address(address[0].partition("%")[0]), plain=plain):
            raise AddressRefusedError(None, reason)
        _attempt.get().stage = Fault.CONNECT
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
        return made


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read what is short and soon there, so that the connection lives on; else let go of it."""
    left, content = ANSWER_MAX, response.content
    if content.at_eof():
        return
    async with asyncio.timeout(_LINGER):
        while left > 0 and (part := await content.read(left)):
            left -= len(part)
    if not content.at_eof():
        response.close()


class _Attempt:
    """How far one has come: `stage` is the fault that it would be to get no further."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = Fault.DNS


# Of the task that sends; what dials on its behalf, and its callbacks, see the same object.
_attempt: Final[ContextVar[_Attempt]] = ContextVar("attempt")


class _Connector(aiohttp.TCPConnector):
    """Counts connections, and uses none again on which the peer has spoken since its answer.

    What it said would be taken for the answer to a request that it has not seen.
    """

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        attempt = _attempt.get()
        connection = await super().connect(req, traces, timeout)
        while attempt.stage is Fault.DNS and _spoken_on(connection):  # not dialled just now
            connection.close()
            connection = await super().connect(req, traces, timeout)
        # Not by aiohttp's traces: they cost as much as a quarter of the request.
        (_REUSED if attempt.stage is Fault.DNS else _OPENED).inc()
        attempt.stage = Fault.TIMEOUT
        return connection


def _spoken_on(connection: Connection) -> bool:
    return connection.protocol is not None and connection.protocol.should_close


class _Handshake(ssl.SSLObject):
    """Tells when an attempt is past TCP, which nothing else does."""

    def do_handshake(self) -> None:
        if attempt := _attempt.get(None):
            attempt.stage = Fault.TLS
        super().do_handshake()


@cache
def _tls(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _Handshake
    return context
