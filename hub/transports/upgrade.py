"""The way from uvicorn to picows: uvicorn's `ws` hook, with Starlette's own routes.

uvicorn parses the upgrade request and hands it, and the connection, to `SocketProtocol`; from
there on picows reads and writes the frames. A `WebSocketRoute` names a function from a
`Handshake` to a `Talk` as its endpoint.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined]
from starlette.routing import Match, Route

from hub.transports.socket import Socket, Talk
from schemas.codes import CloseCode
from schemas.messages import MAX_MESSAGE, SUBPROTOCOLS
from schemas.wire import Codec, codec_of

__all__ = ["MEANT", "Handshake", "SocketProtocol", "SocketRoute"]

MEANT: Final = re.compile(rb"\r\nconnection:[^\r\n]*\bupgrade\b[^\r\n]*", re.IGNORECASE)
"""The header without which an `Upgrade` is not meant for us (RFC 9110, 7.8)."""

_HANDSHAKE_TIMEOUT: Final = 10.0
_READ_BUFFER: Final = 2048


class Handshake:
    """What the upgrade request said. `state` is the application's state."""

    def __init__(
        self, request: WSUpgradeRequest, params: Mapping[str, Any], state: Any, codec: Codec
    ) -> None:
        self.headers: Mapping[str, str] = request.headers
        self.params = params
        self.state = state
        self.codec: Codec = codec


class SocketRoute(Route):
    """A path whose WebSockets are opened by `open_talk`. By plain HTTP: 426."""

    def __init__(self, path: str, open_talk: Callable[[Handshake], Talk]) -> None:
        super().__init__(path, _upgrade_required, methods=["GET"])
        self.open_talk = open_talk


async def _upgrade_required(request: Any) -> Any:
    from starlette.exceptions import HTTPException

    raise HTTPException(426, "this path speaks WebSocket", {"Upgrade": "websocket"})


class _Quiet:
    """picows makes a logger for each connection; this one for all costs nothing."""

    _logger = logging.getLogger("hub.picows")

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        return False

    def info(self, *args: Any) -> None:
        pass

    log = debug = warning = error = info  # what a peer does wrong is counted by its close code

    def exception(self, message: str, *args: Any) -> None:
        self._logger.exception(message, *args)


class SocketProtocol(WSProtocol):  # type: ignore[misc]
    """One connection that uvicorn gave away."""

    __slots__ = ("_app", "_connections")

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._app = config.app
        self._connections = server_state.connections
        super().__init__(
            None,
            None,
            False,
            self._open,
            _Quiet(),
            True,
            _HANDSHAKE_TIMEOUT,
            False,
            0,
            0,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,
            MAX_MESSAGE,
            None,
            _READ_BUFFER,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The request, whole; later bytes come by `buffer_updated`."""
        # Firefox says `keep-alive, Upgrade`; picows takes the one word alone.
        rest = memoryview(MEANT.sub(b"\r\nConnection: Upgrade", data, count=1))
        while rest:
            room = self.get_buffer(-1)
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            self.buffer_updated(size)
            rest = rest[size:]

    def shutdown(self) -> None:
        """uvicorn ends. Whatever the drain has not closed is closed now."""
        if isinstance(self.listener, Socket):
            self.listener.close(CloseCode.DRAINING, "draining")

    def _open(self, request: WSUpgradeRequest) -> Any:
        path = unquote(request.path.decode("latin-1").partition("?")[0])
        scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
        for route in self._app.routes:
            if isinstance(route, SocketRoute):
                match, child = route.matches(scope)
                if match is Match.FULL:
                    return self._accept(route, request, child["path_params"])
        return None

    def _accept(
        self, route: SocketRoute, request: WSUpgradeRequest, params: Mapping[str, Any]
    ) -> Any:
        chosen = _subprotocol(request.headers.getall("sec-websocket-protocol", ()))
        codec = codec_of(chosen)
        state = self._app.state
        talk = route.open_talk(Handshake(request, params, state, codec))
        answer = {"Sec-WebSocket-Protocol": chosen} if chosen else None
        return WSUpgradeResponseWithListener(
            WSUpgradeResponse.create_101_response(answer), Socket(state.sockets, talk, codec)
        )


def _subprotocol(offers: Iterable[str]) -> str | None:
    """The first offered one that is spoken here. The header may come several times (RFC 6455,
    11.3.4).
    """
    offered = (name.strip() for offer in offers for name in offer.split(","))
    return next((name for name in offered if name in SUBPROTOCOLS), None)
