"""Tracker apps that speak the OsmAnd protocol, and the device ids they are given (contract 5)."""

import json
import time
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from click.testing import CliRunner, Result
from prometheus_client import REGISTRY

from hub.cli import cli
from hub.errors import StartError, UnauthenticatedError
from hub.services.tokens import Tokens
from hub.store.embedded import EmbeddedStore
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import Role
from tests.hub.harness import (
    DOOR,
    SECRET,
    SHOP,
    RunningHub,
    fix,
    fresh,
    hubs,
    now,
    on_delivery,
    place,
    token,
)
from tests.hub.test_bad_days import kill
from tests.hub.test_documents import check

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/osmand"
PROBLEM = "application/problem+json"
TOKENS = Tokens(SECRET)
WAYS = ("get", "post", "form", "json")


def device(rider_id: str, ttl: float | None = None) -> str:
    return TOKENS.device(rider_id, ttl)


def said(**more: Any) -> dict[str, Any]:
    """The parameters of a fix near the shop; None leaves one out."""
    whole = {"lat": SHOP["lat"], "lon": SHOP["lng"], "timestamp": int(time.time()), **more}
    return {name: value for name, value in whole.items() if value is not None}


def as_json(fix: dict[str, Any]) -> dict[str, Any]:
    """The same as Traccar's app writes it."""
    coords = {"latitude": fix["lat"], "longitude": fix["lon"], "accuracy": fix.get("accuracy", -1)}
    coords |= {"speed": fix.get("speed", -1), "heading": fix.get("bearing", -1), "altitude": 0}
    battery = {"level": fix.get("batt", -1), "is_charging": False}
    more = {"is_moving": True, "odometer": 7, "event": "motionchange", "extras": {}}
    location = {"timestamp": fix["timestamp"], "coords": coords, "battery": battery, **more}
    return {"location": location, "device_id": fix["id"]}


async def send(hub: RunningHub, way: str, url: str = "", **fix: Any) -> httpx2.Response:
    """One fix in one of the `WAYS`; `url` is what stands in the app's URL already."""
    client, path = hub.http(), f"{PATH}?{url}" if url else PATH
    match way:
        case "form":
            return await client.post(path, data=fix)
        case "json":
            return await client.post(path, json=as_json(fix))
        case _:
            query = "&".join(filter(None, (url, str(httpx2.QueryParams(fix)))))
            return await client.request(way, f"{PATH}?{query}")


def rejections(reason: str) -> float:
    counted = REGISTRY.get_sample_value("ordercast_fixes_rejected_total", {"reason": reason})
    return counted or 0.0


# Fixes that are taken


@pytest.mark.parametrize("way", WAYS)
async def test_a_fix_arrives(hub: RunningHub, platform: httpx2.AsyncClient, way: str) -> None:
    """In whichever form it comes, the watcher sees it in our units, and the app an empty 200."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    ours = {"speed": 5.0, "battery": 0.8}
    theirs = {"speed": 5.0, "batt": 0.8} if way == "json" else {"speed": 9.719222, "batt": 80}
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        at = now(-2)
        fix = said(id=device(rider_id), timestamp=at, bearing=90, accuracy=4.5, **theirs)
        answer = await send(hub, way, **fix)
        position = await watcher.until("position")
    assert (200, b"") == (answer.status_code, answer.content)
    assert "no-store" == answer.headers["Cache-Control"]
    check("get" if way == "get" else "post", PATH, answer)
    wanted = {**SHOP, "at": at, "heading": 90.0, "accuracy": 4.5, "freshness": "fresh"}
    assert wanted == {name: position[name] for name in wanted}
    assert ours == pytest.approx({name: position[name] for name in ours}, abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
async def test_a_fix_in_gcj02(hub: RunningHub, platform: httpx2.AsyncClient, way: str) -> None:
    """`crs` in the URL that is entered in the app holds for each of its fixes."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    lat, lng = to_gcj02(SHOP["lat"], SHOP["lng"])
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        fix = said(id=device(rider_id), lat=lat, lon=lng, timestamp=now(-2))
        assert 200 == (await send(hub, way, "crs=gcj02", **fix)).status_code
        position = await watcher.until("position")
    assert (SHOP["lat"], SHOP["lng"]) == pytest.approx((position["lat"], position["lng"]))


async def test_positions_in_gcj02(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """The same beside the place in a body of `positions`, alone or in a batch."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    client, path = hub.http(Role.RIDER, sub=rider_id), f"/v1/riders/{rider_id}/positions"
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        for number in range(2):
            there = SHOP["lat"], SHOP["lng"] + 0.0004 * number
            lat, lng = to_gcj02(*there)
            body = fix(number, offset=number - 3, lat=lat, lng=lng, crs="gcj02")
            answer = await client.post(path, json={"fixes": [body]} if number else body)
            assert 1 == answer.json()["taken"]
            position = await watcher.until("position")
            assert there == pytest.approx((position["lat"], position["lng"]))


async def test_no_time_means_now(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """And the place may come in one."""
    rider_id = fresh("r")
    order = await on_delivery(platform, rider_id)
    async with hub.stream() as watcher:
        await watcher.subscribe(order["orderId"])
        answer = await hub.http().get(
            PATH, params={"deviceid": device(rider_id), "location": "31.2304,121.4737"}
        )
        position = await watcher.until("position")
    assert 200 == answer.status_code
    assert ("fresh", SHOP["lat"]) == (position["freshness"], position["lat"])


async def test_beside_a_socket(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """An app's fixes are the same rider's: they acknowledge nothing on the socket, nor end it."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    async with hub.rider(rider_id) as rider:
        await rider.send(type="fix", **fix(5, offset=-60))
        assert 5 == (await rider.until("ack"))["seq"]
        assert 200 == (await send(hub, "get", **said(id=device(rider_id)))).status_code
        assert [] == [each["type"] for each in await rider.quiet() if each["type"] != "cadence"]
        await rider.send(type="fix", **fix(6, offset=-30))
        rejected = await rider.until("rejected")
    assert (6, "old") == (rejected["seq"], rejected["reason"])


# Fixes that are not taken

REJECTED = [
    ("null_island", {"lat": 0, "lon": 0}),
    ("out_of_range", {"lat": 91}),
    ("not_finite", {"lon": "NaN"}),
    ("old", {"timestamp": int(time.time()) - 9000}),
    ("future", {"timestamp": "2100-01-01T00:00:00Z"}),
    ("too_fast", {"lat": DOOR["lat"], "lon": DOOR["lng"], "timestamp": None}),
]


@pytest.mark.parametrize(("reason", "changes"), REJECTED, ids=[reason for reason, _ in REJECTED])
async def test_a_rejected_fix_is_done_with(
    hub: RunningHub, platform: httpx2.AsyncClient, reason: str, changes: dict[str, Any]
) -> None:
    """The app need not send it again, and is told so; the metric tells the reason."""
    rider_id = fresh("r")
    await on_delivery(platform, rider_id)
    assert 200 == (await send(hub, "get", **said(id=device(rider_id)))).status_code
    before = rejections(reason)
    answer = await send(hub, "post", **said(id=device(rider_id), **changes))
    assert (200, b"") == (answer.status_code, answer.content)
    assert 1 == rejections(reason) - before


async def test_off_duty(hub: RunningHub) -> None:
    """A rider without an active order may leave the app on: nothing is kept."""
    before = rejections("off_duty")
    answer = await send(hub, "json", **said(id=device(fresh("r")), timestamp=now()))
    assert (200, 1) == (answer.status_code, rejections("off_duty") - before)


async def test_too_many_fixes(shared_store: EmbeddedStore) -> None:
    """One over the rate is dropped, too: the newer ones behind it shall not wait."""
    async with hubs(shared_store, fix_rate=0.05) as (hub,):
        rider_id = fresh("r")
        await on_delivery(hub.platform, rider_id)
        before = rejections("rate")
        for _ in range(2):
            assert 200 == (await send(hub, "get", **said(id=device(rider_id)))).status_code
        assert 1 == rejections("rate") - before


# Requests that are none


def is_problem(answer: httpx2.Response, status: int) -> bool:
    method = answer.request.method.lower()
    check(method, PATH, answer)
    return (status, PROBLEM) == (answer.status_code, answer.headers["Content-Type"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"id": ""}, ("id", "device_id")),
        ({"lat": ""}, ("lat", "location/coords/latitude")),
        ({"lon": "east"}, ("lon", "location/coords/longitude")),
        ({"timestamp": "noon"}, ("timestamp", "location/timestamp")),
        ({"speed": "fast"}, ("speed", "location/coords/speed")),
        ({"batt": "full"}, ("batt", "location/battery/level")),
    ],
)
async def test_the_parameter_is_named(
    hub: RunningHub, way: str, changes: dict[str, str], names: tuple[str, str]
) -> None:
    """400, in words and as a pointer."""
    answer = await send(hub, way, **{**said(id=device("r")), **changes})
    name = names[way == "json"]
    assert is_problem(answer, 400)
    assert name in answer.json()["detail"]
    assert [f"#/{name}"] == [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"7", b"[" * 9999, b'{"a": NaN}'])
async def test_a_body_that_is_no_object(hub: RunningHub, content: bytes) -> None:
    """400, as everywhere."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert is_problem(await hub.http().post(PATH, content=content, headers=headers), 400)


@pytest.mark.parametrize(
    "query",
    ["", "?", "&&==&", "id", "%00=%ff", "id=%ff%fe", "lat=1&lat=2&id=x", "a=" + "b" * 9000]
    + [f"id=dev_{'A' * n}&lat=1&lon=1" for n in (0, 1, 2, 3, 40, 9000)],
)
@pytest.mark.parametrize("way", ["get", "post", "form"])
async def test_garbage(hub: RunningHub, query: str, way: str) -> None:
    """Refused, never a failure of ours."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if way == "form":
        answer = await hub.http().post(PATH, content=query, headers=headers)
    else:
        answer = await hub.http().request(way, f"{PATH}?{query}")
    assert is_problem(answer, 401 if "id=" in query else 400)


async def test_a_body_that_is_too_large(hub: RunningHub) -> None:
    """413, whatever it is."""
    for headers in ({}, {"Content-Type": "application/json"}):
        answer = await hub.http().post(PATH, content=b" " * 65_537, headers=headers)
        assert is_problem(answer, 413)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods(hub: RunningHub, method: str) -> None:
    """405, HEAD included: it must not move a rider."""
    answer = await hub.http().request(method, PATH, params=said(id=device("r")))
    assert 405 == answer.status_code
    assert {"GET", "POST"} == set(answer.headers["Allow"].split(", "))


# Whose word counts


def foreign_ids() -> dict[str, str]:
    own = device("r")
    return {
        "unknown": "48241179",
        "forged": own[:-1] + ("A" if own[-1] != "A" else "B"),
        "of another secret": Tokens("another secret, just as long as ours").device("r"),
        "expired": device("r", ttl=-1),
        "a token": token(Role.RIDER, sub="r"),
        "a token in disguise": "dev_" + token(Role.RIDER, sub="r"),
        "a name": "r",
        "not ASCII": "dev_\u00e4",
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", foreign_ids())
async def test_a_foreign_device(hub: RunningHub, way: str, name: str) -> None:
    """401, before anything else is looked at."""
    answer = await send(hub, way, **said(id=foreign_ids()[name], lat="x"))
    assert is_problem(answer, 401)
    assert ("expired" in answer.json()["detail"]) is (name == "expired")


async def test_half_a_character(hub: RunningHub) -> None:
    """JSON can say what no UTF-8 can: that is nobody's id either."""
    body = json.dumps({**as_json(said(id="x")), "device_id": "dev_\ud800"})
    headers = {"Content-Type": "application/json"}
    assert is_problem(await hub.http().post(PATH, content=body, headers=headers), 401)


async def test_a_device_id_is_good_until_its_end(hub: RunningHub) -> None:
    """With a bound, as without."""
    assert 200 == (await send(hub, "get", **said(id=device("r", ttl=60)))).status_code


async def test_a_device_id_is_no_token(hub: RunningHub) -> None:
    """Not over HTTP, not on a socket, not in the query of a stream; nor is a token taken here."""
    rider_id = fresh("r")
    own = device(rider_id)
    order = await place(hub.platform)
    headers = {"Authorization": f"Bearer {own}"}
    path, stream = f"/v1/riders/{rider_id}/positions", f"/v1/orders/{order['orderId']}/stream"
    sent = await hub.http().post(path, json=fix(1), headers=headers)
    seen = await hub.http().get(stream, params={"access_token": own})
    here = await hub.http(Role.RIDER, sub=rider_id).get(PATH, params=said())
    assert [401, 401, 400] == [sent.status_code, seen.status_code, here.status_code]
    async with hub.socket(f"/v1/riders/{rider_id}/stream", own) as wire:
        assert 4501 == await wire.close_code()


async def test_without_a_secret_there_are_no_devices(tmp_path: Path) -> None:
    """A hub that only has a JWKS refuses them all, in words, also as tokens."""
    jwks = tmp_path / "jwks.json"
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    jwks.write_text(json.dumps({"keys": [key]}))
    with pytest.raises(UnauthenticatedError, match="not taken"):
        Tokens(None, str(jwks)).rider_of(device("r"))
    with pytest.raises(UnauthenticatedError, match="not valid"):
        await Tokens(None, str(jwks)).verify(device("r"))


# When the store is away


async def test_the_store_is_away(store: EmbeddedStore) -> None:
    """503 for a rider not known here; a known one's newest fix is kept, as on the socket."""
    async with hubs(store) as (hub,):
        known = fresh("r")
        await on_delivery(hub.platform, known)
        assert 200 == (await send(hub, "get", **said(id=device(known)))).status_code
        await kill(store)
        refused = await send(hub, "get", **said(id=device(fresh("r"))))
        kept = await send(hub, "get", **said(id=device(known)))
    assert is_problem(refused, 503)
    assert "Retry-After" in refused.headers
    assert 200 == kept.status_code


# `ordercast token --device`


def command(directory: Path, *arguments: str, **settings: str) -> Result:
    variables = {f"ORDERCAST_{name.upper()}": value for name, value in settings.items()}
    whole = ["token", *arguments, "--data-dir", str(directory)]
    return CliRunner().invoke(cli, whole, env=variables)


async def test_the_command_prints_one(hub: RunningHub, tmp_path: Path) -> None:
    """Alone on its line, the same each time, and good without an end, or with one."""
    rider = ("--role", "rider", "--sub", "r_cli", "--device")
    first, again = (command(tmp_path, *rider, secret=SECRET).stdout for _ in range(2))
    bound = command(tmp_path, *rider, "--ttl", "90d", secret=SECRET).stdout
    assert first == again
    assert first == device("r_cli") + "\n"
    wanted = [(first, 200), (bound, 200)]
    for printed, status in wanted:
        assert 1 == len(printed.splitlines())
        assert status == (await send(hub, "get", **said(id=printed.strip()))).status_code


async def test_the_command_uses_the_kept_secret(tmp_path: Path) -> None:
    """That of `up`, where none is given."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    printed = command(tmp_path, "--role", "rider", "--sub", "r", "--device").stdout
    assert "r" == TOKENS.rider_of(printed.strip())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--role", "rider", "--device"], "--sub"),
        (["--role", "platform", "--sub", "p", "--device"], "--role rider"),
        (["--role", "rider", "--sub", "r", "--order", "o", "--device"], "--sub and --ttl only"),
        (["--role", "rider", "--sub", "r", "--partner", "p", "--device"], "--sub and --ttl only"),
        (["--role", "rider", "--sub", "r", "--device", "--ttl", "soon"], "--ttl"),
        (["--role", "rider", "--sub", "r", "--device", "--ttl", "99999999d"], "10 years"),
        (["--role", "rider", "--sub", "r\udcff", "--device"], "--sub: is no UTF-8"),
    ],
)
async def test_what_the_command_refuses(tmp_path: Path, arguments: list[str], named: str) -> None:
    """Exit status 2, and what is wrong."""
    ended = command(tmp_path, *arguments, secret=SECRET)
    assert (2, True) == (ended.exit_code, named in ended.stderr)


@pytest.mark.parametrize("more", [["--device"], []], ids=["device", "token"])
async def test_the_command_needs_a_secret(tmp_path: Path, more: list[str]) -> None:
    """With a JWKS alone nothing can be signed: one line that names the setting."""
    ended = command(tmp_path, "--role", "rider", "--sub", "r", *more, jwks="/keys.json")
    assert isinstance(ended.exception, StartError)
    assert str(ended.exception).startswith("ORDERCAST_SECRET: not set")


async def test_a_token_is_good_for_an_hour(tmp_path: Path) -> None:
    """Where no `--ttl` says otherwise."""
    printed = command(tmp_path, "--role", "rider", "--sub", "r", secret=SECRET).stdout.strip()
    claims = jwt.decode(printed, options={"verify_signature": False})
    assert 3600 == claims["exp"] - claims["iat"]
