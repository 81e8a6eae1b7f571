"""The audit log on a real store: extended once, by whoever, and never forked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.audit.heads import PublicKey, Signer
from hub.core.audit.merkle import leaf_hash
from hub.core.audit.proof import check_proof, check_witness
from hub.errors import UnavailableError
from hub.metrics import AUDIT_FAULTS
from hub.store.audit import AuditStore
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys, partition_of, tag
from hub.store.log import Log
from schemas.wire import dumps
from tests.core.proving import KEY, OTHER
from tests.hub.harness import RunningHub, advance, fresh, hubs, place
from tests.store.cluster import cluster
from tests.worker.auditing import RETENTION, Auditors, checked, finished, proof_of


@pytest.fixture
async def hub(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store) as (hub,):
        yield hub


@pytest.fixture
def kept(connection: Connection) -> AuditStore:
    return AuditStore(connection, RETENTION)


@pytest.fixture
async def auditor(connection: Connection) -> AsyncIterator[Auditors]:
    auditors = Auditors(connection)
    yield auditors
    await auditors.close()


class Faults:
    """How many heads were refused, or entries passed over, since the test began."""

    def __init__(self, kind: str) -> None:
        self._counter = AUDIT_FAULTS.labels(kind)
        self._start = self._now

    @property
    def _now(self) -> float:
        return next(s.value for s in self._counter.collect()[0].samples if s.name.endswith("total"))

    @property
    def count(self) -> float:
        return self._now - self._start


async def test_a_finished_order_is_provable(
    hub: RunningHub, connection: Connection, auditor: Auditors
) -> None:
    order_id = await finished(hub.platform)
    await auditor().step()
    proof = await proof_of(hub.platform, order_id)
    assert check_proof(proof, KEY.public, strict=True).holds
    assert (proof["pending"], len(proof["inclusion"]), proof["head"]["size"]) == ([], 5, 5)


async def test_nothing_to_do(connection: Connection, kept: AuditStore, auditor: Auditors) -> None:
    """An empty log has no head, and no id."""
    await auditor().step()
    assert (await kept.newest(), await kept.size()) == (None, ("", 0))


async def test_heads_are_an_interval_apart(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """The first comes at once; what comes in between is pending, and says so."""
    one = auditor(interval=50)
    first = await finished(hub.platform)
    await one.step()
    second = await finished(hub.platform)
    await one.step()
    assert [head["size"] for head in await kept.heads(0, 10)] == [5]
    assert (await checked(hub.platform, first)).holds
    proof = await proof_of(hub.platform, second)
    assert proof["pending"] == [1, 2, 3, 4, 5]
    assert (await kept.size())[1] == 10


async def test_heads_are_linked_and_consistent(
    hub: RunningHub, connection: Connection, auditor: Auditors
) -> None:
    one = auditor()
    for _ in range(3):
        order_id = await finished(hub.platform)
        await one.step()
    heads = (await hub.http().get("/v1/audit/heads")).json()["items"]
    assert [head["size"] for head in heads] == [5, 10, 15]
    assert check_witness(heads, KEY.public) == []
    proof = await proof_of(hub.platform, order_id, since=5)
    assert check_proof(proof, KEY.public, heads[:1]).holds


async def test_two_at_once_make_one_log(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """Workers that both think they lead: each event is in the log once, the heads are one chain."""
    workers = [auditor() for _ in range(3)]
    orders: list[str] = []

    async def traffic() -> None:
        for _ in range(12):
            orders.extend(await asyncio.gather(*(finished(hub.platform) for _ in range(3))))

    async def work(number: int) -> None:
        while not running.done():
            await workers[number].step()
            await asyncio.sleep(0)

    running = asyncio.create_task(traffic())
    await asyncio.gather(running, *(work(number) for number in range(3)))
    await workers[0].step()
    assert await kept.size() == ((await kept.size())[0], 5 * len(orders))
    assert check_witness(await kept.heads(0, 10_000), KEY.public) == []
    places: list[int] = []
    for order_id in orders:
        proof = await proof_of(hub.platform, order_id)
        assert check_proof(proof, KEY.public, strict=True).holds
        places += [each["index"] for each in proof["inclusion"]]
    assert sorted(places) == list(range(5 * len(orders)))


async def test_two_heads_never_have_one_number(
    hub: RunningHub, auditor: Auditors, kept: AuditStore
) -> None:
    """Of two that were signed after the same one, the first stays."""
    await finished(hub.platform)
    await auditor().step()
    last = await kept.newest()
    assert last is not None
    heads = [
        KEY.sign({**last, "number": 2, "at": f"2026-11-2{day}T00:00:00.000Z"}) for day in (1, 2)
    ]
    assert [await kept.sign(head, None) for head in heads] == [True, False]
    assert await kept.heads(1, 10) == heads[:1]


async def test_one_that_was_stopped_does_not_fork(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """It goes on from a log that others have extended and signed meanwhile."""
    slow, fast = auditor(), auditor()
    await finished(hub.platform)
    await slow.step()
    second = await finished(hub.platform)
    await fast.step()
    third = await finished(hub.platform)
    await slow.step()
    await slow.step()
    assert [head["size"] for head in await kept.heads(0, 10)] == [5, 10, 15]
    for order_id in (second, third):
        assert (await checked(hub.platform, order_id)).holds


async def test_killed_between_log_and_cursors(
    hub: RunningHub,
    connection: Connection,
    kept: AuditStore,
    monkeypatch: pytest.MonkeyPatch,
    auditor: Auditors,
) -> None:
    """The log has its own cursors; the partitions' catch up when the next worker begins."""
    order_id = await finished(hub.platform)
    partition = partition_of(order_id)

    async def killed(self: Log, cursors: Any) -> None:
        raise UnavailableError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Log, "keep", killed)
        with pytest.raises(UnavailableError):
            await auditor().step()
    assert (await kept.size())[1] == 5
    cursors = Log(connection, "audit")
    assert await cursors.cursors([partition]) == {partition: ""}
    await auditor().step()
    assert (await kept.size())[1] == 5
    assert (await kept.tree()).cursors == await cursors.cursors([partition])
    assert (await checked(hub.platform, order_id)).holds


async def test_an_answer_that_was_lost(
    hub: RunningHub,
    connection: Connection,
    kept: AuditStore,
    monkeypatch: pytest.MonkeyPatch,
    auditor: Auditors,
) -> None:
    """Whether the script ran is found by looking again: nothing is in the log twice."""
    extend = AuditStore.extend
    order_id = await finished(hub.platform)

    async def lost(self: AuditStore, *args: Any) -> bool:
        await extend(self, *args)
        raise UnavailableError("the answer was lost")

    one = auditor()
    with monkeypatch.context() as patch:
        patch.setattr(AuditStore, "extend", lost)
        with pytest.raises(UnavailableError):
            await one.step()
    await one.step()
    assert (await kept.size())[1] == 5
    assert (await checked(hub.platform, order_id)).holds


async def test_a_long_log_in_stretches(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """More of one partition than a stretch takes: in order, and over the edge of a tile."""
    order = await place(hub.platform)
    for number in range(150):
        for method, body in (("PUT", {"riderId": f"rid_{number}"}), ("DELETE", None)):
            path = f"/v1/orders/{order['orderId']}/rider"
            answer = await hub.platform.request(method, path, json=body)
            assert answer.status_code == 200
    await auditor().step()
    assert (await kept.size())[1] == 301
    assert await kept.places(order["orderId"], order["epoch"]) == list(range(301))
    assert (await checked(hub.platform, order["orderId"])).holds


async def test_an_entry_that_cannot_be_read(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """It is counted and passed over; the rest goes on."""
    faults = Faults("unreadable")
    await connection.ask("XADD", f"{tag(0)}log", "*", "o", "x", "e", "{")
    await connection.ask("XADD", f"{tag(0)}log", "*", "o", "x")
    order_id = await finished(hub.platform)
    one = auditor()
    await one.step()
    await one.step()
    assert (faults.count, (await kept.size())[1]) == (2, 5)
    assert (await checked(hub.platform, order_id)).holds


async def test_the_log_is_trimmed_behind_it(
    hub: RunningHub, connection: Connection, auditor: Auditors
) -> None:
    """Once the bridge has read it too; a new worker's first step does it."""
    order_id = await finished(hub.platform)
    await auditor().step()
    log = order_keys(order_id).log
    assert await connection.ask("XLEN", log) == 5
    await Log(connection, "bridge").keep({partition_of(order_id): f"{2**50}-0"})
    await auditor().step()
    assert await connection.ask("XLEN", log) == 1


# Who changes the store


@pytest.fixture
async def signed(hub: RunningHub, connection: Connection, auditor: Auditors) -> str:
    """An order in a log of one head, and another order that is not in it yet."""
    order_id = await finished(hub.platform)
    await auditor().step()
    await finished(hub.platform)
    return order_id


async def refuses(
    auditor: Auditors, connection: Connection, kind: str, signer: Signer = KEY
) -> None:
    """A new worker extends the log and does not sign it."""
    faults, heads = Faults(kind), await connection.ask("LLEN", "oc:{audit}:heads")
    await auditor(signer).step()
    assert faults.count == 1
    assert await connection.ask("LLEN", "oc:{audit}:heads") == heads


async def test_a_changed_tile_is_never_signed(
    signed: str, hub: RunningHub, connection: Connection, auditor: Auditors
) -> None:
    """Neither does a proof by the last head hold."""
    wrong = leaf_hash(b"another past")
    await connection.ask("SETRANGE", "oc:{audit}:tile:0:0", 0, wrong)
    await refuses(auditor, connection, "inconsistent")
    assert not (await checked(hub.platform, signed)).holds


async def test_a_head_of_others_is_not_followed(
    signed: str, connection: Connection, auditor: Auditors
) -> None:
    await refuses(auditor, connection, "key", OTHER)


async def test_a_changed_head_is_not_followed(
    signed: str, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    head = await kept.newest()
    assert head is not None
    head = OTHER.sign({**head, "size": 1})
    await connection.ask("LSET", "oc:{audit}:heads", 0, dumps(head))
    await refuses(auditor, connection, "key")


async def test_a_log_that_shrank_is_never_signed(
    signed: str, connection: Connection, auditor: Auditors
) -> None:
    """As when a store fails over to a replica that was behind."""
    await connection.ask("HSET", "oc:{audit}:log", "size", 3)
    await refuses(auditor, connection, "inconsistent")


async def test_a_log_that_lost_a_tile(
    signed: str, connection: Connection, auditor: Auditors
) -> None:
    """It cannot be gone on with, and that is for the operator to see."""
    await connection.ask("DEL", "oc:{audit}:tile:0:0")
    await refuses(auditor, connection, "lost")


# Keys


async def test_keys_change_hands(
    hub: RunningHub, connection: Connection, auditor: Auditors
) -> None:
    """The old key names the new one in its last head; whoever trusts the old trusts both."""
    first = await finished(hub.platform)
    await auditor().step()
    await finished(hub.platform)
    handing = auditor(OTHER, previous=KEY)
    await handing.step()
    await finished(hub.platform)
    await handing.step()
    await finished(hub.platform)
    await auditor(OTHER).step()
    heads = (await hub.http().get("/v1/audit/heads")).json()["items"]
    ids = [KEY.public.id, KEY.public.id, OTHER.public.id, OTHER.public.id]
    assert [head["keyId"] for head in heads] == ids
    assert heads[1]["nextKey"] == OTHER.public.text
    keys = (await hub.http().get("/v1/audit/key")).json()["keys"]
    assert [(each["publicKey"], each["since"]) for each in keys] == [
        (OTHER.public.text, 3),
        (KEY.public.text, 1),
    ]
    for key in (KEY, OTHER):
        assert (await checked(hub.platform, first, PublicKey(key.public.text))).holds
    await finished(hub.platform)
    await refuses(auditor, connection, "key", KEY)


# What is kept


async def test_full_tiles_go_but_for_those_of_heads(
    hub: RunningHub, connection: Connection, kept: AuditStore, auditor: Auditors
) -> None:
    """Consistency with every head can be shown for ever, places as long as orders are kept."""
    one, quiet = auditor(), auditor(interval=50)
    order = await place(hub.platform)
    await one.step()
    await _fill(connection, 300)
    await quiet.step()
    await advance(hub.platform, order, "CONFIRMED")
    await quiet.step()
    for count in (700, 300):
        await _fill(connection, count)
        await one.step()
    assert [head["size"] for head in await kept.heads(0, 10)] == [1, 1002, 1302]
    lives = [await connection.ask("TTL", f"oc:{{audit}}:tile:0:{each}") for each in range(6)]
    assert [life > 0 for life in lives] == [False, True, True, False, True, False]
    places = f"oc:{{audit}}:places:{order['orderId']}:{order['epoch']}"
    assert await connection.ask("TTL", places) > 0
    for tile in (1, 2, 4):
        await connection.ask("DEL", f"oc:{{audit}}:tile:0:{tile}")
    for first, second in ((1, 1002), (1, 1302), (1002, 1302)):
        query = {"from": first, "to": second}
        answer = await hub.http().get("/v1/audit/consistency", params=query)
        assert answer.status_code == 200, (first, second)
    answer = await hub.http().get("/v1/audit/consistency", params={"from": 300, "to": 1302})
    assert answer.status_code == 404
    assert (await proof_of(hub.platform, order["orderId"]))["pending"] == [2]


async def _fill(connection: Connection, count: int) -> None:
    """So many events of no order, over all partitions."""
    for number in range(count):
        event = {"orderId": fresh("ord"), "epoch": "abcdefgh", "seq": 1, "hash": "0" * 64}
        event["status"] = "PENDING"
        await connection.ask("XADD", f"{tag(number % 128)}log", "*", "e", dumps(event))


async def test_on_a_cluster() -> None:
    """All keys of a script are in one slot."""
    async with cluster() as url:
        connection = Connection(url)
        try:
            store = AuditStore(connection, RETENTION)
            place = {"orderId": "ord_1", "epoch": "abcdefgh", "seq": 1}
            entry = dumps({**place, "status": "PENDING", "hash": "00"})
            for partition in range(0, 128, 8):
                await connection.ask("XADD", f"{tag(partition)}log", "*", "o", "x", "e", entry)
            one = Auditors(connection)()
            await one.step()
            await one.step()
            assert (await store.size())[1] == 16
            head = await store.newest()
            assert head is not None
            assert head["root"] == (await store.tree()).frontier.root.hex()
        finally:
            await connection.close()
