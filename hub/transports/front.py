"""A connection's first bytes decide what it is: a WebSocket, or HTTP.

An upgrade that comes whole, as nearly all do, goes straight to the WebSocket. uvicorn would parse
it, write it out again and have it parsed a second time, which is a good part of what a connection
costs. Whatever comes in pieces takes that longer way.
"""

import asyncio
import re
from typing import Any, Final, cast

from hub.transports.limits import HEAD_TIMEOUT, LimitedHttp
from hub.transports.upgrade import MEANT, SocketProtocol

__all__ = ["Front"]

_MAX_UPGRADE: Final = 8 * 1024
_UPGRADE: Final = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)


def _is_upgrade(data: bytes) -> bool:
    """An `Upgrade` that `Connection` does not name was meant for another hop (RFC 9110, 7.8)."""
    whole = data.endswith(b"\r\n\r\n") and len(data) <= _MAX_UPGRADE
    if not whole or not data.startswith(b"GET "):
        return False
    return _UPGRADE.search(data) is not None and MEANT.search(data) is not None


class Front(asyncio.Protocol):
    """Made by uvicorn for each connection, with what its own protocols get."""

    __slots__ = ("_connections", "_for_uvicorn", "_timer", "_transport")

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._for_uvicorn = config, server_state, app_state
        self._connections = server_state.connections
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, transport.close)

    def data_received(self, data: bytes) -> None:
        self._gone()
        make: Any = SocketProtocol if _is_upgrade(data) else LimitedHttp
        protocol = make(*self._for_uvicorn)
        protocol.connection_made(self._transport)
        self._transport.set_protocol(protocol)
        protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone()

    def _gone(self) -> None:
        self._timer.cancel()
        self._connections.discard(self)

    def shutdown(self) -> None:
        """uvicorn ends, and nothing has come."""
        self._transport.close()
