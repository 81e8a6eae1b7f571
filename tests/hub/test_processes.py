"""The commands as a person starts them, and kills them (contract 1, 9, 10)."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hub.cli import cli
from schemas.documents import document
from tests.hub.harness import SECRET, eventually, now, order_body, status_body

PATIENCE = 30


def environment(**settings: str) -> dict[str, str]:
    """The test's environment without any setting of ours but these."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith("ORDERCAST_")}
    return clean | {f"ORDERCAST_{name.upper()}": value for name, value in settings.items()}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hub.cli", *arguments]


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Process:
    """A command that said it is ready."""

    def __init__(self, process: subprocess.Popen[str], ready: str) -> None:
        self.process = process
        self.url = ready.split()[-1]

    def kill_group(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    async def ended(self) -> int:
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), PATIENCE)


@contextlib.contextmanager
def started(*arguments: str, **settings: str) -> Iterator[Process]:
    with subprocess.Popen(
        command(*arguments),
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().strip()
            assert ready.startswith("ready "), ready
            yield Process(process, ready)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()


def up(directory: Path, **settings: str) -> contextlib.AbstractContextManager[Process]:
    return started("up", "--port", "0", "--data-dir", str(directory), **settings)


@contextlib.asynccontextmanager
async def platform(url: str, directory: Path) -> AsyncIterator[httpx2.AsyncClient]:
    signed = run("token", "--role", "platform", "--data-dir", str(directory)).stdout.strip()
    headers = {"Authorization": f"Bearer {signed}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
        yield client


@contextlib.asynccontextmanager
async def watching(url: str, order: dict[str, Any], **more: Any) -> AsyncIterator[Any]:
    """A customer's socket on one order, and the answer to its subscribe."""
    headers = {"Authorization": f"Bearer {order['streamToken']}"}
    address = url.replace("http", "ws") + "/v1/stream"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        assert "welcome" == json.loads(await socket.recv())["type"]
        asked = {"type": "subscribe", "id": 1, "orderId": order["orderId"], **more}
        await socket.send(json.dumps(asked))
        yield socket, json.loads(await socket.recv())


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "named"),
    [
        (["up"], {"nonsense": "1"}, 3, "ORDERCAST_NONSENSE"),
        (["up"], {"port": "eighty"}, 3, "ORDERCAST_PORT"),
        (["up", "--port", "99999"], {}, 3, "ORDERCAST_PORT (--port)"),
        (["up"], {"drain_seconds": "soon"}, 3, "ORDERCAST_DRAIN_SECONDS"),
        (["up"], {"webhook_allow": "here"}, 3, "ORDERCAST_WEBHOOK_ALLOW"),
        (["up"], {"allowed_origins": "*,b.example"}, 3, "ORDERCAST_ALLOWED_ORIGINS: b.example"),
        (["up"], {"webhook_allow": "127.0.0.1/8"}, 3, "ORDERCAST_WEBHOOK_ALLOW"),
        (["up"], {"durability": "some"}, 3, "ORDERCAST_DURABILITY"),
        (["up"], {"secret": ""}, 3, "ORDERCAST_SECRET"),
        (["serve"], {}, 3, "ORDERCAST_SECRET"),
        (["bridge"], {}, 3, "ORDERCAST_SECRET"),
        (["worker"], {}, 3, "ORDERCAST_SECRET"),
        (["worker"], {"secret": SECRET}, 3, "ORDERCAST_AUDIT_KEY"),
        (["up"], {"audit_key": "nonsense"}, 3, "ORDERCAST_AUDIT_KEY"),
        (["up"], {"audit_interval": "5m"}, 3, "ORDERCAST_AUDIT_INTERVAL"),
        (["up"], {"witness": "http://example.com/"}, 3, "ORDERCAST_WITNESS"),
        (["serve"], {"secret": SECRET, "redis_url": "http://x"}, 3, "ORDERCAST_REDIS_URL"),
        (["serve"], {"secret": SECRET, "redis_url": "http://x"}, 3, "redis+cluster://"),
        (["serve"], {"secret": SECRET, "redis_url": "unix:///none"}, 3, "ORDERCAST_REDIS_URL"),
        (["serve"], {"secret": SECRET, "redis_url": "redis+cluster://"}, 3, "ORDERCAST_REDIS_URL"),
        (["serve"], {"secret": SECRET, "jwks": "/none"}, 3, "ORDERCAST_JWKS"),
        (["up", "--no-such-flag"], {}, 2, "--no-such-flag"),
        (["token", "--role", "king"], {}, 2, "king"),
        (["token", "--role", "rider"], {"secret": SECRET}, 2, "--sub"),
        (["token", "--role", "ops", "--ttl", "long"], {"secret": SECRET}, 2, "--ttl"),
        (["token", "--role", "platform", "--partner", ""], {"secret": SECRET}, 2, "--partner"),
        (["token", "--role", "customer", "--order", ""], {"secret": SECRET}, 2, "--order"),
        (["token", "--role", "rider", "--sub", "\udcff"], {"secret": SECRET}, 2, "--sub"),
        (["schema", "poem"], {}, 2, "poem"),
    ],
)
def test_what_keeps_a_command_from_starting_is_named(
    arguments: list[str],
    settings: dict[str, str],
    status: int,
    named: str,
    short_dir: Path,
) -> None:
    """Exit status 3 and one line for a setting, 2 for a wrong command line."""
    if arguments[0] != "schema":
        arguments = [*arguments, "--data-dir", str(short_dir)]
    ended = run(*arguments, **{"port": "0", **settings})
    assert status == ended.returncode, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
    if status == 3:
        assert 1 == len(ended.stderr.strip().splitlines())


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "is no text")]
)
def test_a_file_that_holds_no_secret_is_named(content: bytes, said: str, short_dir: Path) -> None:
    """One line, and no traceback."""
    (short_dir / "secret").write_bytes(content)
    for words in (["serve"], ["token", "--role", "platform"]):
        ended = run(*words, "--data-dir", str(short_dir))
        told = f"ordercast: ORDERCAST_SECRET: {short_dir / 'secret'} {said}\n"
        assert (3, told) == (ended.returncode, ended.stderr)


def test_a_short_secret_is_told_of_by_the_hub_alone(short_dir: Path) -> None:
    """In its log; a token is printed and nothing else."""
    signed = run("token", "--role", "platform", secret="short")
    assert (0, "") == (signed.returncode, signed.stderr)
    away = {"redis_url": "unix:///none", "port": "0"}
    ended = run("serve", "--data-dir", str(short_dir), secret="short", **away)
    assert "ORDERCAST_SECRET is short" in ended.stderr
    ended = run("serve", "--data-dir", str(short_dir), secret=SECRET, **away)
    assert "short" not in ended.stderr


def test_every_command_takes_a_data_dir() -> None:
    """Whether it needs one or not."""
    groups = [cli]
    while groups:
        for command in groups.pop().commands.values():
            if isinstance(command, click.Group):
                groups.append(command)
            else:
                assert "data_dir" in {each.name for each in command.params}, command.name


def test_a_taken_port_and_a_taken_directory_are_named(short_dir: Path) -> None:
    """Two programs share neither."""
    with up(short_dir) as first:
        port = first.url.rsplit(":", 1)[1]
        taken = run("up", "--port", port, "--data-dir", f"{short_dir}/b")
        used = run("up", "--port", "0", "--data-dir", str(short_dir))
    assert [3, 3] == [taken.returncode, used.returncode]
    assert port in taken.stderr
    assert "in use" in used.stderr


def test_up_makes_its_secret_for_its_owner_alone(short_dir: Path) -> None:
    """DATA_DIR/secret, mode 0600, is taken again at the next start."""
    secret = short_dir / "secret"
    with up(short_dir):
        first = secret.read_text()
    with up(short_dir):
        assert first == secret.read_text()
    assert 0o600 == stat.S_IMODE(secret.stat().st_mode)


@pytest.mark.parametrize("name", ["openapi", "openapi-3.0", "asyncapi", "json-schema"])
def test_schema_prints_the_exported_document(name: str) -> None:
    """As it stands in the repository."""
    assert document(name) == json.loads(run("schema", name).stdout)


async def test_kill_9_of_everything_loses_nothing_that_was_answered(short_dir: Path) -> None:
    """Orders and events answered 2xx are there after the restart; `after` resumes exactly."""
    answered: dict[str, dict[str, Any]] = {}
    with up(short_dir) as first:
        async with platform(first.url, short_dir) as client:
            last = 0
            for number in range(30):
                placed = await client.post("/v1/orders", json=order_body())
                assert 201 == placed.status_code
                order = placed.json()
                if number % 3:
                    moved = await client.post(
                        f"/v1/orders/{order['orderId']}/status", json=status_body("CONFIRMED")
                    )
                    last = moved.json()["seq"]
                answered[order["orderId"]] = {**order, "last": last if number % 3 else 1}
        first.kill_group()
    with up(short_dir) as second:
        async with platform(second.url, short_dir) as client:
            for order_id, order in answered.items():
                found = (await client.get(f"/v1/orders/{order_id}")).json()
                assert (order["epoch"], order["last"]) == (found["epoch"], found["seq"])
                after = {"epoch": order["epoch"], "seq": 1}
                async with watching(second.url, order, after=after) as (_, answer):
                    assert answer["recovered"]
                    missed = [event["seq"] for event in answer["events"]]
                    assert list(range(2, order["last"] + 1)) == missed


async def test_sigterm_drains_and_exits_0(short_dir: Path) -> None:
    """The customer is told, closed with 1012, and the program ends in good order."""
    with up(short_dir, drain_seconds="2s") as program:
        async with platform(program.url, short_dir) as client:
            order = (await client.post("/v1/orders", json=order_body())).json()
        async with watching(program.url, order) as (socket, _):
            program.process.terminate()
            assert "draining" == json.loads(await socket.recv())["code"]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert 1012 == closed.value.rcvd.code
        assert 0 == await program.ended()


async def test_processes_of_a_procfile_share_one_store(short_dir: Path, tmp_path: Path) -> None:
    """Two hubs, a bridge and a worker: a webhook is delivered, and an unpaid order cancelled."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        told.put_nowait({"path": request.path, **await request.json()})
        return web.Response(status=202)

    server = web.Application()
    server.router.add_post("/{tail:.*}", receive)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    shared = {
        "secret": SECRET,
        "webhook_allow": "127.0.0.0/8",
        "payment_timeout": "300ms",
        "data_dir": str(short_dir),
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(up(short_dir, **{**shared, "payment_timeout": "1h"}))
        hub = stack.enter_context(started("serve", "--port", "0", **shared))
        for name in ("bridge", "worker"):
            stack.enter_context(started(name, **shared))
        signed = run("token", "--role", "platform", **shared).stdout.strip()
        headers = {"Authorization": f"Bearer {signed}"}
        async with httpx2.AsyncClient(base_url=hub.url, headers=headers) as client:
            body = order_body(
                paymentMethod="WECHAT", notificationUrl=f"http://127.0.0.1:{port}/hook"
            )
            order = (await client.post("/v1/orders", json=body)).json()
            cancelled = await asyncio.wait_for(told.get(), PATIENCE)
    await runner.cleanup()
    assert "/hook" == cancelled["path"]
    assert "order.cancelled" == cancelled["eventType"]
    assert order["orderId"] == cancelled["payload"]["orderId"]
    assert "PAYMENT_TIMEOUT" == cancelled["payload"]["reason"]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


async def test_the_operations_port_answers_alone(short_dir: Path) -> None:
    """With ORDERCAST_OPS_PORT health and metrics are there, and nowhere else."""
    ops = free_port()
    async with httpx2.AsyncClient() as client:
        with up(short_dir, ops_port=ops) as program:
            for path in ("/healthz", "/readyz", "/metrics"):
                assert 200 == (await client.get(f"http://127.0.0.1:{ops}{path}")).status_code
                assert 404 == (await client.get(program.url + path)).status_code
            for method, status in (("DELETE", 405), ("GET", 404)):
                path = "/healthz" if status == 405 else "/v1/orders"
                refused = await client.request(method, f"http://127.0.0.1:{ops}{path}")
                assert "application/problem+json" == refused.headers["Content-Type"]
                assert status == refused.status_code == refused.json()["status"]
            assert 200 == (await client.get(f"{program.url}/openapi.json")).status_code


async def test_hubs_share_a_port_if_all_of_them_say_so(short_dir: Path) -> None:
    """The kernel deals the connections out; a hub that does not say so is refused."""
    port = free_port()
    data = ("--data-dir", str(short_dir))
    shared = ("serve", *data, "--port", port, "--share-port", "true")
    with (
        started("store", "--port", free_port(), *data) as store,
        started(*shared, secret=SECRET, redis_url=store.url) as first,
        started(*shared, secret=SECRET, redis_url=store.url),
    ):
        refused = run("serve", *data, "--port", port, secret=SECRET, redis_url=store.url)
        assert (3, 1) == (refused.returncode, refused.stderr.count("\n"))
        signed = run("token", "--role", "platform", secret=SECRET).stdout.strip()
        bearer = {"Authorization": f"Bearer {signed}"}
        hubs = set()
        while len(hubs) < 2:
            url = f"ws{first.url.removeprefix('http')}/v1/stream"
            async with connect(url, additional_headers=bearer) as stream:
                hubs.add(json.loads(await stream.recv())["hub"])


async def test_fsync_waits_for_the_disk_of_a_store_elsewhere(short_dir: Path) -> None:
    """A 201 by ORDERCAST_DURABILITY=fsync is confirmed by WAITAOF."""
    port = free_port()
    settings = {"secret": SECRET, "durability": "fsync"}
    with (
        started("store", "--port", port, "--data-dir", str(short_dir)) as store,
        started("serve", "--port", "0", "--redis-url", store.url, **settings) as hub,
    ):
        signed = run("token", "--role", "platform", **settings).stdout.strip()
        headers = {"Authorization": f"Bearer {signed}"}
        async with httpx2.AsyncClient(base_url=hub.url, headers=headers) as client:
            assert 201 == (await client.post("/v1/orders", json=order_body())).status_code


async def test_an_order_is_proven_by_files_alone(short_dir: Path, tmp_path: Path) -> None:
    """What `up` told, beside what a witness saw, holds without it; and not once it was changed."""
    witness, told = tmp_path / "witness", tmp_path / "proof"
    with up(short_dir, audit_interval="50ms", witness=str(witness)) as program:
        async with platform(program.url, short_dir) as client:
            order = (await client.post("/v1/orders", json=order_body())).json()
            path = f"/v1/orders/{order['orderId']}"
            cancelled = {"status": "CANCELLED", "reason": "test", "timestamp": now()}
            assert 200 == (await client.post(f"{path}/status", json=cancelled)).status_code

            async def proof() -> str | None:
                answer = await client.get(f"{path}/proof")
                seen = witness.read_text() if witness.exists() else ""
                known = answer.json().get("head", {}).get("signature", "none") in seen
                return None if answer.json()["pending"] or not known else answer.text

            told.write_text(await eventually(proof))
    key = run("audit", "key", "--data-dir", str(short_dir)).stdout.strip()
    words = ("verify", str(told), "--key", key, "--witness", str(witness), "--strict")
    assert (0, "") == ((held := run(*words)).returncode, held.stderr)
    told.write_text(told.read_text().replace("PENDING", "CONFIRMED"))
    assert 1 == run(*words).returncode
