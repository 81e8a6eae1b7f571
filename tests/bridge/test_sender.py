"""The sender against servers that mean no good."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from hub.bridge.addresses import AddressGuard
from hub.bridge.sender import Sender, Timeouts
from hub.core.webhooks.outcome import Reply

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A raw server on the loopback; `serve` gets each request after its head and body."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            await serve(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


async def send(url: str, total: float = 0.5) -> Reply:
    async with Sender(AddressGuard(["127.0.0.0/8"]), Timeouts(0.3, total)) as sender:
        return await sender.send(url, b"{}", {"webhook-id": "msg_1"})


def raw(*parts: bytes, pause: float = 0.0, close: bool = True) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if not close:
            await reader.read()

    return serve


@pytest.mark.parametrize(
    ("serve", "status", "error"),
    [
        (raw(OK), 200, None),
        (raw(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"), 202, None),
        (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), 204, None),
        # After the status line nothing matters: cut off, dripping, endless, undecodable.
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nok"), 200, None),
        (
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *[b"x"] * 99, pause=0.02),
            200,
            None,
        ),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65_536] * 1000), 200, None),
        (
            raw(
                b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n",
                gzip.compress(bytes(50_000_000)),
            ),
            200,
            None,
        ),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnone"), 200, None),
        (raw(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"), 302, None),
        (raw(b"HTTP/1.1 500 \r\ncontent-length: 0\r\n\r\n"), 500, None),
        (raw(), None, "the connection was closed without an answer"),
        (raw(close=False), None, "no answer within 0.5 s"),
        (raw(*[b"HTTP/1.1 200 OK\r\n", *[b"x"] * 99], pause=0.02), None, "no answer within 0.5 s"),
        (raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 99, pause=0.02), None, "no answer within 0.5 s"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), None, "the answer was not HTTP"),
        (raw(b"\x15\x03\x01\x00\x02\x02\x28"), None, "the answer was not HTTP"),
        (
            raw(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 2_000_000),
            None,
            "the answer's header is too large",
        ),
        (
            raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n"),
            None,
            "the answer's header is too large",
        ),
    ],
)
async def test_answers(serve: Serve, status: int | None, error: str | None) -> None:
    """Whatever comes back ends, in time, as a status or as a sentence."""
    began = time.monotonic()
    async with serving(serve) as url:
        reply = await send(url)
    assert (status, error) == (reply.status, reply.error)
    assert time.monotonic() - began < 2.0


async def test_hints_and_cookies() -> None:
    """Retry-After is handed on; a cookie is not sent back, and the connection is used again."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = (
            b"HTTP/1.1 503 No\r\nretry-after: 7\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
        )
        writer.write(answer)
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    async with (
        serving(serve) as url,
        Sender(AddressGuard(["127.0.0.0/8"]), Timeouts(0.3, 0.5)) as sender,
    ):
        first = await sender.send(url, b"{}", {})
        second = await sender.send(url, b"{}", {})
    assert [first.retry_after, second.retry_after] == ["7", "7"]
    assert b"cookie" not in heads[0].lower()
    assert b"accept-encoding: identity" in heads[0].lower()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", "could not connect"),
        ("https://name.invalid/", "the host's name does not resolve"),
        ("https://10.0.0.1/", "refused: 10.0.0.1 is not a public address"),
        ("https://[::1]/", "refused: ::1 is not a public address"),
        ("http://8.8.8.8/", "refused: the URL must be https"),
        ("https://[::1", "the request failed"),
        ("nonsense", "the request failed"),
    ],
)
async def test_never_reached(url: str, error: str) -> None:
    """What is not reached is told without a stack."""
    reply = await send(url)
    assert reply.status is None
    assert reply.error is not None
    assert reply.error.startswith(error)


async def test_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would be a way around the guard: it is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serving(raw(OK)) as url:
        assert (await send(url)).status == 200


async def test_plain_text_at_a_tls_port() -> None:
    """A handshake that fails is told as such."""
    async with serving(raw(OK)) as url:
        reply = await send(url.replace("http:", "https:"))
    assert reply.error == "the TLS handshake did not end within 0.3 s"


async def test_a_certificate_of_nobody() -> None:
    """A certificate that no authority of ours signed is refused, and the reason told."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reply = await send(f"https://127.0.0.1:{port}/hook", total=5.0)
    assert reply.error is not None
    assert reply.error.startswith("the certificate was not accepted")
