"""The audit log over HTTP: who may read what, and what is said where there is nothing yet."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.audit.heads import TIP
from hub.core.audit.proof import check_proof
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from schemas.audit import AuditKeys, HeadConsistency, HeadList, Proof
from schemas.lifecycle import Role
from schemas.wire import dumps
from tests.core.proving import KEY, OTHER
from tests.hub.harness import RunningHub, advance, assign, fits, hubs, place
from tests.worker.auditing import Auditors, finished, proof_of


@pytest.fixture
async def hub(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store) as (hub,):
        yield hub


@pytest.fixture
async def auditor(connection: Connection) -> AsyncIterator[Auditors]:
    auditors = Auditors(connection)
    yield auditors
    await auditors.close()


async def heads(hub: RunningHub, count: int, auditor: Auditors) -> str:
    """So many heads, five events each; the last order."""
    one = auditor()
    for _ in range(count):
        order_id = await finished(hub.platform)
        await one.step()
    return order_id


async def ask(hub: RunningHub, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
    answer = await hub.http().get(path, params=query)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_before_the_first_head(hub: RunningHub) -> None:
    """The list is empty, the rest is not there; a proof says that it proves nothing."""
    order_id = await finished(hub.platform)
    assert await ask(hub, "/v1/audit/heads") == {"items": [], "next": None}
    assert "no signed head" in (await ask(hub, "/v1/audit/key", 404))["detail"]
    assert (
        "no signed head" in (await ask(hub, "/v1/audit/consistency", 404, **{"from": 0}))["detail"]
    )
    proof = await proof_of(hub.platform, order_id, since=0)
    assert ("head" in proof, proof["pending"]) == (False, [1, 2, 3, 4, 5])
    faults = check_proof(proof, KEY.public).faults
    assert {each.code.value for each in faults} == {"no_head", "pending"}


async def test_heads_in_pages(hub: RunningHub, auditor: Auditors) -> None:
    """Oldest first; the cursor is the number of the last one, for who follows the log too."""
    await heads(hub, 5, auditor)
    first = await ask(hub, "/v1/audit/heads", limit=2)
    second = await ask(hub, "/v1/audit/heads", limit=2, after=first["next"])
    third = await ask(hub, "/v1/audit/heads", limit=2, after=second["next"])
    pages = (first, second, third)
    assert [page["next"] for page in pages] == ["2", "4", None]
    numbers = [head["number"] for page in pages for head in page["items"]]
    assert numbers == [1, 2, 3, 4, 5]
    assert await ask(hub, "/v1/audit/heads", after=5) == {"items": [], "next": None}
    fits(HeadList, first)


async def test_the_key(hub: RunningHub, auditor: Auditors) -> None:
    await heads(hub, 1, auditor)
    told = await ask(hub, "/v1/audit/key")
    (key,) = fits(AuditKeys, told).keys
    assert (key.key_id, key.public_key, key.since) == (KEY.public.id, KEY.public.text, 1)


async def test_consistency(hub: RunningHub, auditor: Auditors) -> None:
    """Without `to` it comes with the newest head: all that who follows the log has to ask."""
    await heads(hub, 3, auditor)
    told = await ask(hub, "/v1/audit/consistency", **{"from": 5})
    assert (told["from"], told["to"], told["head"]["number"]) == (5, 15, 3)
    fits(HeadConsistency, told)
    assert "head" not in await ask(hub, "/v1/audit/consistency", **{"from": 5, "to": 10})
    for same in (0, 15):
        told = await ask(hub, "/v1/audit/consistency", **{"from": same})
        assert told["hashes"] == []


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("/v1/audit/heads", {"limit": 0}, "#/limit"),
        ("/v1/audit/heads", {"limit": 501}, "#/limit"),
        ("/v1/audit/heads", {"after": "x"}, "#/after"),
        ("/v1/audit/heads", {"after": "9" * 30}, "#/after"),
        ("/v1/audit/consistency", {}, "#/from"),
        ("/v1/audit/consistency", {"from": "-1"}, "#/from"),
        ("/v1/audit/consistency", {"from": "6"}, "#/from"),
        ("/v1/audit/consistency", {"from": "2", "to": "1"}, "#/from"),
        ("/v1/audit/consistency", {"from": "2", "to": "6"}, "#/to"),
        ("/v1/audit/consistency", {"from": "2", "to": "x"}, "#/to"),
    ],
)
async def test_bad_questions(
    hub: RunningHub, auditor: Auditors, path: str, query: dict[str, Any], pointer: str
) -> None:
    await heads(hub, 1, auditor)
    told = await ask(hub, path, 422, **query)
    assert [each["pointer"] for each in told["errors"]] == [pointer]


async def test_public_answers_may_be_read_by_any_page(hub: RunningHub, auditor: Auditors) -> None:
    await heads(hub, 1, auditor)
    for path in ("/v1/audit/heads", "/v1/audit/key", "/v1/audit/consistency?from=0"):
        answer = await hub.http().get(path)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "public, no-cache"


async def test_a_proof_is_for_the_orders_parties(hub: RunningHub, auditor: Auditors) -> None:
    """As the order itself: another's looks like none."""
    order = await place(hub.platform, customerId="cus_1")
    await assign(hub.platform, order, "rid_1")
    await advance(hub.platform, order, "CONFIRMED", "CANCELLED")
    await auditor().step()
    path = f"/v1/orders/{order['orderId']}/proof"
    allowed = (
        hub.platform,
        hub.http(Role.MERCHANT, restaurant="res_1"),
        hub.http(Role.RIDER, sub="rid_1"),
        hub.http(Role.CUSTOMER, sub="cus_1"),
        hub.http(Role.CUSTOMER, orders=[order["orderId"]]),
    )
    for client in allowed:
        proof = await proof_of(client, order["orderId"])
        assert check_proof(proof, KEY.public, strict=True).holds
        fits(Proof, proof)
    for client, status in (
        (hub.http(), 401),
        (hub.http(Role.OPS), 403),
        (hub.http(Role.PARTNER, partner="p"), 403),
        (hub.http(Role.MERCHANT, restaurant="res_2"), 404),
        (hub.http(Role.RIDER, sub="rid_2"), 404),
        (hub.http(Role.CUSTOMER, sub="cus_2"), 404),
    ):
        assert (await client.get(path)).status_code == status


async def test_a_proof_with_consistency(hub: RunningHub, auditor: Auditors) -> None:
    """From an older head, and from one that is newer than the proof's own can be."""
    order_id = await heads(hub, 2, auditor)
    seen = (await ask(hub, "/v1/audit/heads"))["items"]
    proof = await proof_of(hub.platform, order_id, since=5)
    assert check_proof(proof, KEY.public, seen[:1], strict=True).holds
    await finished(hub.platform)
    await auditor(interval=50).step()
    ahead = await proof_of(hub.platform, order_id, since=15)
    assert (ahead["consistency"]["from"], ahead["consistency"]["to"]) == (10, 15)
    path = f"/v1/orders/{order_id}/proof"
    for wrong in (16, "x", -1):
        answer = await hub.platform.get(path, params={"from": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/from"


async def test_an_event_that_is_newer_than_the_head(hub: RunningHub, auditor: Auditors) -> None:
    order = await place(hub.platform)
    await auditor().step()
    await advance(hub.platform, order, "CONFIRMED")
    await auditor(interval=50).step()
    proof = await proof_of(hub.platform, order["orderId"])
    assert (proof["pending"], [each["seq"] for each in proof["inclusion"]]) == ([2], [1])
    assert check_proof(proof, KEY.public, allow_pending=True).holds


async def test_the_end_of_an_order_cannot_be_cut_off(hub: RunningHub, auditor: Auditors) -> None:
    """While it is under way its tip names its last event; then its status does."""
    order = await place(hub.platform)
    await advance(hub.platform, order, "CONFIRMED", "PREPARING")
    await auditor().step()
    proof = await proof_of(hub.platform, order["orderId"])
    assert (proof["tip"]["seq"], check_proof(proof, KEY.public).holds) == (3, True)
    assert [each.code for each in check_proof(_cut(proof, 2), KEY.public).faults] == [
        "removed_event"
    ]
    await advance(hub.platform, order, "CANCELLED")
    await auditor().step()
    ended = await proof_of(hub.platform, order["orderId"])
    assert ("tip" in ended, check_proof(ended, KEY.public).holds) == (False, True)
    assert [each.code for each in check_proof(_cut(ended, 3), KEY.public).faults] == ["no_tip"]
    assert await hub.state.audit_store.tip(order["orderId"], order["epoch"]) is None


def _cut(proof: dict[str, Any], count: int) -> dict[str, Any]:
    """The proof with its first events alone, and nothing that tells of more."""
    events, inclusion = proof["events"][:count], proof["inclusion"][:count]
    return {**proof, "events": events, "inclusion": inclusion, "seq": count}


async def test_a_key_that_signs_no_heads_signs_no_tips(hub: RunningHub, auditor: Auditors) -> None:
    """Nothing of the order is provable then, until the right key is back and it goes on."""
    order = await place(hub.platform)
    await auditor().step()
    await advance(hub.platform, order, "CONFIRMED")
    await auditor(OTHER).step()
    proof = await proof_of(hub.platform, order["orderId"])
    assert ("tip" in proof, proof["inclusion"], proof["pending"]) == (False, [], [1, 2])
    await advance(hub.platform, order, "PREPARING")
    await auditor().step()
    assert check_proof(await proof_of(hub.platform, order["orderId"]), KEY.public).holds


async def test_a_tip_while_keys_change_hands(hub: RunningHub, auditor: Auditors) -> None:
    """Until the old key has named the new one, nobody who trusts the old has reason to trust it."""
    order = await place(hub.platform)
    await auditor().step()
    await advance(hub.platform, order, "CONFIRMED")
    await auditor(OTHER, previous=KEY, interval=50).step()
    proof = await proof_of(hub.platform, order["orderId"])
    assert (proof["tip"]["seq"], proof["head"]["number"]) == (2, 1)
    assert check_proof(proof, KEY.public, allow_pending=True).holds
    handing = auditor(OTHER, previous=KEY)
    await handing.step()
    await advance(hub.platform, order, "PREPARING")
    await handing.step()
    assert check_proof(await proof_of(hub.platform, order["orderId"]), KEY.public).holds


async def test_an_order_that_lost_its_last_event(hub: RunningHub, auditor: Auditors) -> None:
    """As a node of a cluster may that is killed, while the log's own had it: that is told."""
    order = await place(hub.platform)
    await auditor().step()
    store = hub.state.audit_store
    tip = await store.tip(order["orderId"], order["epoch"])
    unsigned = {name: told for name, told in tip.items() if name not in ("keyId", "signature")}
    ahead = dumps(KEY.sign({**unsigned, "seq": 2}, TIP))
    key = f"oc:{{audit}}:tip:{order['orderId']}:{order['epoch']}"
    await hub.state.connection.ask("SET", key, ahead)
    proof = await proof_of(hub.platform, order["orderId"])
    assert [each.code for each in check_proof(proof, KEY.public).faults] == ["removed_event"]


async def test_a_proof_outlasts_an_erasure(hub: RunningHub, auditor: Auditors) -> None:
    """Personal data goes, its events are named, and all places, hashes and the chain hold."""
    order = await place(hub.platform, customerId="cus_9")
    customer = hub.http(Role.CUSTOMER, sub="cus_9")
    await advance(customer, order, "CANCELLED")
    await auditor().step()
    assert (await hub.platform.delete("/v1/customers/cus_9/data")).status_code == 202
    await hub.state.customers.work()
    proof = await proof_of(hub.platform, order["orderId"])
    verdict = check_proof(proof, KEY.public, allow_erased=True)
    assert [(each.code, each.seq) for each in verdict.notes] == [
        ("unfinished", None),
        ("erased", 2),
    ]
    assert verdict.holds
    assert [each.code for each in check_proof(proof, KEY.public).faults] == ["erased"]
    assert "cus_9" not in str(proof)
    proof["events"][1]["hash"] = "0" * 64
    assert not check_proof(proof, KEY.public, allow_erased=True).holds
