"""nginx as deploy/nginx configures it, on loopback ports, and an origin that counts.

async with gateway(directory, [hub.port]) as nginx:
    async with nginx.http(Role.PLATFORM) as platform: ...
"""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx2
from websockets.asyncio.client import connect

from bench.nginx import Layout, lay_out
from schemas.lifecycle import Role
from tests.hub.harness import PATIENCE, Wire, eventually, token

__all__ = ["Gateway", "Origin", "gateway"]

_BUFFERED: Final = " buffer=64k flush=1s"


class Gateway:
    """A running nginx. `log` is its access log, `errors` its error log."""

    def __init__(self, directory: Path, layout: Layout) -> None:
        self.directory = directory
        self.port = layout.port
        self.plain_port = layout.plain_port
        self.origin = f"https://localhost:{layout.port}"
        self._authority = layout.authority

    def _trusted(self) -> ssl.SSLContext:
        """A new one each time: a client that speaks HTTP/2 writes so into it."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    @property
    def log(self) -> str:
        return (self.directory / "stdout").read_text()

    async def logged(self, number: int, path: str = "/") -> list[dict[str, Any]]:
        """What is logged of paths that begin so, once it is that many: nginx writes a request's
        line when its answer was sent.
        """

        def found() -> list[dict[str, Any]] | None:
            lines = [json.loads(line) for line in self.log.splitlines(True) if line[-1] == "\n"]
            chosen = [line for line in lines if line["path"].startswith(path)]
            assert len(chosen) <= number, chosen
            return chosen if len(chosen) == number else None

        chosen: list[dict[str, Any]] = await eventually(found)
        return chosen

    @property
    def errors(self) -> str:
        return (self.directory / "stderr").read_text()

    def http(
        self, role: Role | None = None, *, http2: bool = True, **claims: Any
    ) -> httpx2.AsyncClient:
        headers = {} if role is None else {"Authorization": f"Bearer {token(role, **claims)}"}
        return httpx2.AsyncClient(
            base_url=self.origin,
            headers=headers,
            verify=self._trusted(),
            http2=http2,
            timeout=PATIENCE,
        )

    @contextlib.asynccontextmanager
    async def socket(
        self, path: str, bearer: str | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Wire]:
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        url = self.origin.replace("https", "wss") + path
        async with connect(
            url,
            ssl=self._trusted(),
            additional_headers=sent,
            subprotocols=["ordercast.v1.json"],  # type: ignore[list-item]
            compression=None,
            ping_interval=None,
            proxy=None,
            close_timeout=5,
        ) as connection:
            yield Wire(connection, "json")

    @contextlib.asynccontextmanager
    async def watching(self, order: dict[str, Any]) -> AsyncIterator[Wire]:
        """A customer's socket on one order, past its snapshot."""
        async with self.socket("/v1/stream", order["streamToken"]) as wire:
            await wire.until("welcome")
            await wire.subscribe(order["orderId"])
            yield wire


@contextlib.asynccontextmanager
async def gateway(
    directory: Path, hubs: Iterable[int], change: Callable[[str], str] = lambda text: text
) -> AsyncIterator[Gateway]:
    """nginx before hubs on these ports. `change` turns the configuration for a test."""
    layout = lay_out(directory, hubs, lambda text: change(text).replace(_BUFFERED, ""))
    async with _running(directory, layout.command):
        await eventually(lambda: _answers(layout.port))
        yield Gateway(directory, layout)


@contextlib.asynccontextmanager
async def _running(directory: Path, command: Sequence[str]) -> AsyncIterator[None]:
    with (directory / "stdout").open("ab") as out, (directory / "stderr").open("ab") as err:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=err)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Origin:
    """Stands for a hub: keeps the requests' heads, and answers each as it is told."""

    def __init__(self, answer: bytes | None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self.port = 0
        self._answer = answer
        """None: the connection is closed once the request has come."""
        self._open: set[asyncio.StreamWriter] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                self.heads.append(head)
                if self._answer is None:
                    break
                writer.write(self._answer)
        self._open.discard(writer)
        writer.close()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Origin"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.close()


OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
