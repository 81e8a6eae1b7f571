"""Names to addresses, with a DNS server that answers some names, and is silent about others."""

import asyncio
import gc
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pycares
import pytest
import uvloop

from hub.bridge import resolver
from hub.bridge.addresses import AddressGuard, AddressRefusedError, GuardedResolver
from hub.bridge.resolver import Resolver, literal, looks_numeric

A, AAAA = 1, 28
NXDOMAIN = 3
PATIENCE = 20.0
BOTH = {A: ["8.8.8.8", "9.9.9.9"], AAAA: ["2606:4700::1"]}
DESCRIPTORS = Path("/proc/self/fd")

Answers = dict[int, list[str]]


class Server(asyncio.DatagramProtocol):
    """RFC 1035 as far as a stub resolver needs it, over UDP.

    `names`: addresses by the type of the question; a type that is missing, as a name that begins
    with `dead`, gets no answer at all; any other name does not exist. Answers hold for an hour.
    """

    def __init__(self, **names: Answers) -> None:
        self.names = names
        self.asked: list[tuple[str, int]] = []
        self.address = ""
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, at = [], 12
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode().lower())
            at += 1 + length
        (kind,) = struct.unpack(">H", data[at + 1 : at + 3])
        self.asked.append((".".join(labels), kind))
        if labels[0].startswith("dead"):
            return
        answers = self.names.get(labels[0])
        if answers is None:
            self._answer(data[: at + 5], addr, kind, [], NXDOMAIN)
        elif kind in answers:
            self._answer(data[: at + 5], addr, kind, answers[kind])

    def _answer(
        self, query: bytes, to: tuple[str, int], kind: int, found: list[str], code: int = 0
    ) -> None:
        head = struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        body = b"".join(
            struct.pack(">HHHIH", 0xC00C, kind, 1, 3600, len(packed)) + packed
            for packed in (ip_address(each).packed for each in found)
        )
        self._transport.sendto(query[:2] + head + query[12:] + body, to)


@asynccontextmanager
async def serving(**names: Answers) -> AsyncIterator[Server]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: Server(**names), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()


def asking(server: Server, hosts: str = os.devnull) -> Resolver:
    return Resolver([server.address], Path(hosts))


async def look_up(names: Resolver, host: str, family: int = 0) -> list[str]:
    found = await names.lookup(host, socket.AddressFamily(family), deadline=PATIENCE)
    return [str(each) for each in found]


Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in a loop of its own, and ends the loop."""

    def run(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(work)

    return run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_ASK_AGAIN", 0.02)


async def test_both_families_are_asked() -> None:
    """Of a name all addresses come, by A and AAAA; of one family if one is named."""
    async with serving(live=BOTH) as server:
        names = asking(server)
        assert {"8.8.8.8", "9.9.9.9", "2606:4700::1"} == set(await look_up(names, "live.example"))
        assert {("live.example", A), ("live.example", AAAA)} == set(server.asked)
        v4 = await look_up(names, "LIVE.example.", socket.AF_INET)
        v6 = await look_up(names, "live.example", socket.AF_INET6)
    assert {"8.8.8.8", "9.9.9.9"} == set(v4)
    assert ["2606:4700::1"] == v6


@pytest.mark.usefixtures("impatient")
async def test_half_an_answer_is_one() -> None:
    """A server that is silent about AAAA does not hide the A; nor one that has no AAAA."""
    async with serving(half={A: ["8.8.8.8"]}, none={A: ["9.9.9.9"], AAAA: []}) as server:
        assert ["8.8.8.8"] == await look_up(asking(server), "half.example")
        assert ["9.9.9.9"] == await look_up(asking(server), "none.example")


@pytest.mark.parametrize(
    "host",
    [
        "unknown.example",
        "empty.example",
        "",
        ".",
        "..example",
        "a b.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "\ud800.example",
        "127.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.0.0.1.",
        "256.0.0.1",
        "1:2:3",
    ],
)
async def test_what_is_no_name_does_not_resolve(host: str) -> None:
    """A name without an address, or none at all, is a gaierror at once."""
    async with serving(empty={A: [], AAAA: []}) as server:
        with pytest.raises(socket.gaierror, match="does not resolve") as raised:
            await look_up(asking(server), host)
    assert socket.EAI_NONAME == raised.value.errno


@pytest.mark.parametrize(
    ("host", "family", "found"),
    [
        ("127.0.0.1", socket.AF_UNSPEC, ["127.0.0.1"]),
        ("127.0.0.1", socket.AF_INET, ["127.0.0.1"]),
        ("127.0.0.1", socket.AF_INET6, None),
        ("::1", socket.AF_UNSPEC, ["::1"]),
        ("fe80::1%eth0", socket.AF_UNSPEC, ["fe80::1"]),
        ("fe80::1%eth0", socket.AF_INET, None),
        ("::ffff:10.0.0.1", socket.AF_INET6, ["::ffff:a00:1"]),
    ],
)
async def test_literals_are_themselves(
    host: str, family: socket.AddressFamily, found: list[str] | None
) -> None:
    """An address is not asked for; its zone is dropped, and its family holds."""
    async with serving() as server:
        if found is None:
            with pytest.raises(socket.gaierror, match="family"):
                await look_up(asking(server), host, family)
        else:
            assert found == await look_up(asking(server), host, family)
    assert [] == server.asked


@pytest.mark.parametrize(
    ("host", "address", "numeric"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("::1", "::1", False),
        ("fe80::1%2", "fe80::1", False),
        ("127.1", None, True),
        ("0x7f000001", None, True),
        ("name.0X1", None, True),
        ("127.0.0.1.", None, True),
        ("1.name", None, False),
        ("name1", None, False),
        ("", None, False),
    ],
)
def test_spellings(host: str, address: str | None, numeric: bool) -> None:
    """What is an address, and what only some would take for one."""
    assert address == (str(literal(host)) if literal(host) else None)
    assert numeric is looks_numeric(host)


async def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    """Its names and aliases, in any case, are not asked for; a family that it lacks is."""
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "# 9.9.9.9 live.example\n"
        "127.0.0.1\tlocalhost  Partner.Example alias # live.example\n"
        "127.0.0.2 alias\n127.0.0.1 alias\n"
        "fe80::1%eth0 linked\n"
        "nonsense live.example\n\n10.0.0.1\n",
        encoding="utf-8",
    )
    async with serving(live=BOTH, alias=BOTH) as server:
        names = asking(server, str(hosts))
        assert ["127.0.0.1"] == await look_up(names, "localhost")
        assert ["127.0.0.1"] == await look_up(names, "LOCALHOST.")
        assert ["127.0.0.1"] == await look_up(names, "partner.example")
        assert ["127.0.0.1", "127.0.0.2"] == await look_up(names, "alias")
        assert ["fe80::1"] == await look_up(names, "linked")
        assert [] == server.asked
        assert ["2606:4700::1"] == await look_up(names, "alias", socket.AF_INET6)
        assert "8.8.8.8" in await look_up(names, "live.example")
        hosts.write_text("127.0.0.3 localhost", encoding="utf-8")
        assert ["127.0.0.3"] == await look_up(names, "localhost")


async def test_localhost_is_this_machine() -> None:
    """With the system's own files, and without any (RFC 6761, 6.3)."""
    async with serving() as server:
        for names in (Resolver(), asking(server), asking(server, "/nowhere/hosts")):
            found = await names.lookup("localhost", deadline=PATIENCE)
            assert all(each.is_loopback for each in found)
    assert [] == server.asked


@pytest.mark.usefixtures("impatient")
async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody answers is given up after some rounds, however far the deadline."""
    monkeypatch.setattr(resolver, "_ROUNDS", 1)
    async with serving() as server:
        with pytest.raises(socket.gaierror, match="not answered in time"):
            await look_up(asking(server), "dead.example")
    assert [("dead.example", A), ("dead.example", AAAA)] == sorted(server.asked)


async def test_the_deadline_holds() -> None:
    """Before the first question is repeated, the lookup has ended."""
    async with serving() as server:
        with pytest.raises(socket.gaierror, match="not answered in time"):
            await asking(server).lookup("dead.example", deadline=0.05)
        assert 2 == len(server.asked)
        with pytest.raises(socket.gaierror, match="not answered in time"):
            await asking(server).lookup("dead.example", deadline=0.0)


def test_thousands_of_silent_names_stop_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """While they are under way, every name that is answered resolves, in either loop."""
    monkeypatch.setattr(resolver, "_ROUNDS", 10)  # none of them is given up meanwhile

    async def work() -> None:
        async with serving(live=BOTH) as server, asyncio.TaskGroup() as group:
            names = asking(server)
            dead = [
                group.create_task(names.lookup(f"dead{number}.example", deadline=PATIENCE))
                for number in range(3000)
            ]
            await asyncio.sleep(0)
            for number in range(20):
                assert "8.8.8.8" in await look_up(names, f"live.{number}.example")
            assert not any(task.done() for task in dead)
            for task in dead:
                task.cancel()

    run(work())


def test_one_resolver_serves_loop_after_loop(run: Run) -> None:
    """It is made without a loop, and leaves nothing in one that ended in the midst of a lookup."""
    servers: list[str] = []
    names = Resolver(servers, Path(os.devnull))

    async def work() -> None:
        async with serving(live=BOTH) as server:
            servers[:] = [server.address]
            silent = asyncio.create_task(look_up(names, "dead.example"))
            assert "8.8.8.8" in await look_up(names, "live.example")
            assert not silent.done()

    run(work())
    run(work())
    gc.collect()


async def test_no_answer_outlives_its_lookup() -> None:
    """The server's hour is not kept to: each lookup asks anew, however many there are."""
    async with serving(live=BOTH) as server:
        names = asking(server)
        for _ in range(3):
            await look_up(names, "live.example", socket.AF_INET)
    assert [("live.example", A)] * 3 == server.asked


@pytest.mark.parametrize("limit", [("_SHARED_FOR", 0.0), ("_NAMES_MAX", 1)])
async def test_a_channel_is_not_shared_for_long(
    limit: tuple[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lookups side by side share what is known, until the channel is old or full."""
    async with serving(live=BOTH) as server:
        names = asking(server)
        silent = asyncio.create_task(look_up(names, "dead.example"))
        await asyncio.sleep(0)
        await look_up(names, "live.example", socket.AF_INET)
        await look_up(names, "live.example", socket.AF_INET)
        assert 1 == server.asked.count(("live.example", A))
        monkeypatch.setattr(resolver, *limit)
        await look_up(names, "live.example", socket.AF_INET)
        await look_up(names, "live.example", socket.AF_INET)
        assert 3 == server.asked.count(("live.example", A))
        silent.cancel()
        await asyncio.wait([silent])


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="counts the descriptors that Linux shows")
async def test_nothing_stays_open() -> None:
    """After lookups that were answered, refused, late and cancelled no descriptor is left."""
    async with serving(live=BOTH) as server:
        names = asking(server)
        before = len(os.listdir(DESCRIPTORS))
        for deadline in (PATIENCE, 0.01):
            tasks = [
                asyncio.create_task(names.lookup(host, deadline=deadline))
                for host in ("live.example", "unknown.example", "dead.example") * 3
            ]
            await asyncio.wait(tasks[:2])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(PATIENCE):
            # pycares closes in a thread of its own, and tells nobody.
            while len(os.listdir(DESCRIPTORS)) > before:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_no_channel_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no descriptor is left for a channel, the name does not resolve, and nothing breaks."""

    def fail(*args: object, **options: object) -> None:
        raise pycares.AresError("Failed to initialize c-ares channel")

    async with serving(live=BOTH) as server:
        names = asking(server)
        with monkeypatch.context() as patch:
            patch.setattr(resolver, "DNSResolver", fail)
            with pytest.raises(socket.gaierror, match="c-ares channel") as raised:
                await look_up(names, "live.example")
        assert socket.EAI_MEMORY == raised.value.errno
        assert "8.8.8.8" in await look_up(names, "live.example")


async def test_without_a_thread_of_c_ares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no inotify watch is left, aiodns reads the sockets in our loop instead."""

    class Channel(pycares.Channel):
        def __init__(self, **options: Any) -> None:
            self._channel = None
            if "sock_state_cb" not in options:
                raise pycares.AresError("Failed to initialize c-ares channel")
            super().__init__(**options)

    monkeypatch.setattr(pycares, "Channel", Channel)
    async with serving(live=BOTH) as server:
        names = asking(server)
        assert "8.8.8.8" in await look_up(names, "live.example")
        with pytest.raises(socket.gaierror):
            await names.lookup("dead.example", deadline=0.05)
        assert "8.8.8.8" in await look_up(names, "live.example")


async def test_the_guard_takes_what_is_not_answered_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At registration such a name is taken, by https alone; when it is dialled it is a failure."""
    monkeypatch.setattr("hub.bridge.addresses._REGISTER_DEADLINE", 0.05)
    async with serving() as server:
        guard = AddressGuard(["127.0.0.0/8"], resolver=asking(server))
        assert await guard.check("https://dead.example/") is None
        assert await guard.check("http://dead.example/") == "the URL must be https"
        dialling = GuardedResolver(guard, plain=False, deadline=0.05)
        with pytest.raises(socket.gaierror, match="not answered in time"):
            await dialling.resolve("dead.example", 443, socket.AF_UNSPEC)


async def test_the_guard_judges_both_families() -> None:
    """A private AAAA beside a public A is refused, at registration and when dialled."""
    mixed = {A: ["8.8.8.8"], AAAA: ["fd12:3456::1"]}
    async with serving(mixed=mixed, live=BOTH) as server:
        guard = AddressGuard(resolver=asking(server))
        assert "fd12:3456::1" in str(await guard.check("https://mixed.example/"))
        dialling = GuardedResolver(guard, plain=False)
        with pytest.raises(AddressRefusedError, match="fd12:3456::1"):
            await dialling.resolve("mixed.example", 443, socket.AF_UNSPEC)
        assert 3 == len(await dialling.resolve("live.example", 443, socket.AF_UNSPEC))
