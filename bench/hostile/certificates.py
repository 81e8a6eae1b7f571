"""Faults of TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import NamedTemporaryFile

import trustme

from bench.hostile.behaviour import DELIVERED, HEALTHY, PARTNER, Ends, Expected, Place
from bench.hostile.exchange import HEAD_MAX, LOOPBACK
from bench.hostile.server import HostileServer, elsewhere
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@elsewhere(DELIVERED)
async def tls_healthy() -> AsyncIterator[Place]:
    """A certificate as it should be, by the authority that the faulty ones have too."""
    async with _tls() as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_expired() -> AsyncIterator[Place]:
    """A certificate that ran out long ago."""
    async with _tls(valid=(datetime(2019, 1, 1, tzinfo=UTC), timedelta(days=365))) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_not_yet_valid() -> AsyncIterator[Place]:
    """A certificate of the future."""
    async with _tls(valid=(datetime.now(UTC) + timedelta(days=30), timedelta(days=30))) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_unknown_authority() -> AsyncIterator[Place]:
    """A certificate by an authority that nobody knows, such as one's own."""
    async with _tls() as place:
        yield replace(place, authorities="")


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_self_signed() -> AsyncIterator[Place]:
    """A certificate that is its own issuer."""
    authority = trustme.CA()
    async with _tls(chain=[authority.private_key_pem, authority.cert_pem]) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_no_intermediate() -> AsyncIterator[Place]:
    """A certificate whose issuer is a known authority's child, without the child's own."""
    authority = trustme.CA()
    leaf = authority.create_child_ca().issue_cert(PARTNER)
    chain = [leaf.private_key_pem, leaf.cert_chain_pems[0]]
    async with _tls(authority, chain=chain) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_wrong_host() -> AsyncIterator[Place]:
    """A certificate for another host."""
    async with _tls(host="another.test") as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_too_old() -> AsyncIterator[Place]:
    """What a server of TLS 1.1 says to a sender that asks for 1.2: a `protocol_version` alert."""
    async with _first_words(b"\x15\x03\x02\x00\x02\x02\x46") as port:
        yield _named(port)


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_client_certificate() -> AsyncIterator[Place]:
    """A server that wants a certificate of the sender, and says so after its handshake."""
    async with _asking_for_certificate(ssl.TLSVersion.TLSv1_3) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_1_2_client_certificate() -> AsyncIterator[Place]:
    """The same by TLS 1.2, which says so in the handshake."""
    async with _asking_for_certificate(ssl.TLSVersion.TLSv1_2) as place:
        yield place


@elsewhere(Expected(Retry, Fault.TLS), ends=Ends.CONNECT)
async def tls_stall() -> AsyncIterator[Place]:
    """A TLS port that takes the connection, and never shakes hands."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield _named(listener.getsockname()[1])


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_spoken_to_plain() -> AsyncIterator[Place]:
    """A port for TLS that answers in plain text."""
    async with _first_words(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        yield _named(port)


@elsewhere(Expected(Retry, Fault.TLS))
async def tls_close() -> AsyncIterator[Place]:
    """A TLS port that closes the connection in the handshake."""
    async with _first_words(b"") as port:
        yield _named(port)


def _named(port: int, authority: trustme.CA | None = None) -> Place:
    pem = authority.cert_pem.bytes().decode() if authority else ""
    names = {PARTNER: ((LOOPBACK,),)}
    return Place(f"https://{PARTNER}:{port}/{HEALTHY}", names, authorities=pem)


@asynccontextmanager
async def _tls(
    authority: trustme.CA | None = None,
    *,
    host: str = PARTNER,
    valid: tuple[datetime, timedelta] | None = None,
    chain: Sequence[trustme.Blob] = (),
) -> AsyncIterator[Place]:
    """A healthy server but for its certificate, which is for `host` unless it is `chain`.

    `valid`: since when, and for how long.
    """
    authority = authority or trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if chain:
        with NamedTemporaryFile() as file:
            file.write(b"".join(each.bytes() for each in chain))
            file.flush()
            context.load_cert_chain(file.name)
    else:
        since, length = valid or (None, timedelta())
        until = since and since + length
        authority.issue_cert(host, not_before=since, not_after=until).configure_cert(context)
    async with HostileServer(context=context) as server:
        yield _named(server.port, authority)


@asynccontextmanager
async def _asking_for_certificate(version: ssl.TLSVersion) -> AsyncIterator[Place]:
    """By hand: asyncio's servers close the connection before their alert is out."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(PARTNER).configure_cert(context)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED

    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(heard, said, server_side=True)
        with suppress(OSError):
            while data := await reader.read(HEAD_MAX):
                heard.write(data)
                with suppress(ssl.SSLError):
                    tls.do_handshake()
                writer.write(said.read())
        writer.close()

    async with await asyncio.start_server(shake, LOOPBACK, 0) as server:
        yield _named(server.sockets[0].getsockname()[1], authority)


@asynccontextmanager
async def _first_words(words: bytes) -> AsyncIterator[int]:
    """A port where, whatever the sender begins with, it hears `words` and no more."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(HEAD_MAX)
        writer.write(words)
        writer.close()

    async with await asyncio.start_server(speak, LOOPBACK, 0) as server:
        yield int(server.sockets[0].getsockname()[1])
