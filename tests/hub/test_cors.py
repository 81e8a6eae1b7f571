"""Pages of other origins, by HTTP: those that the operator named, and no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2
import pytest
import pytest_asyncio

from hub.store.embedded import EmbeddedStore
from tests.hub.harness import PATIENCE, RunningHub, fresh, hubs, order_body, place

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP, APP, EVIL = "https://shop.example", "http://127.0.0.1:5173", "https://evil.example"
ASKED = {"Access-Control-Request-Method": "POST"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_hub(shared_store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(shared_store, allowed_origins=f"{SHOP}, {APP}") as (hub,):
        yield hub


def granted(answer: httpx2.Response) -> dict[str, str]:
    """What it says of CORS."""
    prefix = "access-control-"
    named = answer.headers.items()
    return {name.removeprefix(prefix): value for name, value in named if name.startswith(prefix)}


def words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(",")}


@pytest.mark.parametrize("origin", [SHOP, APP])
async def test_an_allowed_page_may_read_answers(open_hub: RunningHub, origin: str) -> None:
    """All of them, problems too, with the headers that a client needs; and no cookies."""
    platform, headers = open_hub.platform, {"Origin": origin, "Idempotency-Key": fresh("key")}
    placed = await platform.post("/v1/orders", json=order_body(), headers=headers)
    again = await platform.post("/v1/orders", json=order_body(), headers=headers)
    missing = await platform.get("/v1/orders/nothing", headers=headers)
    refused = await open_hub.http().get("/v1/orders/nothing", headers=headers)
    answers = [placed, again, missing, refused]
    assert [201, 201, 404, 401] == [answer.status_code for answer in answers]
    for answer in answers:
        told = granted(answer)
        assert {"allow-origin", "expose-headers"} == set(told)
        assert origin == told["allow-origin"]
        wanted = {"etag", "location", "retry-after", "idempotent-replayed"}
        assert wanted <= words(told["expose-headers"])
        assert "origin" in words(answer.headers["vary"])


async def test_a_fault_of_ours_can_be_read_too(
    open_hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page sees the 500, not a network error."""

    async def broken(*of: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(open_hub.state.orders, "get", broken)
    answer = await open_hub.platform.get("/v1/orders/any", headers={"Origin": SHOP})
    assert (500, SHOP) == (answer.status_code, granted(answer)["allow-origin"])


async def test_a_preflight_allows_what_the_api_takes(open_hub: RunningHub) -> None:
    """Methods and headers; it needs no token, as browsers send none."""
    answer = await open_hub.http().options("/v1/orders", headers={**ASKED, "Origin": SHOP})
    told = granted(answer)
    assert (204, b"") == (answer.status_code, answer.content)
    assert SHOP == told["allow-origin"]
    assert {"get", "post", "put", "patch", "delete"} == words(told["allow-methods"])
    wanted = {"authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id"}
    assert wanted <= words(told["allow-headers"])
    assert int(told["max-age"]) > 0
    assert "allow-credentials" not in told


@pytest.mark.parametrize("origin", [EVIL, "http://shop.example", f"{SHOP}:444", "null", None])
async def test_other_pages_get_nothing(open_hub: RunningHub, origin: str | None) -> None:
    """The browser keeps the answer from them; caches are told that it depends."""
    headers = {} if origin is None else {"Origin": origin}
    order = await place(open_hub.platform)
    answer = await open_hub.platform.get(f"/v1/orders/{order['orderId']}", headers=headers)
    preflight = await open_hub.http().options("/v1/orders", headers={**ASKED, **headers})
    assert [200, 405] == [answer.status_code, preflight.status_code]
    assert {} == granted(answer) == granted(preflight)
    assert "origin" in words(answer.headers["vary"])


async def test_events_come_to_an_allowed_page_as_they_happen(open_hub: RunningHub) -> None:
    """By Server-Sent Events: the headers at once, and nothing is gathered."""
    order = await place(open_hub.platform)
    path = f"/v1/orders/{order['orderId']}/stream"
    query = {"access_token": order["streamToken"]}
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        stream = await stack.enter_async_context(
            open_hub.http().stream("GET", path, params=query, headers={"Origin": APP})
        )
        assert APP == granted(stream)["allow-origin"]
        lines = stream.aiter_lines()
        while not (await anext(lines)).startswith("data: "):
            pass


async def test_what_is_public_stays_open_to_all(open_hub: RunningHub) -> None:
    """A shared cache may keep it: it is not bound to who asked first. Pages are no API."""
    await open_hub.platform.put("/v1/restaurants/res_cors", json={"name": "Open"})
    for path in ("/v1/restaurants/res_cors", "/openapi.json"):
        for origin in (SHOP, EVIL):
            answer = await open_hub.http().get(path, headers={"Origin": origin})
            assert {"allow-origin": "*"} == granted(answer)
            assert "vary" not in answer.headers
    for path in ("/track/ord_1", "/healthz", "/metrics"):
        assert {} == granted(await open_hub.http().get(path, headers={"Origin": SHOP}))


async def test_any_page_may_where_the_operator_says_so(shared_store: EmbeddedStore) -> None:
    """`*`: the same for all, so nothing varies."""
    async with hubs(shared_store, allowed_origins="*") as (hub,):
        order = await place(hub.platform)
        path, headers = f"/v1/orders/{order['orderId']}", {"Origin": EVIL}
        answer = await hub.platform.get(path, headers=headers)
        preflight = await hub.http().options(path, headers={**ASKED, **headers})
    assert "*" == granted(answer)["allow-origin"] == granted(preflight)["allow-origin"]
    assert "origin" not in words(answer.headers["vary"])
    assert "allow-credentials" not in granted(preflight)


async def test_by_default_nobody_is_told_anything(hub: RunningHub) -> None:
    """Same origin only: no header at all, and no answer to a preflight."""
    order = await place(hub.platform)
    path, headers = f"/v1/orders/{order['orderId']}", {"Origin": f"http://127.0.0.1:{hub.port}"}
    answer = await hub.platform.get(path, headers=headers)
    preflight = await hub.http().options(path, headers={**ASKED, **headers})
    assert [200, 405] == [answer.status_code, preflight.status_code]
    assert {} == granted(answer) == granted(preflight)
    assert "origin" not in words(answer.headers["vary"])
