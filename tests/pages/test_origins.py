"""A page of another origin in a real Chromium: it may use the API if that origin is named."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Error, Page

from hub.store.embedded import EmbeddedStore
from schemas.lifecycle import Role
from tests.hub.harness import RunningHub, fresh, hubs, order_body, place, token

pytestmark = pytest.mark.asyncio(loop_scope="session")

BLANK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>"
PLACE = """async ({hub, bearer, key, body}) => {
  const headers = {
    Authorization: `Bearer ${bearer}`, "Content-Type": "application/json", "Idempotency-Key": key,
  };
  const ask = () => fetch(`${hub}/v1/orders`, {method: "POST", headers, body});
  const [first, again] = [await ask(), await ask()];
  const order = await first.json();
  const path = `${hub}/v1/orders/${order.orderId}`;
  headers["If-None-Match"] = first.headers.get("ETag");
  const read = await fetch(path, {headers});
  return {
    order, location: first.headers.get("Location"), status: read.status,
    replayed: again.headers.get("Idempotent-Replayed"),
  };
}"""
WATCH = """({hub, order, from}) => fetch(`${hub}/v1/orders/${order.orderId}/stream`, {
  headers: {Authorization: `Bearer ${order.streamToken}`, "Last-Event-ID": from},
}).then(async ({body}) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let told = ""; ; told += (await reader.read()).value)
    if (told.includes('"type":"subscribed"')) return told;
})"""
LISTEN = """({hub, order}) => new Promise((resolve, reject) => {
  const token = encodeURIComponent(order.streamToken);
  const events = new EventSource(`${hub}/v1/orders/${order.orderId}/stream?access_token=${token}`);
  events.onmessage = ({data}) => { events.close(); resolve(JSON.parse(data).type); };
  events.onerror = () => reject(new Error("no stream"));
})"""


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    """The origin of a server that has an empty page."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BLANK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def page_at(browser: Browser, origin: str) -> AsyncIterator[Page]:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(origin)
    yield page
    await context.close()


async def test_a_page_of_an_origin_that_is_named_may_use_the_api(
    browser: Browser, shared_store: EmbeddedStore
) -> None:
    """It places an order, reads the headers of the answers, and follows it in both ways."""
    async with (
        elsewhere() as origin,
        hubs(shared_store, allowed_origins=origin) as (hub,),
        page_at(browser, origin) as page,
    ):
        placed = await page.evaluate(PLACE, placing(hub))
        assert (304, "true") == (placed["status"], placed["replayed"])
        assert f"/v1/orders/{placed['order']['orderId']}" == placed["location"]
        about = {"hub": hub.url, "order": placed["order"]}
        after = f"{placed['order']['epoch']}-1"
        assert '"recovered":true' in await page.evaluate(WATCH, {**about, "from": after})
        assert "subscribed" == await page.evaluate(LISTEN, about)


async def test_any_other_page_may_not(browser: Browser, shared_store: EmbeddedStore) -> None:
    """The browser does not even send what it has to ask about first."""
    async with (
        elsewhere() as origin,
        hubs(shared_store, allowed_origins="https://shop.example") as (hub,),
        page_at(browser, origin) as page,
    ):
        order = await place(hub.platform)
        for script, about in ((PLACE, placing(hub)), (LISTEN, {"hub": hub.url, "order": order})):
            with pytest.raises(Error, match=r"Failed to fetch|no stream"):
                await page.evaluate(script, about)


def placing(hub: RunningHub) -> dict[str, str]:
    body = json.dumps(order_body())
    return {"hub": hub.url, "bearer": token(Role.PLATFORM), "key": fresh("key"), "body": body}
