"""The witness: told of every head, whatever happens to it or to us."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hub.errors import StartError, UnavailableError
from hub.store.audit import AuditStore
from hub.store.connection import Connection
from hub.worker.witness import FileWitness, UrlWitness, Witnessing, witness_of
from tests.worker.auditing import RETENTION


@pytest.fixture
async def kept(connection: Connection) -> AuditStore:
    """Three heads, as far as a witness can see."""
    store = AuditStore(connection, RETENTION)
    for number in (1, 2, 3):
        await connection.ask("RPUSH", "oc:{audit}:heads", json.dumps({"number": number}))
    return store


class Partner:
    """A witness at a URL that fails as it is told to."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.answers: list[int] = []

    async def post(self, request: web.Request) -> web.Response:
        self.told.append((await request.json())["number"])
        return web.Response(status=self.answers.pop(0) if self.answers else 202)


@pytest.fixture
async def partner() -> AsyncIterator[tuple[Partner, str]]:
    partner, app = Partner(), web.Application()
    app.router.add_post("/heads", partner.post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield partner, f"http://127.0.0.1:{port}/heads"
    await runner.cleanup()


def numbers(path: Path) -> list[Any]:
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


async def test_a_file_gets_each_head_once(kept: AuditStore, tmp_path: Path) -> None:
    path = tmp_path / "heads"
    for _ in range(2):  # the second is another worker, or the same one started again
        await Witnessing(kept, FileWitness(path)).step()
    assert numbers(path) == [1, 2, 3]
    await kept._connection.ask("RPUSH", "oc:{audit}:heads", '{"number":4}')
    await Witnessing(kept, FileWitness(path)).step()
    assert numbers(path) == [1, 2, 3, 4]


async def test_killed_after_telling(
    kept: AuditStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told twice, never passed over."""

    async def killed(self: AuditStore, number: int) -> None:
        raise UnavailableError("killed")

    witness = FileWitness(tmp_path / "heads")
    with monkeypatch.context() as patch:
        patch.setattr(AuditStore, "witness", killed)
        with pytest.raises(UnavailableError):
            await Witnessing(kept, witness).step()
    await Witnessing(kept, witness).step()
    assert numbers(tmp_path / "heads") == [1, 2, 3, 1, 2, 3]


async def test_half_a_line_harms_no_other(kept: AuditStore, tmp_path: Path) -> None:
    path = tmp_path / "heads"
    path.write_text('{"num')
    await Witnessing(kept, FileWitness(path)).step()
    assert path.read_text().splitlines() == ['{"num', *(f'{{"number":{n}}}' for n in (1, 2, 3))]


async def test_a_file_that_cannot_be_written(kept: AuditStore, tmp_path: Path) -> None:
    """It is tried again, and nothing is lost."""
    path = tmp_path / "gone" / "heads"
    duty = Witnessing(kept, FileWitness(path))
    await duty.step()
    assert await kept.witnessed() == 0
    path.parent.mkdir()
    await duty.step()  # not before its time
    assert await kept.witnessed() == 0
    await Witnessing(kept, FileWitness(path)).step()
    assert numbers(path) == [1, 2, 3]


async def test_a_url_gets_each_head(kept: AuditStore, partner: tuple[Partner, str]) -> None:
    told, url = partner
    await Witnessing(kept, UrlWitness(url)).step()
    assert (told.told, await kept.witnessed()) == ([1, 2, 3], 3)


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_a_url_that_refuses(
    kept: AuditStore, partner: tuple[Partner, str], status: int
) -> None:
    """It goes on from the head that was refused."""
    told, url = partner
    told.answers = [200, status]
    await Witnessing(kept, UrlWitness(url)).step()
    assert (told.told, await kept.witnessed()) == ([1, 2], 1)
    told.answers = [status]
    await Witnessing(kept, UrlWitness(url)).step()
    assert (told.told, await kept.witnessed()) == ([1, 2, 2], 1)
    await Witnessing(kept, UrlWitness(url)).step()
    assert (told.told, await kept.witnessed()) == ([1, 2, 2, 2, 3], 3)


async def test_a_url_that_hangs_or_is_not_there(
    kept: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.witness._TIMEOUT", 0.05)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    await Witnessing(kept, UrlWitness(f"http://127.0.0.1:{port}/")).step()
    connected = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await Witnessing(kept, UrlWitness(f"http://127.0.0.1:{port}/")).step()
    assert connected.is_set()
    assert await kept.witnessed() == 0


@pytest.mark.parametrize(
    "text", ["http://example.com/", "ftp://127.0.0.1/", "https://[::1", "file:///tmp/heads"]
)
def test_what_is_no_witness(text: str) -> None:
    with pytest.raises(StartError, match="ORDERCAST_WITNESS"):
        witness_of(text)


def test_what_is_one() -> None:
    assert isinstance(witness_of("https://example.com/heads"), UrlWitness)
    assert isinstance(witness_of("http://localhost:99/heads"), UrlWitness)
    assert isinstance(witness_of("/var/heads"), FileWitness)
