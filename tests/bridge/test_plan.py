"""From an event to its deliveries."""

import json
from typing import Any

import msgpack
import pytest

from hub.bridge.plan import Entry, plan, queue_of, read_entry
from hub.core.webhooks.bodies import body_of, url_of
from hub.store.endpoints import EndpointRecord
from schemas.lifecycle import EventType

URL = "https://partner.example/hook"
CHANGES = (
    EventType.CONFIRMED,
    EventType.PREPARING,
    EventType.ON_DELIVERY,
    EventType.COMPLETED,
    EventType.CANCELLED,
    EventType.RETURNING,
    EventType.RETURNED,
)


def event(kind: EventType, **more: Any) -> dict[str, Any]:
    return {
        "orderId": "ord_1",
        "epoch": "abcdefgh",
        "seq": 3,
        "eventType": kind.value,
        "status": "CONFIRMED",
        "timestamp": "2026-11-22T19:05:43.120Z",
        **more,
    }


def endpoint(name: str, *kinds: EventType, enabled: bool = True) -> EndpointRecord:
    return EndpointRecord(
        endpoint_id=f"ep_{name}",
        url=URL,
        event_types=tuple(kind.value for kind in kinds),
        mode="all",
        enabled=enabled,
        secret="whsec_",
        created=0.0,
    )


@pytest.mark.parametrize("kind", EventType)
def test_callbacks(kind: EventType) -> None:
    """Status changes go to the URL, CONFIRMED also to its order-status; created to neither."""
    made = plan(Entry(event(kind), "acme", URL), [])
    expected = ["changes"] if kind in CHANGES else []
    if kind is EventType.CONFIRMED:
        expected.insert(0, "confirmed")
    assert expected == [each.name for each in made.targets] if made else expected == []
    assert plan(Entry(event(kind), "acme", None), []) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example/order-status"),
        ("https://a.example/", "https://a.example/order-status"),
        ("https://a.example/n?key=1&b=/", "https://a.example/n/order-status?key=1&b=/"),
        ("https://a.example/%2Fn%20", "https://a.example/%2Fn%20/order-status"),
    ],
)
def test_order_status_url(url: str, expected: str) -> None:
    """The path is continued, the query stays at the end."""
    assert expected == url_of("confirmed", url)
    assert url == url_of("changes", url)


def test_endpoints() -> None:
    """Each endpoint that wants the event gets it; one that is off has it held."""
    endpoints = [
        endpoint("all"),
        endpoint("ready", EventType.READY),
        endpoint("done", EventType.COMPLETED),
        endpoint("off", enabled=False),
    ]
    made = plan(Entry(event(EventType.READY), "acme", None), endpoints)
    assert made is not None
    assert [(each.name, each.held) for each in made.targets] == [
        ("ep_all", False),
        ("ep_ready", False),
        ("ep_off", True),
    ]
    assert ["ep_all", "ep_ready", "ep_off"] == [each.queue for each in made.targets]


def test_bodies_leave_out_what_is_absent() -> None:
    """Absent instead of null, and nothing of the event that is not the partner's business."""
    told = event(EventType.CANCELLED, reason="下雨", actor={"role": "ops"}, hash="00", eta=None)
    made = plan(Entry(told, "acme", URL), [endpoint("all")])
    assert made is not None
    update = {
        "orderId": "ord_1",
        "status": "CONFIRMED",
        "timestamp": "2026-11-22T19:05:43.120Z",
        "reason": "下雨",
    }
    registered = {
        "eventType": "order.cancelled",
        "payload": update,
        "orderId": "ord_1",
        "seq": 3,
        "timestamp": "2026-11-22T19:05:43.120Z",
    }
    bodies = {
        "ep_all": registered,
        "changes": {"eventType": "order.cancelled", "payload": update, "seq": 3},
        "confirmed": {**update, "seq": 3},
    }
    for target, body in bodies.items():
        assert body == json.loads(body_of(target, made.payload))
    assert {**registered, "supersedes": [1, 2]} == json.loads(
        body_of("ep_all", made.payload, (1, 2))
    )


def test_queues() -> None:
    """A queue names its origin and tells URLs apart, whatever their host's case."""
    queues = [
        queue_of(url)
        for url in (f"{URL}/1", f"{URL}/1", f"{URL}/2", "https://PARTNER.example/hook/1")
    ]
    assert queues[0] == queues[1] != queues[2]
    assert {"https://partner.example"} == {queue.partition("|")[0] for queue in queues}


def fields(**changes: Any) -> dict[bytes, bytes]:
    whom = msgpack.packb({"partner": "acme", "url": URL})
    return {b"e": json.dumps({**event(EventType.READY), **changes}).encode(), b"w": whom}


def test_read_entry() -> None:
    """Fields that a newer hub may have written pass."""
    read = read_entry("1-0", {**fields(novelty=1), b"x": b"1"})
    assert (read.partner, read.url, read.event["novelty"]) == ("acme", URL, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {b"e": b"{}", b"w": b""},
        {**fields(), b"w": msgpack.packb({"url": URL})},
        {**fields(), b"w": msgpack.packb({"partner": "acme"})},
        {**fields(), b"w": msgpack.packb([])},
        {**fields(), b"w": msgpack.packb({"partner": "acme", "url": "https://[::1"})},
        {**fields(), b"w": b"\xc1"},
        {**fields(), b"e": b"\xff"},
        {**fields(), b"e": b"[]"},
        fields(seq="3"),
        fields(orderId=None),
    ],
)
def test_read_garbage(bad: dict[bytes, bytes]) -> None:
    """What is no entry raises one of the three that the reader passes over."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_entry("1-0", bad)
