"""`ordercast gateway-config`: the hubs that are ready, in a file that changes only when they do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hub.services.gateway import HubList, servers
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.roster import Roster
from tests.hub.harness import SECRET, RunningHub, eventually, hubs
from tests.hub.test_processes import command, environment, run, started


@pytest.fixture
def store(short_dir: Path) -> EmbeddedStore:
    """One without anybody else's hubs."""
    return EmbeddedStore(short_dir / "store")


@pytest.fixture
async def roster(store: EmbeddedStore) -> AsyncIterator[Roster]:
    store.start()
    connection = Connection(store.url)
    yield Roster(connection)
    await connection.close()
    store.stop()


def named(path: Path) -> set[str]:
    """The addresses in the file."""
    return {line.split()[1] for line in path.read_text().splitlines() if line[:6] == "server"}


def left_in(directory: Path) -> list[str]:
    """The file, and what was written on the way to it."""
    return [each.name for each in directory.glob("*hubs.conf*")]


def test_nobody_is_a_server_that_is_down() -> None:
    """nginx refuses an `upstream` without servers."""
    assert "server 127.0.0.1:9 down;\n" in servers([])


def test_servers_are_sorted_and_each_stands_once() -> None:
    """Hubs that share a port are one server; the order of the roster makes no change."""
    text = servers(["b:2", "a:1", "b:2"])
    assert servers(["a:1", "b:2"]) == text
    assert ["a:1", "b:2"] == [line.split()[1] for line in text.splitlines()[1:]]


async def test_the_file_follows_the_hubs(
    roster: Roster, store: EmbeddedStore, short_dir: Path
) -> None:
    """One hub, a second, one that drains; the command is run once a change."""
    out, told = short_dir / "hubs.conf", short_dir / "told"
    listed = HubList(roster, out, f"sh -c 'echo x >> {told}'")
    async with AsyncExitStack() as second, hubs(store) as (one,):
        await ready(one)
        assert await listed.update()
        assert {f"127.0.0.1:{one.port}"} == named(out)
        before = out.stat()
        assert await listed.update()
        assert before == out.stat()
        (two,) = await second.enter_async_context(hubs(store))
        await ready(two)
        assert await listed.update()
        assert {f"127.0.0.1:{hub.port}" for hub in (one, two)} == named(out)
        two.state.sockets.draining = True
        assert await listed.update()
        assert {f"127.0.0.1:{one.port}"} == named(out)
    assert "x\nx\nx\n" == told.read_text()
    assert ["hubs.conf"] == left_in(short_dir)


async def ready(hub: RunningHub) -> None:
    async def looks_so() -> bool:
        return (await hub.http().get("/readyz")).status_code == 200

    await eventually(looks_so)


async def test_readiness_is_asked_for_on_the_operations_port(
    roster: Roster, store: EmbeddedStore, short_dir: Path, unused_tcp_port: int
) -> None:
    """`/readyz` is there alone."""
    async with hubs(store, ops_port=unused_tcp_port) as (hub,):
        listed = HubList(roster, short_dir / "hubs.conf")
        await eventually(listed.update)
        assert 404 == (await hub.http().get("/readyz")).status_code
        assert {f"127.0.0.1:{hub.port}"} == named(short_dir / "hubs.conf")


async def test_an_address_of_ones_own(
    roster: Roster, store: EmbeddedStore, short_dir: Path
) -> None:
    """`ORDERCAST_ADVERTISE` is what stands in the list."""
    async with hubs(store) as (hub,):
        told = f"localhost:{hub.port}"
        async with hubs(store, advertise=told):
            await ready(hub)
            await HubList(roster, short_dir / "hubs.conf").update()
        assert {told, f"127.0.0.1:{hub.port}"} == named(short_dir / "hubs.conf")


async def test_what_cannot_be_known_changes_nothing(
    roster: Roster, store: EmbeddedStore, short_dir: Path
) -> None:
    """No hub is ready, or the store is away: the gateway keeps the hubs that it has."""
    out = short_dir / "hubs.conf"
    listed = HubList(roster, out)
    assert not await listed.update()
    assert {"127.0.0.1:9"} == named(out)
    out.write_text(servers(["a:1"]))
    await roster.sign_in("hub-x", {"address": "127.0.0.1:9"}, time.time())
    assert not await listed.update()
    store.stop()
    assert not await listed.update()
    assert {"a:1"} == named(out)


@pytest.mark.parametrize("address", ["a:1; evil", "a:1 down;}", "a", ":80", None])
async def test_an_address_that_is_none_is_passed_over(
    roster: Roster, short_dir: Path, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the store does not write our configuration."""

    async def ready(*hub: object) -> bool:
        return True

    monkeypatch.setattr("hub.services.gateway._is_ready", ready)
    await roster.sign_in("hub-x", {"address": address}, time.time())
    assert not await HubList(roster, short_dir / "hubs.conf").update()
    assert {"127.0.0.1:9"} == named(short_dir / "hubs.conf")


@pytest.mark.parametrize("broken", ["false", "/no/such/command"])
async def test_a_command_that_fails_is_run_again(
    roster: Roster, store: EmbeddedStore, short_dir: Path, broken: str
) -> None:
    """Though the file is as it should be by now."""
    async with hubs(store) as (hub,):
        await ready(hub)
        listed = HubList(roster, short_dir / "hubs.conf", broken)
        assert not await listed.update()
        listed._command = ["touch", str(short_dir / "ran")]
        assert await listed.update()
    assert (short_dir / "ran").exists()


async def test_by_command(short_dir: Path) -> None:
    """`--watch` sees a hub come and go; without it, exit status 1 where there is none."""
    out = short_dir / "hubs.conf"
    data = ("--data-dir", str(short_dir))
    asked = ("gateway-config", "--out", str(out), *data)
    assert 3 == run(*asked).returncode
    with started("up", "--port", "0", *data) as up:
        port = up.url.rpartition(":")[2]
        await eventually(lambda: run(*asked).returncode == 0)
        assert {f"127.0.0.1:{port}"} == named(out)
        watching = await asyncio.create_subprocess_exec(
            *command(*asked, "--watch", "--every", "100ms"),
            env=environment(),
            stderr=asyncio.subprocess.DEVNULL,
        )
        with started("serve", "--port", "0", *data, secret=SECRET) as second:
            other = f"127.0.0.1:{second.url.rpartition(':')[2]}"
            await eventually(lambda: other in named(out))
            second.kill_group()
            await eventually(lambda: other not in named(out))
        watching.terminate()
        assert 0 == await watching.wait()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((), 2, "--out"),
        (("--out", "x", "--every", "often"), 2, "--every"),
        (("--out", "x", "--redis-url", "redis://127.0.0.1:9"), 3, "ORDERCAST_REDIS_URL"),
        (("--out", "x", "--data-dir", "/nowhere"), 3, "ORDERCAST_REDIS_URL"),
    ],
)
def test_what_keeps_it_from_starting_is_named(
    arguments: tuple[str, ...], status: int, told: str
) -> None:
    """One line, no traceback."""
    ended = run("gateway-config", *arguments)
    assert (status, True) == (ended.returncode, told in ended.stderr), ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_place_that_cannot_be_written_is_named(short_dir: Path) -> None:
    """The directory must be there."""
    data = ("--data-dir", str(short_dir))
    with started("up", "--port", "0", *data):
        ended = run("gateway-config", "--out", str(short_dir / "none" / "hubs.conf"), *data)
    assert 3 == ended.returncode
    assert "--out" in ended.stderr
    assert "Traceback" not in ended.stderr
