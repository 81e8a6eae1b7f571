"""The sender against every hostile receiver of `bench.hostile`, and what it must never do."""

import asyncio
import errno
import re
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvloop
from aiohttp.client_proto import ResponseHandler
from prometheus_client import REGISTRY

from bench.hostile import BEHAVIOURS, HEALTHY, MARGIN, Behaviour, Ends, HostileServer, Place
from hub.bridge.addresses import AddressGuard
from hub.bridge.resolver import Address, Resolver
from hub.bridge.sender import ANSWER_MAX, Sender, Timeouts
from hub.core.webhooks.outcome import Fault, Reply, Retry, Verdict, judge

ROOT = Path(__file__).parent.parent.parent
SHORT = Timeouts(connect=1.0, total=2.0)
"""For what runs into them."""
LONG = Timeouts(connect=10.0, total=20.0)
"""For what does not: no busy machine makes it."""

AT_ONCE = [name for name, each in BEHAVIOURS.items() if each.ends is Ends.AT_ONCE]
WAITED_FOR = [name for name in BEHAVIOURS if name not in AT_ONCE]
BOUNDED = [
    "continue-flood",
    "early-hints-flood",
    "endless-body",
    "endless-chunk-extension",
    "endless-chunks",
    "endless-headers",
    "endless-trailers",
    "gzip-bomb",
    "huge-header",
    "huge-reason",
    "many-headers",
]
MOST_MEMORY = 16 * 1024 * 1024

WORDS = {
    "name-unknown": "the host's name does not resolve",
    "name-tarpit": "the host's name did not resolve in time",
    "name-rebinds": "refused: the host's name leads to an address that is not public",
    "private-address": "refused: 169.254.169.254 is not a public address",
    "dead-address": "could not connect: nothing listens at the port",
    "black-hole": "no connection within 1 s",
    "tls-stall": "the TLS handshake did not end within 1 s",
    "tls-close": "the TLS handshake failed: the connection was closed",
    "tls-too-old": "the TLS handshake failed: TLS 1.2 or later is needed",
    "tls-spoken-to-plain": "the TLS handshake failed: the port does not speak TLS",
    "tls-client-certificate": (
        "the TLS handshake failed: a client certificate is asked for, and there is none"
    ),
    "tls-1-2-client-certificate": (
        "the TLS handshake failed: it was refused; perhaps a client certificate is asked for"
    ),
    "tls-expired": "the certificate was not accepted: it has expired",
    "tls-not-yet-valid": "the certificate was not accepted: it is not valid yet",
    "tls-self-signed": "the certificate was not accepted: it is self-signed",
    "tls-wrong-host": "the certificate was not accepted: it is for another host",
    "tls-no-intermediate": (
        "the certificate was not accepted: its issuer is not known, "
        "or an intermediate certificate is missing"
    ),
    "silence": "no answer within 2 s",
    "reset-before-the-answer": "the connection was reset before an answer",
    "close-before-the-answer": "the connection was closed without an answer",
    "close-in-the-header": "the connection was closed in the middle of the answer's header",
    "ssh-banner": "the answer was not HTTP",
    "huge-header": "the answer's header is too large",
}
"""One of each kind: no two faults that need different work read alike."""


class Names(AddressGuard):
    """Lets the loopback in, and answers for names as the place says."""

    def __init__(self, place: Place) -> None:
        super().__init__(["127.0.0.0/8"], resolver=Resolver(place.servers))
        self._answers = {name: list(answers) for name, answers in place.names.items()}
        self._asks = bool(place.servers)

    async def resolve(self, host: str, *rest: Any, **named: Any) -> list[Address]:
        if self._asks:
            return await super().resolve(host, *rest, **named)
        answers = self._answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(each) for each in found]


def loopback() -> AddressGuard:
    return AddressGuard(["127.0.0.0/8"])


@dataclass
class Met:
    """What one sender got from a behaviour, and from healthy servers after each request."""

    url: str
    replies: list[Reply] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    healthy: list[Reply] = field(default_factory=list)
    requests: int | None = None
    """How many arrived, where that is known."""


async def meet(behaviour: Behaviour, timeouts: Timeouts) -> Met:
    async with behaviour.place() as place, HostileServer() as elsewhere:
        guard = Names(place)
        await guard.check(place.url)  # as when it is registered
        async with Sender(guard, timeouts, place.authorities) as sender:
            met = await meet_at(place, behaviour, sender, elsewhere.url(HEALTHY))
            if place.server and behaviour.serve:
                met.requests = place.server.seen[behaviour.name]
                met.healthy.append(await sender.send(place.server.url(HEALTHY), b"{}", {}))
            return met


async def meet_at(place: Place, behaviour: Behaviour, sender: Sender, healthy: str) -> Met:
    met = Met(place.url)
    for _ in behaviour.expected:
        began = time.monotonic()
        met.replies.append(await sender.send(place.url, bytes(behaviour.body), {}))
        met.took.append(time.monotonic() - began)
        if place.server:
            await place.server.quiet()
        met.healthy.append(await sender.send(healthy, b"{}", {}))
    return met


def verdict_of(reply: Reply) -> Verdict:
    """With no pause of our own, so that what is left is what the receiver asked for."""
    return judge(reply, failures=1, age=0.0, now=time.time(), chance=0.0)


def assert_as_expected(behaviour: Behaviour, met: Met, timeouts: Timeouts) -> None:
    for expected, reply in zip(behaviour.expected, met.replies, strict=True):
        verdict = verdict_of(reply)
        assert expected.holds(verdict), reply
        if isinstance(verdict, Retry):  # a hint that is none, or asks for ages, is not followed
            assert verdict.after <= expected.not_before * 1.5, reply
        assert reply.fault is expected.fault, reply
        assert (reply.error is None) is (reply.status is not None) is (reply.fault is None)
        if reply.error is not None:
            assert_readable(reply.error, met.url)
    longest = behaviour.longest(timeouts.connect, timeouts.total)
    assert all(took < longest for took in met.took), met.took
    assert {200} == {reply.status for reply in met.healthy}, met.healthy
    # Nothing was followed, and nothing sent twice.
    assert met.requests in (None, len(met.replies))
    if behaviour.name in WORDS:
        assert met.replies[-1].error == WORDS[behaviour.name]


def assert_readable(error: str, url: str) -> None:
    """A sentence, no class name, no number of an error, and no address but the partner's own."""
    assert re.fullmatch(r"[a-z][ -~]{9,119}", error), error
    assert not re.search(r"[a-z][A-Z]|errno|_ssl|[\[\]<>]", error, re.ASCII), error
    assert all(found in url for found in re.findall(r"\d+\.\d+\.\d+\.\d+", error)), error


@pytest.fixture(scope="module")
def waited_for() -> dict[str, Met]:
    """What has to be waited for is waited for at the same time."""

    async def all_of_them() -> list[Met]:
        return await asyncio.gather(*(meet(BEHAVIOURS[name], SHORT) for name in WAITED_FOR))

    with asyncio.Runner() as runner:
        return dict(zip(WAITED_FOR, runner.run(all_of_them()), strict=True))


@pytest.mark.parametrize("name", AT_ONCE)
async def test_behaviour(name: str) -> None:
    """The verdict, the words, the time; and the sender is none the worse for it."""
    met = await meet(BEHAVIOURS[name], LONG)
    assert_as_expected(BEHAVIOURS[name], met, LONG)


@pytest.mark.parametrize("name", WAITED_FOR)
def test_behaviour_waited_for(name: str, waited_for: dict[str, Met]) -> None:
    """The same of what only a timeout ends."""
    assert_as_expected(BEHAVIOURS[name], waited_for[name], SHORT)


def test_the_table() -> None:
    """Every behaviour says what it does, what should follow, and an end in time."""
    assert len(BEHAVIOURS) >= 45
    assert {False, True} == {each.serve is None for each in BEHAVIOURS.values()}
    for name, each in BEHAVIOURS.items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert name == each.name
        assert each.what.endswith(".")
        assert each.expected
        assert each.longest(3.0, 10.0) <= 10.0 + MARGIN
    assert set(WORDS) | set(BOUNDED) <= set(BEHAVIOURS)


def test_no_two_faults_read_alike() -> None:
    """Each kind of fault has words of its own."""
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize("name", BOUNDED)
async def test_memory_is_bounded(name: str) -> None:
    """However much comes, little of it is ever held."""
    brief = Timeouts(connect=0.5, total=0.5)
    async with (
        BEHAVIOURS[name].place() as place,
        Sender(Names(place), brief) as sender,
    ):
        await sender.send(place.url, b"{}", {})  # what is made once is made now
        tracemalloc.start()
        try:
            await sender.send(place.url, b"{}", {})
            assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
        finally:
            tracemalloc.stop()


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is read of bodies."""
    parts: list[bytes] = []
    read = aiohttp.StreamReader.read

    async def spying(self: aiohttp.StreamReader, most: int = -1) -> bytes:
        parts.append(await read(self, most))
        return parts[-1]

    monkeypatch.setattr(aiohttp.StreamReader, "read", spying)
    return parts


@pytest.mark.parametrize("name", ["endless-body", "endless-chunks", "body-drip", HEALTHY])
async def test_an_answer_is_read_to_a_limit(name: str, parts: list[bytes]) -> None:
    """Never more than ANSWER_MAX bytes of a body."""
    async with BEHAVIOURS[name].place() as place, Sender(Names(place), SHORT) as sender:
        await sender.send(place.url, b"{}", {})
    assert 0 < sum(map(len, parts)) <= ANSWER_MAX


async def test_a_compressed_body_is_not_inflated(parts: list[bytes]) -> None:
    """What is read is what came."""
    await meet(BEHAVIOURS["gzip-bomb"], LONG)
    assert parts[0].startswith(b"\x1f\x8b")


async def test_little_arrives_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes no more for us than the loop can go through before it sees to others."""
    sizes: list[int] = []
    data_received = ResponseHandler.data_received

    def spying(self: ResponseHandler, data: bytes) -> None:
        sizes.append(len(data))
        data_received(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", spying)
    await meet(BEHAVIOURS["endless-body"], LONG)
    await meet(BEHAVIOURS["huge-header"], LONG)
    assert max(sizes) <= 32 * 1024


async def test_what_follows_a_status_is_not_waited_for() -> None:
    """A body that does not end in good time costs a second, not the whole timeout."""
    names = ["body-drip", "length-too-long", "bad-chunk", "oversize-chunk"]
    patient = Timeouts(connect=30.0, total=60.0)
    met = await asyncio.gather(*(meet(BEHAVIOURS[name], patient) for name in names))
    assert max(took for each in met for took in each.took) < 30.0


@contextmanager
def kit() -> Iterator[str]:
    """The kit as a program of its own; where it serves, and on what the list ends."""
    command = (sys.executable, "-m", "bench.hostile", "--port", "0")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            listed = "".join(iter(lambda: next(lines), "\n"))
            assert all(f"/{name} " in listed for name, each in BEHAVIOURS.items() if each.serve)
            yield next(lines).split()[-1].removesuffix("/NAME")
        finally:
            process.terminate()


def test_a_flood_does_not_keep_the_loop() -> None:
    """While peers send without end, timeouts are kept and a healthy peer is served.

    By uvloop, as the bridge runs: from a connection that is always ready it would take megabytes
    at a time.
    """

    async def send(origin: str) -> list[Reply]:
        async with Sender(loopback(), SHORT) as sender:
            names = [*["continue-flood", "early-hints-flood"] * 8, HEALTHY]
            sending = [sender.send(f"{origin}/{name}", b"{}", {}) for name in names]
            return await asyncio.gather(*sending)

    with kit() as origin:
        *floods, healthy = uvloop.run(send(origin))
    assert healthy.status == 200
    assert {Fault.TIMEOUT} == {flood.fault for flood in floods}
    assert max(flood.took for flood in floods) < SHORT.total + MARGIN


async def test_a_name_that_turned_private_since_it_was_registered() -> None:
    """Registration saw a public address; what is dialled is judged again."""
    async with BEHAVIOURS["name-rebinds"].place() as place:
        guard = Names(place)
        assert await guard.check(place.url) is None
        async with Sender(guard, LONG) as sender:
            reply = await sender.send(place.url, b"{}", {})
    assert reply.fault is Fault.REFUSED_ADDRESS


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_no_proxy_of_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be a way around the guard."""
    async with HostileServer() as server, HostileServer() as proxy, Sender(loopback(), LONG) as s:
        monkeypatch.setenv(variable, proxy.origin)
        reply = await s.send(server.url(HEALTHY), b"{}", {})
    assert reply.status == 200
    assert (server.connections, proxy.connections) == (1, 0)


class Failing(AddressGuard):
    """Has the dialling fail in a way that takes a network, or its lack."""

    def __init__(self, error: OSError) -> None:
        super().__init__(["127.0.0.0/8"])
        self._error = error

    def refusal(self, address: Address, *, plain: bool) -> str | None:
        raise self._error


@pytest.mark.parametrize(
    ("number", "fault", "words"),
    [
        (errno.ENETUNREACH, Fault.CONNECT, "could not connect: the host cannot be reached"),
        (errno.EHOSTUNREACH, Fault.CONNECT, "could not connect: the host cannot be reached"),
        (errno.EACCES, Fault.CONNECT, "could not connect"),
        # Ours, and nothing that should open a circuit.
        (errno.EMFILE, Fault.REQUEST, "the request failed before it was sent"),
    ],
)
async def test_not_connected(number: int, fault: Fault, words: str) -> None:
    """What the network says, and what is our own lack."""
    async with Sender(Failing(OSError(number, "as it is")), LONG) as sender:
        reply = await sender.send("http://127.0.0.1:9/hook", b"{}", {})
    assert (reply.fault, reply.error) == (fault, words)


@pytest.mark.parametrize(
    ("url", "headers", "words"),
    [
        ("nonsense", {}, "the request failed: the URL is not valid"),
        ("https://[::1", {}, "the request failed: the URL is not valid"),
        ("ftp://127.0.0.1/", {}, "the request failed: the URL is not valid"),
        ("/hook", {"x-name": "a\r\nb: c"}, "the request failed before it was sent"),
    ],
)
async def test_what_cannot_be_sent(url: str, headers: dict[str, str], words: str) -> None:
    """Is told, and is no fault of the origin."""
    async with HostileServer() as server, Sender(loopback(), LONG) as sender:
        whole = server.origin + url if url.startswith("/") else url
        reply = await sender.send(whole, b"{}", headers)
    assert (reply.fault, reply.error, reply.unreached) == (Fault.REQUEST, words, False)


@pytest.mark.parametrize("fault", Fault)
def test_what_counts_as_not_reached(fault: Fault) -> None:
    """No address, no connection, no TLS; not what is refused by us, or fails once there."""
    unreached = fault in (Fault.DNS, Fault.CONNECT, Fault.TLS)
    assert Reply(None, "so", fault=fault).unreached is unreached
    assert not Reply(200).unreached


def connections() -> tuple[float, float]:
    """Opened and reused, since this process began."""
    opened, reused = (
        REGISTRY.get_sample_value("ordercast_webhook_connections_total", {"how": how})
        for how in ("opened", "reused")
    )
    return opened or 0.0, reused or 0.0


async def count(names: Sequence[str]) -> tuple[float, float]:
    """Connections opened and reused for requests to one server, one after the other."""
    before = connections()
    async with HostileServer() as server, Sender(loopback(), LONG) as sender:
        for name in names:
            await sender.send(server.url(name), b"{}", {})
            await server.quiet()
        opened, reused = (now - then for now, then in zip(connections(), before, strict=True))
        assert opened == server.connections
    return opened, reused


async def test_connections_are_counted() -> None:
    """Opened or reused, and each request is on one of them."""
    assert (1.0, 2.0) == await count([HEALTHY] * 3)
    assert (2.0, 1.0) == await count([HEALTHY, "close-before-the-answer", HEALTHY])
    assert (2.0, 0.0) == await count(["surplus-answer", HEALTHY])
    assert (2.0, 0.0) == await count(["endless-body", HEALTHY])
