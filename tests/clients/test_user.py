import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections import Counter
from itertools import count
from typing import Any

import pytest

from clients.errors import ClosedError, HubMessageError, RefusedError
from clients.session import Cursor
from clients.updates import Estimate, Event, Finished, Notice, Position, Refused, Snapshot, Update
from clients.user import UserClient
from schemas.wire import Codec
from tests.clients.fake_hub import FakeHub
from tests.clients.orders import AT, Log, estimate, finished, position


def jwt(expires: float, name: str = "a") -> str:
    claims = urlsafe_b64encode(json.dumps({"exp": expires, "sub": name}).encode()).decode()
    return f"head.{claims.rstrip('=')}.signature"


def watching(hub: FakeHub, token: Any = "token", *orders: str, **options: Any) -> UserClient:
    for order_id in orders:
        hub.orders.setdefault(order_id, Log(order_id))
    options.setdefault("chance", lambda: 0.0)
    return UserClient(hub.url, token, orders=orders, connect={"proxy": None}, **options)


async def rest(client: UserClient) -> list[Update]:
    return [update async for update in client]


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_an_order_from_start_to_end(hub: FakeHub, codec: Codec) -> None:
    """Snapshot, events, Finished, and then the iteration ends by itself, in both codecs."""
    async with watching(hub, "secret", "ord_1", codec=codec) as client:
        first = await anext(client)
        for status in ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED"):
            await hub.change("ord_1", status)
        await hub.send(finished("ord_1"))
        updates = await rest(client)

    assert isinstance(first, Snapshot)
    assert [one.seq for one in updates if isinstance(one, Event)] == [2, 3, 4, 5]
    assert updates[-1] == Finished("ord_1")
    assert (hub.tokens, hub.paths) == (["secret"], ["/v1/stream"])


async def test_an_order_already_over(hub: FakeHub) -> None:
    """A finished order gives its snapshot and ends."""
    hub.orders["ord_1"] = Log("ord_1")
    hub.orders["ord_1"].append("COMPLETED")

    async with watching(hub, "token", "ord_1") as client:
        updates = await rest(client)

    assert [type(update) for update in updates] == [Snapshot, Finished]


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 3000, 3499, 4000, 4008, 4029, 4499])
async def test_it_comes_back_and_goes_on(hub: FakeHub, code: int) -> None:
    """After a passing close code the client resumes, and what it missed comes as events."""
    async with watching(hub, "token", "ord_1") as client:
        await anext(client)
        await hub.close(code)
        hub.orders["ord_1"].append("CONFIRMED")
        event, snapshot = await anext(client), await anext(client)

    assert isinstance(event, Event)
    assert event.seq == 2
    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered
    assert hub.heard("subscribe")[1]["after"] == {"epoch": "abcdefgh", "seq": 1}


async def test_it_comes_back_when_the_network_went_away(hub: FakeHub) -> None:
    """A connection that breaks without a close frame is a passing matter."""
    async with watching(hub, "token", "ord_1") as client:
        await anext(client)
        await hub.abort()

        snapshot = await anext(client)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered


@pytest.mark.parametrize("code", [1000, 1009, 3500, 3999, 4500, 4501, 4502, 4503, 4509, 4999])
async def test_it_does_not_come_back(hub: FakeHub, code: int) -> None:
    """A fatal close code is raised by the iteration, with its number and reason."""
    hub.refuse_with = code

    async with watching(hub, "token", "ord_1") as client:
        with pytest.raises(ClosedError, match="refused") as caught:
            await anext(client)

    assert caught.value.code == code
    assert len(hub.tokens) == 1


async def test_what_came_before_the_end_is_read_first(hub: FakeHub) -> None:
    """Updates that wait when the hub closes for good are not lost."""
    async with watching(hub, "token", "ord_1") as client:
        await hub.until(lambda hub: hub.heard("subscribe"))
        await hub.change("ord_1", "CONFIRMED")
        await hub.close(4503)

        assert isinstance(await anext(client), Snapshot)
        assert isinstance(await anext(client), Event)
        with pytest.raises(ClosedError):
            await anext(client)


async def test_a_string_token_that_expired_is_the_end(hub: FakeHub) -> None:
    """With no other token to come back with, 4001 is raised."""
    hub.refuse_with = 4001

    async with watching(hub, "token", "ord_1") as client:
        with pytest.raises(ClosedError) as caught:
            await anext(client)

    assert caught.value.code == 4001


async def test_an_expired_token_is_asked_for_anew(hub: FakeHub) -> None:
    """After 4001 the client asks for another token and comes back with it."""
    numbers = count()

    async def token() -> str:
        return f"token-{next(numbers)}"

    async with watching(hub, token, "ord_1") as client:
        await anext(client)
        await hub.close(4001)
        await anext(client)

    assert hub.tokens == ["token-0", "token-1"]


async def test_a_token_is_renewed_in_place(hub: FakeHub) -> None:
    """Shortly before `exp` a fresh token goes over the same connection."""
    tokens = iter([jwt(time.time() + 1), jwt(time.time() + 3600, "b")])

    async def token() -> str:
        return next(tokens)

    async with watching(hub, token, "ord_1") as client:
        await hub.until(lambda hub: hub.heard("auth"))
        assert client.connected

    assert len(hub.paths) == 1
    assert len(set(hub.tokens)) == 2


async def test_what_the_token_callable_raises_is_raised() -> None:
    """A client that gets no token ends with the reason."""

    async def token() -> str:
        raise LookupError("no token today")

    async with UserClient("http://127.0.0.1:1", token, orders=["ord_1"]) as client:
        with pytest.raises(LookupError, match="no token today"):
            await anext(client)


async def test_silence_is_a_lost_connection(hub: FakeHub) -> None:
    """A hub that says nothing, not even a ping, is left and connected to again."""
    hub.ping = 0.0
    async with watching(hub, "token", "ord_1", grace=0.2) as client:
        await anext(client)
        snapshot = await anext(client)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered
    assert len(hub.paths) >= 2


async def test_pings_are_no_silence(hub: FakeHub) -> None:
    """Protocol pings alone keep a connection that has no news."""
    hub.ping = 0.0
    async with watching(hub, "token", "ord_1", grace=0.4) as client:
        await anext(client)
        for _ in range(8):
            await (await hub.sockets[0].ping())
            await asyncio.sleep(0.1)  # the hub's pace, not a wait for something
        assert client.connected

    assert len(hub.paths) == 1


async def test_a_hub_without_welcome_is_left(hub: FakeHub) -> None:
    """A connection on which no `welcome` comes is given up."""
    hub.silent = True
    async with watching(hub, "token", "ord_1", grace=0.1):
        await hub.until(lambda hub: len(hub.paths) == 2)

    assert hub.received == []


async def test_the_hub_s_welcome_says_when_to_come_back(hub: FakeHub) -> None:
    """The window of `welcome` holds from the first lost connection on."""
    async with watching(hub, "token", "ord_1", chance=lambda: 1.0) as client:
        await anext(client)
        await hub.close(1012)
        async with asyncio.timeout(0.9):  # without the hub's word it would be a second
            await anext(client)


async def test_the_hub_that_drains_says_when_to_come_back(hub: FakeHub) -> None:
    """The window of `notice draining` holds for the return, not the one of `welcome`."""
    hub.reconnect = {"min": 3600.0, "max": 3600.0}
    async with watching(hub, "token", "ord_1") as client:
        await anext(client)
        window = {"min": 0.0, "max": 0.0}
        await hub.send({"type": "notice", "code": "draining", "reconnect": window})
        await hub.close(1012)

        assert await anext(client) == Notice("draining")
        assert isinstance(await anext(client), Snapshot)


async def test_orders_come_and_go(hub: FakeHub) -> None:
    """Orders may be added and given up while connected; the others go on."""
    async with watching(hub, "token", "ord_1") as client:
        await anext(client)
        hub.orders["ord_2"] = Log("ord_2")
        await client.subscribe("ord_2", after=Cursor("abcdefgh", 1))
        second = await anext(client)
        await client.unsubscribe("ord_1")
        await hub.until(lambda hub: hub.heard("unsubscribe"))

    assert isinstance(second, Snapshot)
    assert (second.order_id, second.recovered) == ("ord_2", True)
    assert client.cursors == {"ord_2": Cursor("abcdefgh", 1)}


async def test_an_unknown_order_is_refused(hub: FakeHub) -> None:
    """An order that is not there is told, and ends a client that watches no other."""
    async with UserClient(hub.url, "token", orders=["ord_9"], connect={"proxy": None}) as client:
        assert await rest(client) == [Refused("ord_9", "not_found", "no")]


async def test_a_slow_reader_gets_the_newest_position(hub: FakeHub) -> None:
    """Of what waits, positions and estimates give way to newer ones; events never do."""
    async with watching(hub, "token", "ord_1") as client:
        await hub.until(lambda hub: hub.heard("subscribe"))
        for second in range(5):
            await hub.send(position("ord_1", AT + second), estimate("ord_1", 9 - second))
        await hub.change("ord_1", "CONFIRMED")
        for second in range(5, 9):
            await hub.send(position("ord_1", AT + second))
        await hub.change("ord_1", "COMPLETED")
        await hub.send(finished("ord_1"))
        await hub.until(lambda hub: not hub.sockets)  # the client has seen the end
        updates = await rest(client)

    assert Counter(map(type, updates)) == {
        Snapshot: 1,
        Position: 2,
        Estimate: 1,
        Event: 2,
        Finished: 1,
    }
    assert [one.at for one in updates if isinstance(one, Position)] == [AT + 4, AT + 8]


async def test_what_is_no_hub_is_told(hub: FakeHub) -> None:
    """An answer that no hub gives is raised instead of being tried again for ever."""
    hub.opening = [{"type": "event", "orderId": "ord_1"}, {"type": "welcome"}]
    async with watching(hub, "token", "ord_1") as client:
        with pytest.raises(HubMessageError):
            await rest(client)


async def test_a_refused_handshake_is_told(hub: FakeHub) -> None:
    """An HTTP status that will not change, as of a wrong path, is raised."""

    async def not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(not_found, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/prefix/"
        async with UserClient(url, "t", orders=["ord_1"], connect={"proxy": None}) as client:
            with pytest.raises(RefusedError) as caught:
                await anext(client)

    assert caught.value.status == 404


async def test_it_waits_for_a_hub_that_is_not_there_yet(unused_tcp_port: int) -> None:
    """Connections refused are tried again, and closing the client ends the iteration."""
    waits = count()

    def chance() -> float:
        if next(waits) == 3:
            tried.set()
        return 0.0

    tried = asyncio.Event()
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with UserClient(
        url, "t", orders=["ord_1"], chance=chance, connect={"proxy": None}
    ) as client:
        await tried.wait()
        assert "away" in repr(client)
    assert await rest(client) == []


@pytest.mark.parametrize("url", ["", "hub.example", "ftp://hub.example", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    """A wrong address is refused when the client is made, not after a minute of trying."""
    with pytest.raises(ValueError, match="no address of a hub"):
        UserClient(url, "token")
