"""Orders over HTTP: placing, moving, reading, and who may do what (contract 2 and 11)."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from hub.core.orders.chain import sealed
from schemas.gcj02 import to_gcj02
from schemas.lifecycle import Role
from schemas.orders import Event, Order
from tests.hub.harness import (
    SHOP,
    RunningHub,
    advance,
    assign,
    fits,
    fresh,
    move,
    now,
    on_delivery,
    order_body,
    place,
    status_body,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def shown(client: httpx2.AsyncClient, order: dict[str, Any]) -> dict[str, Any]:
    response = await client.get(f"/v1/orders/{order['orderId']}")
    assert 200 == response.status_code, response.text
    return dict(response.json())


async def events(client: httpx2.AsyncClient, order: dict[str, Any]) -> list[dict[str, Any]]:
    response = await client.get(f"/v1/orders/{order['orderId']}/events")
    assert 200 == response.status_code, response.text
    return list(response.json()["events"])


async def kinds(client: httpx2.AsyncClient, order: dict[str, Any]) -> list[str]:
    return [event["eventType"] for event in await events(client, order)]


# Placing


async def test_placing_answers_the_order(platform: httpx2.AsyncClient) -> None:
    """A new order is PENDING at seq 1, says where it is, and comes with a token to watch it."""
    response = await platform.post("/v1/orders", json=order_body())
    placed = response.json()
    assert 201 == response.status_code
    assert f"/v1/orders/{placed['orderId']}" == response.headers["Location"]
    assert ("PENDING", 1, 3700) == (placed["status"], placed["seq"], placed["totalCents"])
    token = placed.pop("streamToken")
    fits(Order, placed)
    own = {"Authorization": f"Bearer {token}"}
    answer = await platform.get(f"/v1/orders/{placed['orderId']}", headers=own)
    assert placed["orderId"] == answer.json()["orderId"]


async def test_a_stream_token_is_good_for_one_order(platform: httpx2.AsyncClient) -> None:
    """Another order looks unknown to it."""
    mine, other = await place(platform), await place(platform)
    own = {"Authorization": f"Bearer {mine['streamToken']}"}
    answer = await platform.get(f"/v1/orders/{other['orderId']}", headers=own)
    assert 404 == answer.status_code


async def test_placing_in_gcj02_is_held_in_wgs84(platform: httpx2.AsyncClient) -> None:
    """Coordinates told with `crs` come back as WGS 84, some 500 m away."""
    order = await place(platform, pickup={**SHOP, "crs": "gcj02"})
    assert SHOP != order["pickup"]
    assert SHOP["lat"] == pytest.approx(order["pickup"]["lat"], abs=0.01)


async def test_the_restaurants_place_is_the_pickup(platform: httpx2.AsyncClient) -> None:
    """Without `pickup` the order takes that of its restaurant, if it is known."""
    restaurant = fresh("res")
    path = f"/v1/restaurants/{restaurant}"
    await platform.put(path, json={"name": "Noodles", "location": SHOP})
    known = await place(platform, restaurantId=restaurant, pickup=None)
    unknown = await place(platform, restaurantId=fresh("res"), pickup=None)
    assert SHOP == known["pickup"]
    assert "pickup" not in unknown


async def test_external_id_makes_one_order(platform: httpx2.AsyncClient) -> None:
    """The same number and body answer the first order, with a fresh token and status 200."""
    number = fresh("ext")
    first = await platform.post("/v1/orders", json=order_body(externalId=number))
    second = await platform.post("/v1/orders", json=order_body(externalId=number))
    assert (201, 200) == (first.status_code, second.status_code)
    assert first.json()["orderId"] == second.json()["orderId"]
    assert second.json()["streamToken"]


async def test_external_id_with_another_body(platform: httpx2.AsyncClient) -> None:
    """The number names one order: another body is 409 and says which order has it."""
    number = fresh("ext")
    first = await place(platform, externalId=number)
    second = await platform.post(
        "/v1/orders", json=order_body(externalId=number, customerId="cus_2")
    )
    assert (409, first["orderId"]) == (second.status_code, second.json()["orderId"])


async def test_external_id_in_a_race(platform: httpx2.AsyncClient) -> None:
    """However many place it at once, there is one order and it was created once."""
    body = order_body(externalId=fresh("ext"))
    answers = await asyncio.gather(*(platform.post("/v1/orders", json=body) for _ in range(8)))
    assert 1 == len({answer.json()["orderId"] for answer in answers})
    assert [200] * 7 + [201] == sorted(answer.status_code for answer in answers)
    assert ["order.created"] == await kinds(platform, answers[0].json())


async def test_external_ids_of_two_partners(hub: RunningHub) -> None:
    """Each partner has numbers of its own."""
    number = fresh("ext")
    one = await place(hub.http(Role.PLATFORM, partner="one"), externalId=number)
    two = await place(hub.http(Role.PLATFORM, partner="two"), externalId=number)
    assert one["orderId"] != two["orderId"]


# Idempotency-Key


async def test_a_key_replays_the_first_answer(platform: httpx2.AsyncClient) -> None:
    """The same key and body answer the same bytes, and say that they are a replay."""
    body, key = order_body(), {"Idempotency-Key": fresh("key")}
    first = await platform.post("/v1/orders", json=body, headers=key)
    second = await platform.post("/v1/orders", json=body, headers=key)
    assert (201, 201) == (first.status_code, second.status_code)
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert "true" == second.headers["Idempotent-Replayed"]


async def test_a_key_with_another_body(platform: httpx2.AsyncClient) -> None:
    """A key belongs to one request."""
    key = {"Idempotency-Key": fresh("key")}
    await platform.post("/v1/orders", json=order_body(), headers=key)
    second = await platform.post("/v1/orders", json=order_body(customerId="c"), headers=key)
    assert 422 == second.status_code


async def test_a_key_is_the_callers_own(hub: RunningHub) -> None:
    """Two callers may use the same key."""
    body, key = order_body(), {"Idempotency-Key": fresh("key")}
    one = await hub.http(Role.PLATFORM, sub="a").post("/v1/orders", json=body, headers=key)
    two = await hub.http(Role.PLATFORM, sub="b").post("/v1/orders", json=body, headers=key)
    assert one.json()["orderId"] != two.json()["orderId"]


async def test_a_key_holds_for_a_status(platform: httpx2.AsyncClient) -> None:
    """A replayed status update answers as the first did, although the order has moved on."""
    order = await place(platform)
    path, body = f"/v1/orders/{order['orderId']}/status", status_body("CONFIRMED")
    key = {"Idempotency-Key": fresh("key")}
    first = await platform.post(path, json=body, headers=key)
    await advance(platform, order, "PREPARING")
    second = await platform.post(path, json=body, headers=key)
    assert first.json() == second.json()
    assert 3 == (await shown(platform, order))["seq"]


async def test_a_key_replays_a_refusal(platform: httpx2.AsyncClient) -> None:
    """A 4xx is an answer too: it is given again, although the step would be allowed by now."""
    order = await place(platform)
    path, body = f"/v1/orders/{order['orderId']}/status", status_body("PREPARING")
    key = {"Idempotency-Key": fresh("key")}
    first = await platform.post(path, json=body, headers=key)
    await advance(platform, order, "CONFIRMED")
    second = await platform.post(path, json=body, headers=key)
    assert (409, 409) == (first.status_code, second.status_code)
    assert "true" == second.headers["Idempotent-Replayed"]
    assert "application/problem+json" == second.headers["Content-Type"]


async def test_a_key_in_a_race(platform: httpx2.AsyncClient) -> None:
    """Requests that come while the first is under way get 409 with Retry-After, or its answer."""
    body, key = order_body(), {"Idempotency-Key": fresh("key")}
    answers = await asyncio.gather(
        *(platform.post("/v1/orders", json=body, headers=key) for _ in range(8))
    )
    placed = {a.json()["orderId"] for a in answers if a.status_code == 201}
    assert 1 == len(placed)
    for busy in (a for a in answers if a.status_code != 201):
        assert (409, "1") == (busy.status_code, busy.headers["Retry-After"])


# Reading


async def test_reading_with_an_etag(platform: httpx2.AsyncClient) -> None:
    """The ETag is that of epoch and seq; it saves the body until the order changes."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}"
    first = await platform.get(path)
    etag = {"If-None-Match": first.headers["ETag"]}
    same = await platform.get(path, headers=etag)
    await advance(platform, order, "CONFIRMED")
    changed = await platform.get(path, headers=etag)
    assert f'"{order["epoch"]}-1"' == first.headers["ETag"]
    assert (304, b"") == (same.status_code, same.content)
    assert (200, f'"{order["epoch"]}-2"') == (changed.status_code, changed.headers["ETag"])


async def test_the_etag_of_what_no_event_tells(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """A second rider who has picked up makes no event, but another body."""
    order = await on_delivery(platform, "r_first")
    await assign(platform, order, "r_second")
    path = f"/v1/orders/{order['orderId']}"
    before = await platform.get(path)
    rider = hub.http(Role.RIDER, sub="r_second")
    await rider.post(f"{path}/courier-state", json={"state": "PICKED_UP"})
    after = await platform.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert (200, "PICKED_UP") == (after.status_code, after.json()["courierState"])
    assert before.json()["seq"] == after.json()["seq"]
    await advance(platform, order, "COMPLETED")
    final = await platform.get(path)
    assert f'"{order["epoch"]}-{final.json()["seq"]}"' == final.headers["ETag"]


@pytest.mark.parametrize("header", ['"x", {}', "W/{}", "*"])
async def test_if_none_match_by_its_rules(platform: httpx2.AsyncClient, header: str) -> None:
    """Lists, weak tags and the star match (RFC 9110, 13.1.2)."""
    order = await place(platform)
    etag = f'"{order["epoch"]}-1"'
    answer = await platform.get(
        f"/v1/orders/{order['orderId']}", headers={"If-None-Match": header.format(etag)}
    )
    assert 304 == answer.status_code


async def test_cache_control(platform: httpx2.AsyncClient) -> None:
    """A live order is asked for anew, a finished one is kept for an hour; both privately."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}"
    live = await platform.get(path)
    await advance(platform, order, "CANCELLED")
    final = await platform.get(path)
    assert "private, no-cache" == live.headers["Cache-Control"]
    assert "private, max-age=3600" == final.headers["Cache-Control"]


async def test_events_are_numbered_and_chained(platform: httpx2.AsyncClient) -> None:
    """They come oldest first, without a hole, each with the hash of the one before."""
    order = await place(platform)
    await assign(platform, order, "r1")
    await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
    told = await events(platform, order)
    assert list(range(1, 7)) == [event["seq"] for event in told]
    previous = ""
    for event in told:
        fits(Event, event)
        bare = {name: value for name, value in event.items() if name not in ("hash", "prevHash")}
        assert sealed(bare, previous) == event
        previous = event["hash"]


async def test_events_after_a_place(platform: httpx2.AsyncClient) -> None:
    """`after` leaves out what is known; after the end there is nothing."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "PREPARING")
    path = f"/v1/orders/{order['orderId']}/events"
    later = (await platform.get(path, params={"after": 1})).json()
    beyond = (await platform.get(path, params={"after": 99})).json()
    assert [2, 3] == [event["seq"] for event in later["events"]]
    assert (order["epoch"], []) == (beyond["epoch"], beyond["events"])


async def test_an_event_names_its_actor(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Role and subject of the token that did it."""
    order = await place(platform)
    merchant = hub.http(Role.MERCHANT, restaurant="res_1", sub="cook")
    await advance(merchant, order, "CONFIRMED")
    assert {"role": "merchant", "sub": "cook"} == (await events(platform, order))[-1]["actor"]


# Moving on


async def test_a_skip_makes_one_event(platform: httpx2.AsyncClient) -> None:
    """From CONFIRMED straight to COMPLETED: one event, and what was skipped counts as passed."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED")
    await advance(platform, order, "COMPLETED")
    late = (await move(platform, order, "PREPARING", offset=-60)).json()
    assert (False, True) == (late["applied"], late["late"])
    assert ["order.created", "order.confirmed", "order.completed"] == await kinds(platform, order)


async def test_repeating_the_status_changes_nothing(platform: httpx2.AsyncClient) -> None:
    """`applied: false` at the same seq."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED")
    again = (await move(platform, order, "CONFIRMED", offset=5)).json()
    wanted = {"orderId": order["orderId"], "status": "CONFIRMED", "seq": 2, "applied": False}
    assert wanted == again


async def test_a_late_update_is_kept_as_an_operation(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """It makes no event, but what was asked is not forgotten."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "PREPARING")
    late = await move(platform, order, "CONFIRMED", offset=-60)
    noted = await hub.state.order_store.operations(order["orderId"])
    assert (200, True, 3) == (late.status_code, late.json()["late"], late.json()["seq"])
    assert [("CONFIRMED", True)] == [(each["status"], each["late"]) for each in noted]


async def test_a_forbidden_step_names_the_allowed_ones(platform: httpx2.AsyncClient) -> None:
    """409 says what could be asked for instead, and nothing has changed."""
    order = await place(platform)
    refused = await move(platform, order, "PREPARING")
    assert (409, ["CONFIRMED", "CANCELLED"]) == (refused.status_code, refused.json()["allowed"])
    assert 1 == (await shown(platform, order))["seq"]


async def test_racing_updates_leave_no_hole(platform: httpx2.AsyncClient) -> None:
    """Many writers at once: each status is applied once, and the sequence has no hole."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED")
    wanted = ["PREPARING", "ON_DELIVERY", "COMPLETED"] * 4
    answers = await asyncio.gather(*(move(platform, order, status) for status in wanted))
    told = await events(platform, order)
    applied = [a for a in answers if a.status_code == 200 and a.json()["applied"]]
    assert list(range(1, len(told) + 1)) == [event["seq"] for event in told]
    assert len(told) - 2 == len(applied)
    assert "COMPLETED" == told[-1]["status"]


async def test_an_estimate_is_told_in_minutes(platform: httpx2.AsyncClient) -> None:
    """`estimatedTime` goes with the event, forecast before anybody said it; none at the end."""
    order = await place(platform)
    await move(platform, order, "CONFIRMED", estimatedTime=25)
    await advance(platform, order, "COMPLETED")
    told = await events(platform, order)
    forecast, *others = (event.get("estimatedTime") for event in told)
    assert forecast > 0
    assert [25, None] == others


async def test_a_return(platform: httpx2.AsyncClient) -> None:
    """ON_DELIVERY, RETURNING, RETURNED; RETURNED needs RETURNING."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED", "ON_DELIVERY")
    early = await move(platform, order, "RETURNED")
    await advance(platform, order, "RETURNING", "RETURNED")
    assert 409 == early.status_code
    assert ["order.returning", "order.returned"] == (await kinds(platform, order))[-2:]


async def test_ready_is_told_once(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """The merchant says that the food is ready; again changes nothing."""
    order = await place(platform)
    await advance(platform, order, "CONFIRMED")
    merchant = hub.http(Role.MERCHANT, restaurant="res_1")
    path = f"/v1/orders/{order['orderId']}/ready"
    first, second = await merchant.post(path), await merchant.post(path)
    assert (200, True) == (first.status_code, first.json()["applied"])
    assert (200, False) == (second.status_code, second.json()["applied"])
    now_shown = await shown(platform, order)
    assert (True, True) == (now_shown["ready"], "readyAt" in now_shown)


# Payment


@pytest.mark.parametrize("method", ["WECHAT", "ALIPAY"])
async def test_payment_opens_the_gate(platform: httpx2.AsyncClient, method: str) -> None:
    """CONFIRMED waits for PAID; FAILED keeps the gate closed; payment makes no event."""
    order = await place(platform, paymentMethod=method)
    path = f"/v1/orders/{order['orderId']}/payment"
    assert 409 == (await move(platform, order, "CONFIRMED")).status_code
    assert 200 == (await platform.post(path, json={"state": "FAILED"})).status_code
    assert 409 == (await move(platform, order, "CONFIRMED")).status_code
    assert 200 == (await platform.post(path, json={"state": "PAID"})).status_code
    assert 1 == (await shown(platform, order))["seq"]
    assert 200 == (await move(platform, order, "CONFIRMED")).status_code


async def test_the_payments_state(platform: httpx2.AsyncClient) -> None:
    """It has its own place, and is not in the order."""
    order = await place(platform, paymentMethod="WECHAT")
    path = f"/v1/orders/{order['orderId']}/payment"
    before = (await platform.get(path)).json()
    await platform.post(path, json={"state": "PAID"})
    after = (await platform.get(path)).json()
    assert {"orderId": order["orderId"], "paymentState": "UNPAID"} == before
    assert {"orderId": order["orderId"], "paymentState": "PAID"} == after
    assert "paymentState" not in await shown(platform, order)


async def test_cash_needs_no_payment(platform: httpx2.AsyncClient) -> None:
    """CASH orders are confirmed as they are."""
    order = await place(platform, paymentMethod="CASH")
    assert 200 == (await move(platform, order, "CONFIRMED")).status_code


# The courier


async def test_assigning_and_reassigning(platform: httpx2.AsyncClient) -> None:
    """Each assignment is one event; the same rider again is none; DELETE is one more."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}/rider"
    first = await assign(platform, order, "r1")
    again = await assign(platform, order, "r1")
    other = await assign(platform, order, "r2")
    gone = (await platform.delete(path)).json()
    nobody = (await platform.delete(path)).json()
    assert [True, False, True, True, False] == [
        answer["applied"] for answer in (first, again, other, gone, nobody)
    ]
    assert ("r2", "ASSIGNED") == (other["riderId"], other["courierState"])
    assert ("UNASSIGNED", "PENDING") == (gone["courierState"], gone["status"])
    assert ["courier.assigned", "courier.assigned", "courier.unassigned"] == (
        await kinds(platform, order)
    )[1:]


async def test_picking_up_moves_the_order(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """PICKED_UP is told by `order.on_delivery`, the rest of the way by events of its own."""
    order = await place(platform)
    await assign(platform, order, "r_pick")
    await advance(platform, order, "CONFIRMED")
    rider = hub.http(Role.RIDER, sub="r_pick")
    path = f"/v1/orders/{order['orderId']}/courier-state"
    states = ("AT_STORE", "PICKED_UP", "NEARBY", "AT_DOOR", "AT_DOOR")
    answers = [(await rider.post(path, json={"state": state})).json() for state in states]
    assert [True, True, True, True, False] == [answer["applied"] for answer in answers]
    assert "ON_DELIVERY" == answers[1]["status"]
    assert [
        "courier.at_store",
        "order.on_delivery",
        "courier.nearby",
        "courier.at_door",
    ] == (await kinds(platform, order))[3:]


async def test_a_rider_who_drops_out(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """UNASSIGNED leaves the order's status alone, and the order to others."""
    order = await place(platform)
    await assign(platform, order, "r_drop")
    await advance(platform, order, "CONFIRMED", "ON_DELIVERY")
    rider = hub.http(Role.RIDER, sub="r_drop")
    path = f"/v1/orders/{order['orderId']}/courier-state"
    dropped = (await rider.post(path, json={"state": "UNASSIGNED"})).json()
    assert ("UNASSIGNED", "ON_DELIVERY") == (dropped["courierState"], dropped["status"])
    assert 404 == (await rider.post(path, json={"state": "AT_DOOR"})).status_code


async def test_a_fenced_rider_cannot_touch_the_order(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """After reassignment the former rider's order looks unknown to him at once."""
    order = await place(platform)
    await assign(platform, order, "r_old")
    await advance(platform, order, "CONFIRMED")
    await assign(platform, order, "r_new")
    old, new = hub.http(Role.RIDER, sub="r_old"), hub.http(Role.RIDER, sub="r_new")
    assert 404 == (await move(old, order, "ON_DELIVERY")).status_code
    assert 404 == (await old.get(f"/v1/orders/{order['orderId']}")).status_code
    assert 200 == (await move(new, order, "ON_DELIVERY")).status_code


async def test_reading_in_gcj02(platform: httpx2.AsyncClient) -> None:
    """Places come in the coordinates that are asked for; others than the two are refused."""
    order = await place(platform)
    path = f"/v1/orders/{order['orderId']}"
    shown_in_gcj02 = (await platform.get(path, params={"crs": "gcj02"})).json()
    for name in ("address", "pickup"):
        wanted = to_gcj02(order[name]["lat"], order[name]["lng"])
        assert wanted == (shown_in_gcj02[name]["lat"], shown_in_gcj02[name]["lng"])
    assert order["pickup"] == (await platform.get(path, params={"crs": "wgs84"})).json()["pickup"]
    for what in ("", "/stream"):
        refused = await platform.get(path + what, params={"crs": "bd09"})
        assert 422 == refused.status_code


async def test_a_reason_is_told_with_its_own_event(platform: httpx2.AsyncClient) -> None:
    """What comes later has not happened for that reason."""
    order = await place(platform)
    await move(platform, order, "CONFIRMED", reason="short of cooks")
    await assign(platform, order, "r1")
    await advance(platform, order, "PREPARING")
    told = await events(platform, order)
    assert [None, "short of cooks", None, None] == [event.get("reason") for event in told]


# Roles

STRANGERS = [
    (Role.MERCHANT, {"restaurant": "res_other"}),
    (Role.RIDER, {"sub": "r_other"}),
    (Role.CUSTOMER, {"sub": "cus_other"}),
    (Role.CUSTOMER, {"orders": ["ord_other"]}),
]


@pytest.mark.parametrize(("role", "claims"), STRANGERS)
@pytest.mark.parametrize("what", ["", "/events", "/payment", "/stream"])
async def test_anothers_order_looks_unknown(
    hub: RunningHub, platform: httpx2.AsyncClient, role: Role, claims: dict[str, Any], what: str
) -> None:
    """The same 404, to the letter but for the id, as for an order that does not exist."""
    order = await place(platform, customerId="cus_1")
    stranger = hub.http(role, **claims)
    foreign = await stranger.get(f"/v1/orders/{order['orderId']}{what}")
    unknown = await stranger.get(f"/v1/orders/ord_nothing{what}")
    assert (404, 404) == (foreign.status_code, unknown.status_code)
    assert unknown.text == foreign.text.replace(order["orderId"], "ord_nothing")


async def test_each_party_sees_its_order(hub: RunningHub, platform: httpx2.AsyncClient) -> None:
    """Platform, merchant, rider and customer; who rides is told to platform and rider alone."""
    order = await place(platform, customerId="cus_see")
    await assign(platform, order, "r_see")
    parties = {
        Role.PLATFORM: platform,
        Role.MERCHANT: hub.http(Role.MERCHANT, restaurant="res_1"),
        Role.RIDER: hub.http(Role.RIDER, sub="r_see"),
        Role.CUSTOMER: hub.http(Role.CUSTOMER, sub="cus_see"),
    }
    views = {role: await shown(client, order) for role, client in parties.items()}
    assert {Role.PLATFORM, Role.RIDER} == {role for role, v in views.items() if "riderId" in v}
    for view in views.values():
        fits(Order, view)


STATUS_RIGHTS = [
    (Role.MERCHANT, "CONFIRMED", (), 200),
    (Role.MERCHANT, "CANCELLED", (), 200),
    (Role.MERCHANT, "PREPARING", ("CONFIRMED",), 200),
    (Role.MERCHANT, "ON_DELIVERY", ("CONFIRMED",), 403),
    (Role.MERCHANT, "COMPLETED", ("CONFIRMED",), 403),
    (Role.RIDER, "CONFIRMED", (), 403),
    (Role.RIDER, "ON_DELIVERY", ("CONFIRMED",), 200),
    (Role.RIDER, "COMPLETED", ("CONFIRMED", "ON_DELIVERY"), 200),
    (Role.RIDER, "RETURNING", ("CONFIRMED", "ON_DELIVERY"), 200),
    (Role.RIDER, "RETURNED", ("CONFIRMED", "ON_DELIVERY", "RETURNING"), 403),
    (Role.RIDER, "CANCELLED", ("CONFIRMED",), 403),
    (Role.CUSTOMER, "CANCELLED", (), 200),
    (Role.CUSTOMER, "CANCELLED", ("CONFIRMED",), 409),
    (Role.CUSTOMER, "CONFIRMED", (), 403),
]


@pytest.mark.parametrize(("role", "status", "way", "wanted"), STATUS_RIGHTS)
async def test_who_may_set_which_status(
    hub: RunningHub,
    platform: httpx2.AsyncClient,
    role: Role,
    status: str,
    way: tuple[str, ...],
    wanted: int,
) -> None:
    """The table of section 2, by role."""
    order = await place(platform, customerId="cus_1")
    await assign(platform, order, "r_rights")
    await advance(platform, order, *way)
    claims = {Role.MERCHANT: {"restaurant": "res_1"}, Role.RIDER: {"sub": "r_rights"}}
    client = hub.http(role, **claims.get(role, {"sub": "cus_1"}))
    assert wanted == (await move(client, order, status)).status_code


# Restaurants


async def test_a_restaurant_is_public_and_cached(
    hub: RunningHub, platform: httpx2.AsyncClient
) -> None:
    """Read by anyone, kept for an hour, revalidated by its ETag, changed by the platform."""
    path = f"/v1/restaurants/{fresh('res')}"
    assert 404 == (await hub.http().get(path)).status_code
    await platform.put(path, json={"name": "Noodles", "location": SHOP})
    first = await hub.http().get(path)
    same = await hub.http().get(path, headers={"If-None-Match": first.headers["ETag"]})
    await platform.put(path, json={"name": "Dumplings"})
    changed = await hub.http().get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert ("Noodles", SHOP) == (first.json()["name"], first.json()["location"])
    assert "public, max-age=3600" == first.headers["Cache-Control"]
    assert 304 == same.status_code
    assert (200, "Dumplings") == (changed.status_code, changed.json()["name"])


@pytest.mark.parametrize(
    ("crs", "wanted"), [("wgs84", (SHOP["lat"], SHOP["lng"])), ("gcj02", to_gcj02(**SHOP))]
)
async def test_lists_and_restaurants_in_either_crs(
    platform: httpx2.AsyncClient, crs: str, wanted: tuple[float, float]
) -> None:
    """Whatever is read with coordinates can be read in GCJ-02."""
    path, asked = f"/v1/restaurants/{fresh('res')}", {"crs": crs}
    await platform.put(path, json={"name": "Noodles", "location": SHOP})
    order = await place(platform)
    told = [(await platform.get(path, params=asked)).json()["location"]]
    for query in ({}, {"q": order["orderId"]}):
        page = (await platform.get("/v1/orders", params={**asked, **query})).json()["items"]
        told += [each["pickup"] for each in page if each["orderId"] == order["orderId"]]
    assert [wanted] * 3 == [(each["lat"], each["lng"]) for each in told]


@pytest.mark.parametrize("path", ["/v1/restaurants/res_1", "/v1/orders"])
async def test_a_crs_that_is_none(platform: httpx2.AsyncClient, path: str) -> None:
    """Is refused wherever it may be asked for."""
    answer = await platform.get(path, params={"crs": "bd09"})
    assert (422, "#/crs") == (answer.status_code, answer.json()["errors"][0]["pointer"])


# One hub's write is every hub's truth


async def test_the_hubs_are_a_list_like_others(hub: RunningHub) -> None:
    """With `limit` and `after`."""
    names, ops = {"hub-0a", "hub-0b"}, hub.http(Role.OPS)
    for name in names:
        await hub.state.roster.sign_in(name, {}, time.time())
    seen: list[str] = []
    after: dict[str, str] | None = {}
    while after is not None:
        page = (await ops.get("/v1/hubs", params={"limit": 1, **after})).json()
        seen += [each["hub"] for each in page["items"]]
        after = {"after": page["next"]} if page["next"] else None
    refused = await ops.get("/v1/hubs", params={"limit": 0})
    for name in names:
        await hub.state.roster.sign_out(name)
    assert names <= set(seen)
    assert sorted(set(seen)) == seen
    assert (422, "#/limit") == (refused.status_code, refused.json()["errors"][0]["pointer"])


async def test_a_request_id_is_given_back(platform: httpx2.AsyncClient) -> None:
    """A sane X-Request-Id is taken over, another is replaced."""
    own = await platform.get("/healthz", headers={"X-Request-Id": "abc-1"})
    odd = await platform.get("/healthz", headers={"X-Request-Id": "a b"})
    assert "abc-1" == own.headers["X-Request-Id"]
    assert "a b" != odd.headers["X-Request-Id"]


async def test_updates_with_a_clock_ahead(platform: httpx2.AsyncClient) -> None:
    """Minutes ahead are forgiven, hours are not."""
    order = await place(platform)
    ahead = await platform.post(
        f"/v1/orders/{order['orderId']}/status",
        json={"status": "CONFIRMED", "timestamp": now(7200)},
    )
    assert (422, "#/timestamp") == (ahead.status_code, ahead.json()["errors"][0]["pointer"])
    assert 200 == (await move(platform, order, "CONFIRMED", offset=60)).status_code


async def test_a_hub_with_a_clock_behind(
    platform: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the hubs date themselves does not go back from one event to the next."""
    order = await place(platform)
    behind = SimpleNamespace(time=lambda: time.time() - 60)
    monkeypatch.setattr("hub.services.orders.time", behind)
    await assign(platform, order, "rid_1")
    monkeypatch.undo()
    await assign(platform, order, "rid_2")
    told = [event["timestamp"] for event in await events(platform, order)]
    assert len(told) == 3
    assert told == sorted(told)
