"""The examples, each as a program of its own: against a hub, and with what people get wrong."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

import clients.examples
from clients.examples.ride import line
from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role
from tests.docs.shell import ROOT
from tests.hub.harness import PATIENCE, RunningHub, advance, assign, hubs, move, token

NAMES = sorted(path.stem for path in Path(clients.examples.__file__).parent.glob("[a-z]*.py"))
SHOWN = "".join((ROOT / "docs" / name).read_text() for name in ("client.md", "webhooks.md"))
NOWHERE = "http://127.0.0.1:1"


async def started(name: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"clients.examples.{name}", *arguments),
        env=os.environ | {"no_proxy": "127.0.0.1"},
        cwd=ROOT,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def told(name: str, *arguments: str) -> tuple[int, str]:
    """Its exit status, and what it said."""
    async with asyncio.timeout(PATIENCE):
        program = await started(name, *arguments)
        said, _ = await program.communicate()
        assert program.returncode is not None
        return program.returncode, said.decode()


@pytest.mark.parametrize("name", NAMES)
async def test_each_explains_itself_and_is_shown(name: str) -> None:
    """`--help` tells how an example is run; a document tells that there is one."""
    status, said = await told(name, "--help")

    assert (0, True) == (status, said.startswith(f"usage: {name}.py"))
    assert f"clients.examples.{name} " in SHOWN


async def test_an_order_is_placed_watched_and_ridden(shared_store: EmbeddedStore) -> None:
    """As docs/client.md has it: three programs, one order."""
    async with hubs(shared_store) as (hub,):
        platform = token(Role.PLATFORM)
        status, said = await told("place_order", hub.url, platform, "--restaurant", "res_9")
        assert 0 == status
        order_id, stream_token = said.split()
        order = {"orderId": order_id, "restaurantId": "res_9"}
        watching = await started("watch_order", hub.url, stream_token, order_id)
        assert watching.stdout is not None
        assert f"{order_id} is PENDING (seq 1)\n" == (await watching.stdout.readline()).decode()
        await on_the_way(hub, order)
        assert (0, "arrived; fixes rejected: none\n") == await ridden(hub, order_id)
        await advance(hub.platform, order, "COMPLETED")
        seen = (await watching.stdout.read()).decode()

    assert re.search(rf"{order_id} at 31\.2\d+,121\.4\d+ \S+ fresh", seen)
    assert seen.endswith(f"{order_id} is finished\n")
    assert 0 == await watching.wait()


async def on_the_way(hub: RunningHub, order: dict[str, str]) -> None:
    await advance(hub.platform, order, "CONFIRMED", "PREPARING")
    await assign(hub.platform, order, f"rider-{order['orderId']}")
    await move(hub.platform, order, "ON_DELIVERY")


async def ridden(hub: RunningHub, order_id: str) -> tuple[int, str]:
    rider = f"rider-{order_id}"
    carrier = token(Role.RIDER, sub=rider)
    way = ("31.2304,121.4737", "31.2306,121.4737")
    return await told("ride", hub.url, rider, carrier, *way, "--speed", "20", "--every", "0.5")


async def test_a_rider_without_an_order_is_told_so(shared_store: EmbeddedStore) -> None:
    """Nothing of his was taken."""
    async with hubs(shared_store) as (hub,):
        status, said = await ridden(hub, "none")

    assert (0, True) == (
        status,
        bool(re.fullmatch(r"arrived; fixes rejected: \d off_duty\n", said)),
    )


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("place_order", [NOWHERE, "t", "--restaurant", ""], "error: restaurant_id: "),
        ("receive_webhooks", ["--secret", "whsec_?"], "--secret: a webhook secret is"),
        ("ride", [NOWHERE, "r", "t", "1,2", "here"], "argument end: invalid point value"),
    ],
)
async def test_what_is_wrong_is_said_in_a_line(
    name: str, arguments: list[str], reason: str
) -> None:
    """Whatever it is, without a traceback."""
    status, said = await told(name, *arguments)

    assert 0 != status
    assert reason in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("place_order", ()),
        ("watch_order", ("ord_1",)),
        ("ride", ("1,2", "1,2")),
    ],
)
async def test_a_wrong_token_is_said_in_a_line(
    name: str, arguments: tuple[str, ...], shared_store: EmbeddedStore
) -> None:
    async with hubs(shared_store) as (hub,):
        who = ("rider-7",) if name == "ride" else ()
        status, said = await told(name, hub.url, *who, "wrong", *arguments)

    assert 1 == status
    assert re.fullmatch(r"(401 Unauthenticated|closed with 4501): the token is not valid.*\n", said)


def test_the_line_of_a_ride() -> None:
    """A ride starts and ends where it was told, in steps no longer than speed allows."""
    points = list(line((31.0, 121.0), (31.001, 121.0), speed=10.0, seconds=1.0))

    assert (points[0], points[-1]) == ((31.0, 121.0), (31.001, 121.0))
    assert len(points) == 13
