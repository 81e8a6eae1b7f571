"""The gateway in front of real hubs: nginx itself, by the configuration in deploy/."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from hub.store.embedded import EmbeddedStore
from hub.transports.pages import Pages
from schemas.lifecycle import Role
from schemas.problems import Problem
from tests.deploy.gateway import OK, Gateway, Origin, gateway
from tests.hub.harness import (
    RunningHub,
    advance,
    eventually,
    fits,
    hubs,
    order_body,
    place,
    token,
)

CALLERS = 50


@pytest.fixture
async def hub(shared_store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(shared_store) as (one,):
        yield one


@pytest.fixture
async def nginx(hub: RunningHub, short_dir: Path) -> AsyncIterator[Gateway]:
    async with gateway(short_dir, [hub.port]) as running:
        yield running


@pytest.fixture
async def platform(nginx: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    async with nginx.http(Role.PLATFORM) as client:
        yield client


def problem(response: httpx2.Response, status: int) -> Problem:
    assert status == response.status_code, response.text
    assert "application/problem+json" == response.headers["content-type"]
    return fits(Problem, response.json())


async def test_many_callers_share_one_connection_to_nginx_and_few_to_the_hub(
    short_dir: Path,
) -> None:
    """HTTP/2 before, kept HTTP/1.1 connections behind."""
    async with (
        Origin(OK).listening() as origin,
        gateway(short_dir, [origin.port]) as nginx,
        nginx.http() as client,
    ):
        for _ in range(4):
            answers = await asyncio.gather(*(client.get("/v1/orders/o") for _ in range(CALLERS)))
            assert {("HTTP/2", 200)} == {(a.http_version, a.status_code) for a in answers}
        assert 4 * CALLERS == len(origin.heads)
        assert origin.connections <= CALLERS
        lines = await nginx.logged(4 * CALLERS)
    assert 1 == len({line["connection"] for line in lines})
    assert all(" HTTP/1.1\r\n" in head for head in origin.heads)


async def test_an_order_through_http2_tls_and_a_socket(
    nginx: Gateway, platform: httpx2.AsyncClient
) -> None:
    """Placed by HTTP/2, watched by WebSocket: every event, and its end."""
    order = await place(platform)
    async with nginx.watching(order) as wire:
        await advance(platform, order, "CONFIRMED", "PREPARING", "CANCELLED")
        assert [2, 3, 4] == [event["seq"] for event in await wire.events(3)]
        assert "finished" == (await wire.until("unsubscribed"))["reason"]


async def test_a_page_of_the_same_origin_may_open_sockets_and_no_other(nginx: Gateway) -> None:
    """The hub compares Origin with Host, so Host must come through with its port."""
    bearer = token(Role.PLATFORM)
    async with nginx.socket("/v1/stream", bearer, {"Origin": nginx.origin}) as wire:
        await wire.until("welcome")
    for foreign in ("https://localhost", f"https://evil.example:{nginx.port}"):
        async with nginx.socket("/v1/stream", bearer, {"Origin": foreign}) as wire:
            assert 4503 == await wire.close_code()


async def test_close_codes_come_through(nginx: Gateway) -> None:
    """Codes carry what a client does next."""
    async with nginx.socket("/v1/stream", "nonsense") as wire:
        assert 4501 == await wire.close_code()
    async with nginx.socket("/v1/stream", token(Role.PLATFORM)) as wire:
        await wire.until("welcome")
        await wire.send_raw("x" * (64 * 1024 + 1))
        assert 1009 == await wire.close_code()


async def test_a_rider_rides_through_it(nginx: Gateway) -> None:
    """The riders' path upgrades as well."""
    async with nginx.socket("/v1/riders/r1/stream", token(Role.RIDER, sub="r1")) as wire:
        await wire.until("orders")


async def test_a_drained_hub_sends_its_clients_to_the_other(
    shared_store: EmbeddedStore, short_dir: Path
) -> None:
    """`notice draining` and 1012 come through; the next connection goes to the hub that is left."""
    async with AsyncExitStack() as first, hubs(shared_store) as (second,):
        (one,) = await first.enter_async_context(hubs(shared_store))
        async with (
            gateway(short_dir, [one.port, second.port]) as nginx,
            nginx.http(Role.PLATFORM) as platform,
        ):
            order = await place(platform)
            async with AsyncExitStack() as sockets:
                wires = [await sockets.enter_async_context(nginx.watching(order)) for _ in "1234"]
                seen = [wire.seen[0]["hub"] for wire in wires]
                assert {one.state.hub_id, second.state.hub_id} == set(seen)
                draining = wires[seen.index(one.state.hub_id)]
                ending = asyncio.create_task(first.aclose())
                assert "draining" == (await draining.until("notice"))["code"]
                assert 1012 == await draining.close_code()
                await ending
                for _ in range(4):
                    async with nginx.watching(order) as again:
                        assert second.state.hub_id == again.seen[0]["hub"]
            await advance(platform, order, "CONFIRMED")


async def test_events_come_at_once_by_sse_and_no_token_is_logged(
    nginx: Gateway, platform: httpx2.AsyncClient, hub: RunningHub
) -> None:
    """Nothing is held back, though the stream goes on; the log has the path without the query."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}/stream"
    query = {"access_token": order["streamToken"]}
    async with nginx.http() as client, client.stream("GET", path, params=query) as stream:
        assert "text/event-stream" == stream.headers["content-type"].split(";")[0]
        lines = stream.aiter_lines()
        assert "subscribed" == (await _record(lines))["type"]
        await advance(platform, order, "CONFIRMED")
        assert "CONFIRMED" == (await _record(lines))["status"]
    await nginx.logged(1, path)
    assert order["streamToken"] not in nginx.log + nginx.errors


async def _record(lines: AsyncIterator[str]) -> dict[str, object]:
    async for line in lines:
        if line.startswith("data: "):
            told: dict[str, object] = json.loads(line.removeprefix("data: "))
            return told
    raise AssertionError("the stream ended")


async def test_a_dead_hub_costs_no_token_in_the_error_log(short_dir: Path) -> None:
    """nginx logs the request that failed, with its query."""
    async with (
        Origin(None).listening() as origin,
        gateway(short_dir, [origin.port], _for_better_or_worse) as nginx,
        nginx.http() as client,
    ):
        for path in ("/v1/orders/o/stream?access_token=hush", "/v1/osmand?id=hush"):
            problem(await client.get(path), 503)
        problem(await client.get("/v1/orders/o?told=1"), 503)
        await nginx.logged(3)
    assert "told=1" in nginx.errors
    assert "hush" not in nginx.errors + nginx.log


@pytest.mark.parametrize("size", [64 * 1024, 10_000_000])
async def test_a_large_body_is_a_problem_whoever_refuses_it(nginx: Gateway, size: int) -> None:
    """A little too large: the hub; much too large: already nginx."""
    body = json.dumps(order_body(externalId="x" * size))
    async with nginx.http(Role.PLATFORM, http2=False) as client:
        problem(await client.post("/v1/orders", content=body), 413)


async def test_public_documents_are_told_from_the_cache(
    nginx: Gateway, platform: httpx2.AsyncClient
) -> None:
    """Once from the hub; then by nginx, with 304 for who has it, and whatever the query."""
    for path in ("/openapi.json", "/schemas/OrderRequest.json"):
        first = await platform.get(path)
        assert 200 == first.status_code, first.text
        again = await platform.get(path, params={"bust": "1"})
        assert first.content == again.content
        have = {"If-None-Match": first.headers["etag"]}
        assert 304 == (await platform.get(path, headers=have)).status_code
        assert ["MISS", "HIT", "HIT"] == [line["cache"] for line in await nginx.logged(3, path)]


async def test_a_restaurant_is_told_from_the_cache_in_the_coordinates_that_are_asked_for(
    nginx: Gateway, hub: RunningHub
) -> None:
    """However the query is written: a hub goes by the last of several."""
    path, place = "/v1/restaurants/res_gw", {"lat": 31.2304, "lng": 121.4737}
    await hub.platform.put(path, json={"name": "Gate", "location": place})
    chinese = ("crs=gcj02", "crs=wgs84&crs=gcj02", "%63rs=gcj02")
    async with nginx.http() as client:
        for query in (*chinese, "", "crs=wgs84") * 2:
            told = (await client.get(f"{path}?{query}")).json()["location"]
            assert (told == place) is (query not in chinese), query
        lines = await nginx.logged(10, path)
    assert ["MISS"] * 5 + ["HIT"] * 5 == [line["cache"] for line in lines]


async def test_nothing_private_is_cached(nginx: Gateway, platform: httpx2.AsyncClient) -> None:
    """An order is asked from the hub each time."""
    order = await place(platform)
    for _ in range(2):
        await platform.get(f"/v1/orders/{order['orderId']}")
    lines = await nginx.logged(2, f"/v1/orders/{order['orderId']}")
    assert [""] * 2 == [line["cache"] for line in lines]


async def test_documents_outlive_the_hubs(short_dir: Path) -> None:
    """Stale is better than none; all else is a problem that says when to come back."""
    brief = OK.replace(b"\r\n", b"\r\nCache-Control: public, max-age=1\r\n", 1)
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(Origin(brief).listening())
        async with gateway(short_dir, [origin.port]) as nginx, nginx.http() as client:
            assert "{}" == (await client.get("/openapi.json")).text
            await stack.aclose()
            refused = await client.get("/v1/orders/o")
            assert refused.headers["retry-after"]
            problem(refused, 503)
            await eventually(lambda: _told_stale(nginx, client))


async def _told_stale(nginx: Gateway, client: httpx2.AsyncClient) -> bool:
    assert "{}" == (await client.get("/openapi.json")).text
    return '"cache":"STALE"' in nginx.log


@pytest.fixture
def built(tmp_path: Path) -> Pages:
    """A page and its script."""
    (tmp_path / "track.html").write_text('<script src="/pages/track-B0cRGuL_.js"></script>')
    (tmp_path / "track-B0cRGuL_.js").write_text("// a script")
    return Pages(tmp_path, None)


async def test_the_pages_outlive_the_hubs(
    shared_store: EmbeddedStore, short_dir: Path, built: Pages
) -> None:
    """Their files are told from the cache, zipped or not; a page when no hub has a newer one."""
    script, page = "/pages/track-B0cRGuL_.js", "/track/ord_2"
    async with AsyncExitStack() as stack:
        (hub,) = await stack.enter_async_context(hubs(shared_store))
        hub.state.pages = built
        async with gateway(short_dir, [hub.port]) as nginx, nginx.http() as client:
            for accepted in ("identity", "br, gzip", "identity;q=1", "gzip, deflate"):
                told = await client.get(script, headers={"Accept-Encoding": accepted})
                assert "// a script" == told.text
                assert ("gzip" in accepted) is ("Content-Encoding" in told.headers)
                assert "public, max-age=31536000, immutable" == told.headers["Cache-Control"]
            before = await client.get("/track/ord_1")
            await stack.aclose()
            assert "// a script" == (await client.get(script)).text
            after = await client.get(page)
            assert (before.text, "no-cache") == (after.text, after.headers["Cache-Control"])
            assert nginx.origin.partition("//")[2] in after.headers["Content-Security-Policy"]
            problem(await client.get("/ride"), 503)
            lines = await nginx.logged(5, script)
    assert ["MISS", "MISS", "HIT", "HIT", "HIT"] == [line["cache"] for line in lines]


async def test_a_page_is_the_newest_and_of_its_own_host(
    nginx: Gateway, hub: RunningHub, built: Pages
) -> None:
    """Within a second; and what another host's page may open is not told to this one."""
    hub.state.pages = built
    async with nginx.http() as client:
        await client.get("/track/ord_1", headers={"Host": "evil.example"})
        policy = (await client.get("/track/ord_1")).headers["Content-Security-Policy"]
        assert "evil.example" not in policy
        built._files["track.html"] = replace(built._files["track.html"], body=b"newer")

        async def newer() -> bool:
            return (await client.get("/track/ord_1")).text == "newer"

        await eventually(newer)


def _from_anywhere(text: str) -> str:
    """A caller may say what address is theirs."""
    trusts = "set_real_ip_from 127.0.0.1; real_ip_header X-From; server_tokens off;"
    return text.replace("server_tokens off;", trusts)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz"])
async def test_operations_are_told_inside_only(hub: RunningHub, short_dir: Path, path: str) -> None:
    """However the path is written."""
    async with (
        gateway(short_dir, [hub.port], _from_anywhere) as nginx,
        nginx.http(http2=False) as client,
    ):
        assert 200 == (await client.get(path)).status_code
        for outside in ("203.0.113.9", "10.1.2.3"):
            problem(await client.get(path, headers={"X-From": outside}), 403)
        spelt = (f"/{path}", f"/.{path}", path.replace("e", "%65"), f"{path}?a=1", f"/a/..{path}")
        for each in spelt:
            url = httpx2.URL(nginx.origin, raw_path=each.encode())
            problem(await client.get(url, headers={"X-From": "203.0.113.9"}), 403)
        for other in (f"{path}/", path.upper()):
            problem(await client.get(other, headers={"X-From": "203.0.113.9"}), 404)


async def test_the_hubs_are_told_to_operators_only(nginx: Gateway) -> None:
    """From wherever they are, by their token."""
    statuses = []
    for role in (None, Role.PLATFORM, Role.OPS):
        async with nginx.http(role) as client:
            statuses.append((await client.get("/v1/hubs")).status_code)
    assert [401, 403, 200] == statuses


async def test_a_request_that_may_be_repeated_is_and_no_other(short_dir: Path) -> None:
    """A hub that dies with a request: a GET is asked elsewhere, a POST is told to the caller."""
    async with (
        Origin(None).listening() as dying,
        Origin(OK).listening() as sound,
        gateway(short_dir, [dying.port, sound.port], _for_better_or_worse) as nginx,
        nginx.http() as client,
    ):
        for _ in range(4):
            assert 200 == (await client.get("/v1/orders/o")).status_code
        assert dying.heads
        del dying.heads[:], sound.heads[:]
        answers = [await client.post("/v1/orders", json={}) for _ in range(4)]
        assert {200, 503} == {answer.status_code for answer in answers}
        assert 4 == len(dying.heads) + len(sound.heads)


def _for_better_or_worse(text: str) -> str:
    """No hub is left out for its failures."""
    return text.replace("max_fails=2", "max_fails=0")


async def test_a_hub_that_is_gone_is_not_felt(hub: RunningHub, short_dir: Path) -> None:
    """Nobody listens there: nothing was sent, so that a POST goes to the next as well."""
    async with Origin(OK).listening() as gone:
        port = gone.port
    async with gateway(short_dir, [port, hub.port]) as nginx, nginx.http(Role.PLATFORM) as client:
        for _ in range(6):
            await place(client)


async def test_request_ids_go_on(short_dir: Path) -> None:
    """A sane one of the caller; else one of nginx, told to the hub."""
    async with (
        Origin(OK).listening() as origin,
        gateway(short_dir, [origin.port]) as nginx,
        nginx.http() as client,
    ):
        for told in ("ticket-7", "two words", None):
            headers = {} if told is None else {"X-Request-Id": told}
            await client.get("/v1/orders/o", headers=headers)
        ids = [line["request"] for line in await nginx.logged(3)]
        heads = [head.split("X-Request-Id: ")[1].split("\r\n")[0] for head in origin.heads]
    assert ids == heads
    assert "ticket-7" == ids[0]
    assert 3 == len(set(ids))
    assert all(len(each) == 32 for each in ids[1:])


async def test_a_crowd_from_one_address_is_told_to_slow_down(
    hub: RunningHub, short_dir: Path
) -> None:
    """50 a second and 200 at once; addresses that are known are not limited."""

    def strangers(text: str) -> str:
        return text.replace("127.0.0.0/8 1;", "")

    async with gateway(short_dir, [hub.port], strangers) as nginx, nginx.http() as client:
        answers = await asyncio.gather(*(client.get("/healthz") for _ in range(400)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert 200 <= len(answers) - len(refused) < 400
    problem(refused[0], 429)
    assert "1" == refused[0].headers["retry-after"]


async def test_plain_http_is_sent_to_https(nginx: Gateway) -> None:
    """By 308, which keeps the method."""
    async with httpx2.AsyncClient() as client:
        answer = await client.post(f"http://localhost:{nginx.plain_port}/v1/orders?a=1", json={})
    assert 308 == answer.status_code
    assert "https://localhost/v1/orders?a=1" == answer.headers["location"]
