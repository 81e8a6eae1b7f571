"""The client of docs/client.md works, across lost connections."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hub.store.embedded import EmbeddedStore
from schemas.codes import CloseCode, comes_back
from tests.docs.shell import BLOCK, free_port, outputs
from tests.docs.test_tutorial import BLOCKS as TUTORIAL
from tests.hub.harness import PATIENCE, advance, hubs, place

TEXT = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
(CODE,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)

CLIENT: dict[str, Any] = {"__name__": "client"}
exec(CODE, CLIENT)

WELCOME = {"type": "welcome", "reconnect": {"min": 0.0, "max": 0.0}}


def event(seq: int, epoch: str = "e") -> dict[str, Any]:
    return {"type": "event", "epoch": epoch, "seq": seq, "status": "PENDING"}


def subscribed(seq: int, *events: dict[str, Any], recovered: bool = True) -> dict[str, Any]:
    snapshot = {"epoch": "e", "seq": seq, "status": "PENDING"}
    return {
        "type": "subscribed",
        "recovered": recovered,
        "snapshot": snapshot,
        "events": list(events),
    }


class Told:
    """A hub that says what it was told to, one connection after the other, and then hangs up."""

    def __init__(self, *connections: tuple[list[dict[str, Any]], int]) -> None:
        self.connections = list(connections)
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, socket: ServerConnection) -> None:
        messages, code = self.connections.pop(0)
        await socket.send(json.dumps(WELCOME))
        self.asked.append(json.loads(await socket.recv()))
        for message in messages:
            await socket.send(json.dumps(message))
        await socket.close(code)


async def seen(hub: Told) -> list[int]:
    """The seqs that the client hands out, to its end."""
    async with serve(hub, "127.0.0.1", 0) as server, asyncio.timeout(PATIENCE):
        port = server.sockets[0].getsockname()[1]
        watching = CLIENT["watch"](f"ws://127.0.0.1:{port}", "token", "ord_1")
        return [news["seq"] async for news in watching]


FINISHED = {"type": "unsubscribed", "orderId": "ord_1", "reason": "finished"}


async def test_it_comes_back_to_where_it_was() -> None:
    """What was missed is handed out once, and what it does not know is passed over."""
    hub = Told(
        ([subscribed(1, recovered=False), {"type": "new"}, event(2)], 1012),
        ([subscribed(4, event(3), event(4)), event(5), FINISHED], 1000),
    )
    assert [1, 2, 3, 4, 5] == await seen(hub)
    assert ["after" in asked for asked in hub.asked] == [False, True]
    assert {"epoch": "e", "seq": 2} == hub.asked[1]["after"]


@pytest.mark.parametrize("wrong", [event(3), event(2, "other")])
async def test_it_believes_no_hole_and_no_other_epoch(wrong: dict[str, Any]) -> None:
    """It asks again from the last it had."""
    hub = Told(
        ([subscribed(1, recovered=False), wrong], 1000),
        ([subscribed(3, event(2), event(3)), FINISHED], 1000),
    )
    assert [1, 2, 3] == await seen(hub)
    assert {"epoch": "e", "seq": 1} == hub.asked[1]["after"]


async def test_it_comes_back_while_the_store_is_away() -> None:
    away = {"type": "error", "id": 1, "code": "unavailable", "message": "later"}
    hub = Told(([away], 1000), ([subscribed(1, recovered=False), FINISHED], 1000))
    assert [1] == await seen(hub)


async def test_it_says_what_was_refused() -> None:
    refused = {"type": "error", "id": 1, "code": "not_found", "message": "there is no such order"}
    with pytest.raises(RuntimeError, match="there is no such order"):
        await seen(Told(([refused], 1000)))


async def test_it_does_not_come_back_after_a_code_that_forbids_it() -> None:
    with pytest.raises(ConnectionClosed):
        await seen(Told(([], CloseCode.UNAUTHENTICATED)))


def test_it_reads_close_codes_as_the_protocol_does() -> None:
    codes = range(1000, 5000)
    assert [comes_back(code) for code in codes] == [CLIENT["comes_back"](code) for code in codes]


async def test_it_runs_as_it_stands(shared_store: EmbeddedStore) -> None:
    """On a hub, to the order's end."""
    async with hubs(shared_store) as (hub,), asyncio.timeout(PATIENCE):
        order = await place(hub.platform)
        told = {
            "HUB": hub.url.replace("http", "ws"),
            "TOKEN": order["streamToken"],
            "ORDER": order["orderId"],
        }
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CODE), env=os.environ | told, stdout=PIPE
        )
        assert client.stdout is not None
        assert b"1 PENDING\n" == await client.stdout.readline()
        await advance(hub.platform, order, "CONFIRMED", "CANCELLED")
        assert b"2 CONFIRMED\n3 CANCELLED\n" == await client.stdout.read()
        assert 0 == await client.wait()


@pytest.mark.timeout(120)
def test_the_programs_to_try(tmp_path: Path, short_dir: Path) -> None:
    """They run after the tutorial's start and its words, as they stand."""
    (programs, _), *others = BLOCK.findall(TEXT)
    assert not others
    start, words = (code for code, _ in TUTORIAL[1:3])
    settings = {"port": str(free_port()), "data_dir": str(short_dir)}
    *_, said, _ = outputs(
        [start, words, programs, "kill $SERVER\nwait $SERVER"], tmp_path, **settings
    )

    assert "arrived; fixes rejected: none\n" in said
    assert '"status":"COMPLETED"}\n' in said
    assert " is finished\n" in said
