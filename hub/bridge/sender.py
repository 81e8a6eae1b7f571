"""One HTTP attempt: bounded in every direction, and no exception for a peer's sake."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from hub.bridge.addresses import AddressGuard, AddressRefusedError, GuardedResolver
from hub.core.outcome import Reply

__all__ = ["Sender", "Timeouts"]

ANSWER_MAX: Final = 4096
_KEEP_ALIVE: Final = 30.0

try:
    _VERSION = version("ordercast")
except PackageNotFoundError:  # run from a checkout
    _VERSION = "0"

HEADERS: Final = {
    "content-type": "application/json",
    "user-agent": f"ordercast/{_VERSION}",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to resolve, connect and shake hands; and for all of it, by the wall clock."""

    connect: float = 3.0
    total: float = 10.0


class Sender:
    """An async context; the connections it keeps alive are closed with it."""

    def __init__(self, guard: AddressGuard, timeouts: Timeouts) -> None:
        self._guard = guard
        self._timeouts = timeouts
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
        status, error, wait = None, None, None
        session = self._sessions[url[:5].lower() == "http:"]
        try:
            async with (
                asyncio.timeout(self._timeouts.total),
                session.post(
                    url, data=body, headers=HEADERS | headers, allow_redirects=False
                ) as response,
            ):
                status, wait = response.status, response.headers.get("retry-after")
                await _drain(response)
        except Exception as failure:  # whatever a stranger's server makes our client raise
            # After the status line nothing that goes wrong changes what was decided.
            error = None if status is not None else _describe(failure)
        return Reply(status, error, wait, time.monotonic() - began)

    def _session(self, plain: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # the bridge takes turns itself; waiting here would count as the peer's time
            resolver=GuardedResolver(self._guard, plain=plain),
            ttl_dns_cache=10,
            keepalive_timeout=_KEEP_ALIVE,
            socket_factory=lambda info: self._socket(info, plain),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=self._timeouts.total,
                connect=self._timeouts.connect,
                sock_connect=self._timeouts.connect,
            ),
        )

    def _socket(self, info: Any, plain: bool) -> socket.socket:
        """The last gate: sees each address as it is dialled, literals included."""
        family, kind, protocol, _, address = info
        if reason := self._guard.refusal(ip_address(address[0].partition("%")[0]), plain=plain):
            raise AddressRefusedError(None, reason)
        return socket.socket(family, kind, protocol)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read what is short to the end, so that the connection lives on; else let go of it."""
    left = ANSWER_MAX
    while left > 0 and (part := await response.content.read(left)):
        left -= len(part)
    if not response.content.at_eof():
        response.close()


def _describe(failure: Exception) -> str:
    """A sentence for the partner: no address of ours, no stack."""
    match failure:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate was not accepted: {failure.certificate_error}"
        case aiohttp.ClientConnectorDNSError(os_error=AddressRefusedError() as refused):
            return f"refused: {refused.strerror}"
        case aiohttp.ClientConnectorError(os_error=AddressRefusedError() as refused):
            return f"refused: {refused.strerror}"
        case aiohttp.ClientConnectorDNSError():
            return "the host's name does not resolve"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "the TLS handshake failed"
        case aiohttp.ClientConnectorError():
            return f"could not connect: {failure.os_error.strerror or 'no route'}"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "the connection was closed without an answer"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "the answer was not HTTP"
        case _:
            return f"the request failed ({type(failure).__name__})"
