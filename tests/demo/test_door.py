"""The short addresses that the demo prints."""

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from hub.demo.door import Door
from hub.demo.records import Records


async def partner(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def records_of(*statuses: str) -> Records:
    """Orders 0, 1 and so on, with the token t0, t1."""
    records = Records(lambda: 0.0)
    for number, status in enumerate(statuses):
        records.open(f"ord_{number}", f"t{number}").status = status
    return records


async def ask(records: Records, method: str, path: str) -> httpx2.Response:
    door = Door(records, "http://hub", "http://hub/desk#platform", partner)
    transport = httpx2.ASGITransport(door)
    async with httpx2.AsyncClient(transport=transport, base_url="http://demo") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("statuses", "newest"),
    [
        (["ON_DELIVERY", "ON_DELIVERY", "PREPARING", "COMPLETED"], 1),
        (["PENDING", "PREPARING", "CANCELLED"], 1),
        (["COMPLETED", "CANCELLED"], 1),
    ],
)
async def test_what_is_under_way_is_shown(statuses: list[str], newest: int) -> None:
    """The newest order on its way, else one that is not at its end, with its own token."""
    records = records_of(*statuses)
    page = await ask(records, "GET", "/track")
    stream = await ask(records, "GET", "/stream")

    assert 302 == page.status_code
    assert f"http://hub/track/ord_{newest}#t{newest}" == page.headers["location"]
    assert f"/v1/orders/ord_{newest}/stream?access_token=t{newest}" in stream.headers["location"]


async def test_the_desk_is_led_to_before_there_is_an_order() -> None:
    """What is not there yet says so."""
    desk = await ask(Records(lambda: 0.0), "GET", "/desk")
    track = await ask(Records(lambda: 0.0), "GET", "/track")

    assert "http://hub/desk#platform" == desk.headers["location"]
    assert 404 == track.status_code


def test_the_first_order_has_a_page_that_stays() -> None:
    """Whatever becomes of it."""
    door = Door(records_of("COMPLETED", "ON_DELIVERY"), "http://hub", "", partner)
    assert "http://hub/track/ord_0#t0" == door.first


async def test_webhooks_are_the_partners() -> None:
    assert 202 == (await ask(records_of("PENDING"), "POST", "/hooks")).status_code
