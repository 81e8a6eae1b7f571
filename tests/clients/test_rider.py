from typing import Any

import pytest

from clients.errors import ClosedError
from clients.rider import RiderClient
from clients.updates import Acked, Cadence, Orders
from schemas.wire import Codec
from tests.clients.fake_hub import FakeHub, answer_rider
from tests.clients.orders import Message


def riding(hub: FakeHub, **options: Any) -> RiderClient:
    hub.answer = answer_rider
    options.setdefault("chance", lambda: 0.0)
    return RiderClient(hub.url, "rider-7", "token", connect={"proxy": None}, **options)


def mute(*_: object) -> list[Message]:
    return []


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_a_fix_is_sent_and_acknowledged(hub: FakeHub, codec: Codec) -> None:
    """A fix reaches the hub as the contract draws it, in both codecs."""
    async with riding(hub, codec=codec) as client:
        seq = await client.send(31.2, 121.4, at=1_795_374_343.12, speed=6.1, crs="gcj02")
        await client.settled()

    assert hub.paths == ["/v1/riders/rider-7/stream"]
    assert hub.received == [
        {
            "type": "fix",
            "seq": seq,
            "at": "2026-11-22T19:05:43.120Z",
            "lat": 31.2,
            "lng": 121.4,
            "speed": 6.1,
            "crs": "gcj02",
        }
    ]


async def test_the_hub_s_cadence_is_kept(hub: FakeHub) -> None:
    """Fixes between two beats wait, the newest goes when the hub's cadence says so."""
    hub.opening = [{"type": "cadence", "seconds": 3600, "reason": "idle"}]
    async with riding(hub) as client:
        assert await anext(client) == Cadence(3600, "idle")
        first = await client.send(31.0, 121.4)
        await client.settled()
        for lat in (31.1, 31.2):
            last = await client.send(lat, 121.4)
        assert client.pending == 1
        await hub.send({"type": "cadence", "seconds": 0, "reason": "near"})
        await client.settled()

    assert [fix["seq"] for fix in hub.received] == [first, last]


async def test_offline_fixes_come_later(hub: FakeHub) -> None:
    """What was told without a connection is sent as a batch once there is one."""
    hub.silent = True
    async with riding(hub, grace=0.2, first_seq=1) as client:
        for lat in range(3):
            await client.send(float(lat), 121.4, immediately=True)
        await hub.until(lambda hub: hub.paths)
        hub.silent = False
        await client.settled()

    (batch,) = hub.received
    assert [(fix["seq"], fix["lat"]) for fix in batch["fixes"]] == [(1, 0), (2, 1), (3, 2)]


async def test_unacked_fixes_are_sent_again(hub: FakeHub) -> None:
    """A fix that was sent into a connection that broke is sent over the next one."""
    async with riding(hub) as client:
        hub.answer = mute
        seq = await client.send(31.2, 121.4)
        await hub.until(lambda hub: hub.received)
        hub.answer = answer_rider
        await hub.abort()
        await client.settled()

    assert [fix["seq"] for fix in hub.received] == [seq, seq]


async def test_what_the_hub_says_is_read(hub: FakeHub) -> None:
    """Orders and acknowledgements come out of the iteration, orders can be looked up."""
    hub.opening = [{"type": "orders", "orders": []}]
    async with riding(hub) as client:
        orders = await anext(client)
        seq = await client.send(31.2, 121.4)
        acked = await anext(client)

    assert (orders, acked) == (Orders(()), Acked(seq))
    assert client.orders == Orders(())


async def test_superseded_is_the_end(hub: FakeHub) -> None:
    """A rider who connected from elsewhere ends this client, in every call."""
    async with riding(hub) as client:
        await hub.until(lambda hub: hub.sockets)
        await hub.send({"type": "superseded"})
        with pytest.raises(ClosedError) as caught:
            await anext(client)
        with pytest.raises(ClosedError):
            await client.send(31.2, 121.4)
        with pytest.raises(ClosedError):
            await client.settled()

    assert caught.value.code == 4509
    assert len(hub.paths) == 1


async def test_seqs_grow_from_run_to_run(hub: FakeHub) -> None:
    """A new run of a rider's app never uses a seq of an earlier one."""
    async with riding(hub) as client:
        first = await client.send(31.2, 121.4)
    async with riding(hub) as client:
        second = await client.send(31.2, 121.4)

    assert second > first > 1_700_000_000_000_000
