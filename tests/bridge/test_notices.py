"""Endpoints that are told later, and not at night."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hub.bridge.bridge import Bridge
from hub.errors import UnprocessableError
from hub.services.deliveries import Deliveries
from hub.services.endpoints import Endpoints
from hub.store.books import Books
from hub.store.connection import Connection
from schemas.lifecycle import EventType
from schemas.webhooks import EndpointPatch, EndpointRequest
from tests.bridge.rig import Hub, Receiver, running, seqs, settled

Make = Callable[..., Bridge]
NIGHT = {"from": "22:00", "to": "08:00", "timezone": "Asia/Shanghai"}


def request(url: str, **more: Any) -> EndpointRequest:
    return EndpointRequest.read({"url": url, **more})


async def test_a_delay_is_waited(
    hub: Hub, receiver: Receiver, endpoints: Endpoints, make_bridge: Make, connection: Connection
) -> None:
    """From the event on, each event of an order after the one before; others wait for nothing."""
    await endpoints.create("acme", request(f"{receiver.url}/late", delay=0.4))
    await endpoints.create("acme", request(f"{receiver.url}/soon"))
    for kind in (EventType.CONFIRMED, EventType.COMPLETED):
        await hub.tell("a", kind)
    async with running(make_bridge()):
        await receiver.count(4)
        kept = {each["target"]: each for each in await settled(connection, 4)}
    assert ["/soon", "/soon", "/late", "/late"] == [call.path for call in receiver.calls]
    assert [1, 2] == seqs(receiver.at("/late"))
    book = await Books(connection).of_order("a")
    assert book is not None
    waits = sorted(each.first - each.created for each in book.items)
    assert waits[1] < 0.4 <= waits[2]
    assert {1} == {each["attempts"] for each in kept.values()}


def hours(begin: int, end: int) -> dict[str, str]:
    """Quiet hours so many hours from now."""
    now = datetime.now(UTC)
    start, to = (f"{now + timedelta(hours=each):%H:%M}" for each in (begin, end))
    return {"from": start, "to": to, "timezone": "UTC"}


async def test_nothing_is_sent_in_quiet_hours(
    hub: Hub, receiver: Receiver, endpoints: Endpoints, make_bridge: Make, connection: Connection
) -> None:
    """It is due at their end, but for what is about the endpoint itself."""
    quiet = await endpoints.create(
        "acme", request(f"{receiver.url}/quiet", quietHours=hours(-1, 3))
    )
    await endpoints.create("acme", request(f"{receiver.url}/loud"))
    await hub.tell("a", EventType.COMPLETED)
    async with running(make_bridge()):
        await receiver.count(1)
        await Deliveries(connection).test("acme", quiet.endpoint_id)
        await receiver.count(2)
        book = await Books(connection).of_order("a")
        assert book is not None
        (waiting,) = [each for each in book.items if each.which.target == quiet.endpoint_id]
        (due,) = await Books(connection).next_due([waiting])
    assert {"/loud", "/quiet"} == {call.path for call in receiver.calls}
    assert ["endpoint.test"] == [call.body["eventType"] for call in receiver.at("/quiet")]
    assert due is not None
    assert 2.9 * 3600 < due - time.time() <= 3 * 3600
    assert (0, 0.0) == (waiting.attempts, waiting.first)


async def test_outside_of_them_it_is_sent(
    hub: Hub, receiver: Receiver, endpoints: Endpoints, make_bridge: Make
) -> None:
    """At once."""
    await endpoints.create("acme", request(f"{receiver.url}/quiet", quietHours=hours(1, 3)))
    await hub.tell("a", EventType.COMPLETED)
    async with running(make_bridge()):
        await receiver.count(1)


async def test_both_can_be_changed_and_taken_back(endpoints: Endpoints) -> None:
    """By PATCH; what is not named stays."""
    made = await endpoints.create(
        "acme", request("https://8.8.8.8/hook", delay=60, quietHours=NIGHT)
    )
    assert (60, NIGHT) == (made.delay, made.dump()["quietHours"])

    async def patched(**fields: Any) -> dict[str, Any]:
        patch = EndpointPatch.read(fields)
        changed = await endpoints.patch("acme", made.endpoint_id, patch)
        assert changed == await endpoints.get("acme", made.endpoint_id)
        return changed.dump()

    shorter = await patched(delay=30)
    assert (30, NIGHT) == (shorter["delay"], shorter["quietHours"])
    nap = {"from": "12:00", "to": "14:00", "timezone": "UTC"}
    assert nap == (await patched(quietHours=nap))["quietHours"]
    assert "quietHours" not in await patched(quietHours=None)
    assert "delay" not in await patched(delay=0)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"delay": -1}, ("delay",)),
        ({"delay": 604_801}, ("delay",)),
        ({"delay": float("nan")}, ("delay",)),
        ({"delay": "1h"}, ("delay",)),
        ({"quietHours": {**NIGHT, "from": "24:00"}}, ("quietHours", "from")),
        ({"quietHours": {**NIGHT, "to": "8:00"}}, ("quietHours", "to")),
        ({"quietHours": {**NIGHT, "to": "22:00"}}, ("quietHours", "to")),
        ({"quietHours": {"from": "22:00", "to": "08:00"}}, ("quietHours", "timezone")),
    ],
)
def test_what_does_not_fit_is_named(fields: dict[str, Any], where: tuple[str, ...]) -> None:
    """In a new endpoint and in a change."""
    for model in (EndpointRequest, EndpointPatch):
        with pytest.raises(ValidationError) as refused:
            model.read({"url": "https://8.8.8.8/hook", **fields})
        assert [where] == [each["loc"] for each in refused.value.errors()]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "/etc/localtime", "\0", "Asia"])
async def test_a_zone_that_is_none_is_named(endpoints: Endpoints, zone: str) -> None:
    """And nothing is made."""
    with pytest.raises(UnprocessableError) as refused:
        await endpoints.create(
            "acme", request("https://8.8.8.8/hook", quietHours={**NIGHT, "timezone": zone})
        )
    assert ["#/quietHours/timezone"] == [
        each["pointer"] for each in refused.value.members["errors"]
    ]
    assert ([], None) == await endpoints.list("acme")
