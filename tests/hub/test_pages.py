"""The hub serves the built pages as they want to be served; what is built is another matter."""

import gzip
import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import StartError
from hub.settings import Settings
from hub.transports.pages import Pages
from tests.hub.harness import RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = '<html><meta name="ordercast" content=""><p>Ünï</p></html>'
SCRIPT = "console.log('a page')"
TILES = {"url": "https://{s}.tiles.example/{z}/{x}/{y}.png", "attribution": 'a "map"', "crs": "x"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "track.html").write_text(TRACK)
    (tmp_path / "track-B0cRGuL_.js").write_text(SCRIPT)
    (tmp_path / "ride.html").write_text(TRACK)
    (tmp_path / "ride-worker.js").write_text(SCRIPT)
    (tmp_path / "ride.webmanifest").write_text("{}")
    (tmp_path / "licences.md").write_text("MIT")
    (tmp_path / "picture-AAAAAAAA.png").write_bytes(b"\x89PNG")
    return tmp_path


@pytest.fixture
def serving(hub: RunningHub, built: Path) -> Iterator[RunningHub]:
    before = hub.state.pages
    hub.state.pages = Pages(built, TILES)
    yield hub
    hub.state.pages = before


async def raw(hub: RunningHub, path: str, **headers: str) -> Any:
    """As it went over the wire: the body is not unzipped."""
    async with hub.http().stream("GET", path, headers=headers) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


async def test_a_page_is_asked_for_anew_each_time_and_sent_when_it_changed(
    serving: RunningHub,
) -> None:
    """`no-cache` with an ETag; the same for every order."""
    one = await serving.http().get("/track/ord_1")
    other = await serving.http().get("/track/ord_2")
    again = await serving.http().get("/track/ord_1", headers={"If-None-Match": one.headers["ETag"]})
    assert (200, "text/html; charset=utf-8") == (one.status_code, one.headers["Content-Type"])
    assert "no-cache" == one.headers["Cache-Control"]
    assert other.text == one.text
    assert (304, b"") == (again.status_code, again.content)
    assert one.headers["Content-Security-Policy"] == again.headers["Content-Security-Policy"]


async def test_a_page_may_load_from_the_hub_and_the_tile_server_alone(serving: RunningHub) -> None:
    """The policy, whole: nothing inline, sockets to this very host, tiles as pictures."""
    page = await serving.http().get("/track/ord_1")
    host = f"127.0.0.1:{serving.port}"
    assert page.headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: https://*.tiles.example",
        f"connect-src 'self' ws://{host} wss://{host}",
        "manifest-src 'self'",
        "worker-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert "no-referrer" == page.headers["Referrer-Policy"]
    assert "nosniff" == page.headers["X-Content-Type-Options"]


async def test_a_host_that_is_none_does_not_get_into_the_policy(serving: RunningHub) -> None:
    """Whoever forges it writes no policy of their own."""
    page = await serving.http().get("/track/ord_1", headers={"Host": "a;script-src *"})
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]
    assert 1 == page.headers["Content-Security-Policy"].count("script-src")


async def test_a_page_is_told_its_tiles(serving: RunningHub) -> None:
    """As JSON in the meta element, quotes and all."""
    page = await serving.http().get("/track/ord_1")
    told = re.search('<meta name="ordercast" content="([^"]*)">', page.text)
    assert told is not None
    assert {"tiles": TILES} == json.loads(html.unescape(told[1]))


@pytest.mark.parametrize(
    ("name", "kept", "media"),
    [
        ("track-B0cRGuL_.js", "public, max-age=31536000, immutable", "text/javascript"),
        ("picture-AAAAAAAA.png", "public, max-age=31536000, immutable", "image/png"),
        ("licences.md", "no-cache", "text/markdown"),
        ("ride-worker.js", "no-cache", "text/javascript"),
        ("ride.webmanifest", "no-cache", "application/manifest+json"),
    ],
)
async def test_what_has_its_digest_in_its_name_is_kept_for_ever(
    serving: RunningHub, name: str, kept: str, media: str
) -> None:
    """And nothing else is."""
    file = await serving.http().get(f"/pages/{name}")
    assert (200, kept) == (file.status_code, file.headers["Cache-Control"])
    assert media == file.headers["Content-Type"].partition(";")[0]
    assert "nosniff" == file.headers["X-Content-Type-Options"]


async def test_the_riders_page_may_have_its_worker(serving: RunningHub) -> None:
    """From the hub, for that page alone; the worker may load from the hub, and nothing else."""
    page = await serving.http().get("/ride")
    worker = await serving.http().get("/pages/ride-worker.js")
    other = await serving.http().get("/pages/track-B0cRGuL_.js")
    assert "worker-src 'self'" in page.headers["Content-Security-Policy"].split("; ")
    assert "/ride" == worker.headers["Service-Worker-Allowed"]
    policy = worker.headers["Content-Security-Policy"]
    assert "default-src 'none'; connect-src 'self'" == policy
    assert "Service-Worker-Allowed" not in other.headers


async def test_text_comes_zipped_to_who_takes_it(serving: RunningHub) -> None:
    """And as it is to others; pictures always as they are."""
    zipped, body = await raw(serving, "/pages/track-B0cRGuL_.js", **{"Accept-Encoding": "br, gzip"})
    plain, as_is = await raw(serving, "/pages/track-B0cRGuL_.js", **{"Accept-Encoding": "identity"})
    picture, _ = await raw(serving, "/pages/picture-AAAAAAAA.png", **{"Accept-Encoding": "gzip"})
    assert "gzip" == zipped.headers["Content-Encoding"]
    assert SCRIPT == gzip.decompress(body).decode() == as_is.decode()
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in picture.headers
    assert "Accept-Encoding" in zipped.headers["Vary"]


@pytest.mark.parametrize("path", ["/pages/nothing.js", "/pages/..%2F..%2Fcli.py", "/desk"])
async def test_what_is_not_built_is_not_found(serving: RunningHub, path: str) -> None:
    """A problem; nothing outside the directory is read."""
    answer = await serving.http().get(path)
    assert (404, "application/problem+json") == (
        answer.status_code,
        answer.headers["Content-Type"],
    )


@pytest.fixture
async def unbuilt(hub: RunningHub, tmp_path: Path) -> AsyncIterator[RunningHub]:
    before = hub.state.pages
    hub.state.pages = Pages(tmp_path / "nothing", None)
    yield hub
    hub.state.pages = before


@pytest.mark.parametrize("path", ["/track/ord_1", "/ride", "/pages/x.js"])
async def test_a_hub_without_pages_says_how_to_build_them(unbuilt: RunningHub, path: str) -> None:
    """404, in words."""
    answer = await unbuilt.http().get(path)
    assert 404 == answer.status_code
    assert "make pages" in answer.json()["detail"]


@pytest.mark.parametrize(
    "template", ["tiles", "https://t.example/{z}/{x}.png", "https://t.example/{z}/{x}/{y}/{key}"]
)
async def test_a_template_that_is_none_stops_the_start(template: str) -> None:
    """With the setting's name."""
    with pytest.raises(StartError, match="ORDERCAST_TILES"):
        Settings.load(tiles=template)
