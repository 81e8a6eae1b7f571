"""From an event to its deliveries."""

import json
from typing import Any

import msgpack
import pytest

from hub.bridge.plan import Entry, plan, read_entry
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
    made = plan(7, Entry(event(kind), "acme", URL), [])
    expected = [("changes", URL)] if kind in CHANGES else []
    if kind is EventType.CONFIRMED:
        expected.insert(0, ("confirmed", f"{URL}/order-status"))
    assert expected == [(each.target, each.url) for each in made]
    assert plan(7, Entry(event(kind), "acme", None), []) == []


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
    assert expected == plan(7, Entry(event(EventType.CONFIRMED), "acme", url), [])[0].url


def test_endpoints() -> None:
    """Each endpoint that wants the event gets it; one that is off has it held."""
    endpoints = [
        endpoint("all"),
        endpoint("ready", EventType.READY),
        endpoint("done", EventType.COMPLETED),
        endpoint("off", enabled=False),
    ]
    made = plan(7, Entry(event(EventType.READY), "acme", None), endpoints)
    assert [(each.target, each.held) for each in made] == [
        ("ep_all", False),
        ("ep_ready", False),
        ("ep_off", True),
    ]
    assert {"ep_all", "ep_ready", "ep_off"} == {each.queue for each in made}
    assert len({each.delivery_id for each in made}) == 3


def test_bodies_leave_out_what_is_absent() -> None:
    """Absent instead of null, and nothing of the event that is not the partner's business."""
    told = event(EventType.CANCELLED, reason="下雨", actor={"role": "ops"}, hash="00", eta=None)
    made = plan(7, Entry(told, "acme", URL), [endpoint("all")])
    update = {
        "orderId": "ord_1",
        "status": "CONFIRMED",
        "timestamp": "2026-11-22T19:05:43.120Z",
        "reason": "下雨",
    }
    assert [
        {"eventType": "order.cancelled", "payload": update, "seq": 3},
        {
            "eventType": "order.cancelled",
            "payload": update,
            "orderId": "ord_1",
            "seq": 3,
            "timestamp": "2026-11-22T19:05:43.120Z",
        },
    ] == [json.loads(each.body) for each in made]


def test_queues() -> None:
    """A queue names its origin and tells URLs apart, whatever their host's case."""
    queues = [
        plan(7, Entry(event(EventType.PREPARING), "acme", url), [])[0].queue
        for url in (f"{URL}/1", f"{URL}/1", f"{URL}/2", "https://PARTNER.example/hook/1")
    ]
    assert queues[0] == queues[1] != queues[2]
    assert {"https://partner.example"} == {queue.partition("|")[0] for queue in queues}


def fields(**changes: Any) -> dict[bytes, bytes]:
    whom = msgpack.packb({"partner": "acme", "url": URL})
    return {b"e": json.dumps({**event(EventType.READY), **changes}).encode(), b"w": whom}


def test_read_entry() -> None:
    """Fields that a newer hub may have written pass."""
    read = read_entry({**fields(novelty=1), b"x": b"1"})
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
        read_entry(bad)
