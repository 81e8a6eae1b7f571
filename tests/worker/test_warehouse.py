"""The warehouse: every event and every finished order in its table once, whatever is killed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable
from prometheus_client import REGISTRY

from hub.core.callers.claims import Claims
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.core.warehouse import TABLES, entry_of, position_of
from hub.duties import worker_of
from hub.errors import StartError
from hub.services.logbook import Logbook, Note
from hub.store import requests
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import PARTITIONS, partition_of, tag
from hub.store.lanes import Lanes, News, Room, Settlement, State, Target
from hub.store.log import PATIENCE, READERS, Log
from hub.store.orders import OrderStore
from hub.tasks import end
from hub.worker import lake
from hub.worker.keys import load_keys
from hub.worker.lake import LakeError, OutrunError, Table, check_extra
from hub.worker.sources import sources
from hub.worker.warehouse import READER, Warehouse
from schemas.lifecycle import Role
from tests.hub.harness import (
    SECRET,
    RunningHub,
    advance,
    assign,
    eventually,
    fresh,
    hubs,
    move,
    place,
)

NAMES = Pseudonyms(SECRET)


@pytest.fixture
async def hub(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store) as (hub,):
        yield hub


def warehouse(connection: Connection, root: Path, retention: float | None = None) -> Warehouse:
    filled = sources(OrderStore(connection, 3600), NAMES)
    return Warehouse(str(root), connection, filled, NAMES, 0.0, retention)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


def rows(root: Path, table: str, order: str = "ALL") -> list[dict[str, Any]]:
    """What DuckDB reads."""
    told = DeltaTable(str(root / table)).to_pyarrow_dataset()
    with duckdb.connect() as database:
        found = database.register("told", told).sql(f"FROM told ORDER BY {order}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def counter(name: str) -> float:
    """Over all its labels."""
    metrics = [each for each in REGISTRY.collect() if each.name == name]
    samples = (sample for each in metrics for sample in each.samples)
    return sum(each.value for each in samples if each.name.endswith("_total"))


async def finished(hub: RunningHub, **changes: Any) -> dict[str, Any]:
    order = await place(hub.platform, **changes)
    await assign(hub.platform, order, fresh("rid"))
    await advance(hub.platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
    return order


async def test_every_event_and_finished_order_has_a_row(
    hub: RunningHub, connection: Connection, root: Path
) -> None:
    """Rows say what the API says; a second step adds what came since, and no more."""
    order, live = await finished(hub, customerId="cus_1"), await place(hub.platform)
    filling = warehouse(connection, root)
    await filling.step()
    told = (await hub.platform.get(f"/v1/orders/{order['orderId']}/events")).json()["events"]
    found = [row for row in rows(root, "events", "seq") if row["order_id"] == order["orderId"]]
    names = [(e["seq"], e["eventType"], e["status"], e["hash"], e["prevHash"]) for e in told]
    columns = ("seq", "event_type", "status", "hash", "prev_hash")
    assert names == [tuple(row[column] for column in columns) for row in found]
    (row,) = rows(root, "orders")
    assert (row["order_id"], row["status"]) == (order["orderId"], "COMPLETED")
    assert row["customer"] == NAMES.of(Role.CUSTOMER, "cus_1")
    assert row["subtotal_cents"] == order["totalCents"]
    assert (row["items"], row["quantity"], row["events"]) == (1, 2, 6)
    assert 2400 < row["distance_m"] < 2800
    steps = [row[f"{each}_s"] for each in ("pending", "confirmed", "preparing", "on_delivery")]
    assert sum(steps) == pytest.approx(row["total_s"], abs=0.05)
    assert row["returning_s"] is None

    await move(hub.platform, live, "CANCELLED")
    await filling.step()
    assert len(rows(root, "events")) == 8
    assert {row["order_id"] for row in rows(root, "orders")} == {order["orderId"], live["orderId"]}


async def test_an_order_that_the_store_has_lost_is_told_by_its_end(
    hub: RunningHub, connection: Connection, root: Path
) -> None:
    """What only the order's state would tell is null."""
    order = await finished(hub)
    await connection.ask("DEL", f"{tag(partition_of(order['orderId']))}order:{order['orderId']}")
    await warehouse(connection, root).step()
    (row,) = rows(root, "orders")
    assert (row["status"], row["events"], row["restaurant_id"]) == ("COMPLETED", 6, None)


async def test_nobody_is_named(hub: RunningHub, connection: Connection, root: Path) -> None:
    """No id of a customer or a rider, no address and no contact is in any row."""
    where = {"text": "7 Secret Lane", "lat": 31.23971, "lng": 121.49983, "contact": "+86 1"}
    await finished(hub, customerId="cus_secret", address=where)
    await warehouse(connection, root).step()
    told = repr([rows(root, name) for name in TABLES])
    for personal in ("cus_secret", "Secret Lane", "31.23971", "121.49983", "+86 1", "rid_"):
        assert personal not in told


async def test_what_was_written_is_not_written_again(
    hub: RunningHub, connection: Connection, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies between the commit and the cursor repeats nothing."""
    await finished(hub)

    async def die(*_: Any) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patched:
        patched.setattr(Warehouse, "_let_go", die)
        with pytest.raises(ConnectionAbortedError):
            await warehouse(connection, root).step()
    before = rows(root, "events")
    await warehouse(connection, root).step()
    assert before == rows(root, "events")
    assert 1 == len(rows(root, "orders"))


async def test_of_two_writers_one_is_outrun(root: Path) -> None:
    """Whoever read the same positions and commits second, adds nothing."""
    one, two = (Table(str(root), "operations") for _ in range(2))
    row = {**dict.fromkeys(TABLES["operations"]), "day": 20000, "hub": "one"}
    assert one.positions() == two.positions() == dict.fromkeys(range(PARTITIONS), 0)
    one.append([row], {5: 7})
    with pytest.raises(OutrunError):
        two.append([{**row, "hub": "two"}], {5: 7, 6: 1})
    assert ["one"] == [each["hub"] for each in rows(root, "operations")]
    assert (two.positions()[5], two.positions()[6]) == (7, 0)


async def test_of_two_that_tidy_one_does(root: Path) -> None:
    """deltalake lets two compactions pass that began beside each other: rows would be doubled."""
    row = {**dict.fromkeys(TABLES["operations"]), "day": 20000, "hub": "one"}
    one = Table(str(root), "operations")
    for number in range(12):
        one.append([row], {5: number + 1})
    tables = [Table(str(root), "operations") for _ in range(6)]
    for each in tables:
        each.positions()

    def tidied(table: Table) -> bool:
        try:
            table.tidy(30_000)
        except OutrunError:
            return False
        return True

    await asyncio.gather(*(asyncio.to_thread(tidied, each) for each in tables))
    assert 12 == len(rows(root, "operations"))
    opened = DeltaTable(str(root / "operations"))
    assert 1 == len(opened.file_uris())
    compactions = [each for each in opened.history() if each["operation"] == "OPTIMIZE"]
    assert 1 == len(compactions)


def parquet(root: Path, table: str) -> set[str]:
    """Days that have files."""
    return {path.parent.name for path in (root / table).rglob("*.parquet")}


async def test_days_past_their_time_are_deleted(
    connection: Connection, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole days, as soon as all of a day is older; positions stay. Their files go a week later."""
    noon = 20_000 * 86_400.0 + 43_200.0
    row = {**dict.fromkeys(TABLES["operations"]), "hub": "one"}
    for number, day in enumerate((19_996, 19_997, 19_998, 20_000), start=1):
        Table(str(root), "operations").append([{**row, "day": day}], {5: number})
    positions = Table(str(root), "operations").positions()
    before = counter("ordercast_warehouse_expired")

    def days() -> list[int]:
        return [(each["day"] - date(1970, 1, 1)).days for each in rows(root, "operations", "day")]

    monkeypatch.setattr("hub.worker.warehouse.time.time", lambda: noon)
    await warehouse(connection, root).step()
    assert days() == [19_996, 19_997, 19_998, 20_000]
    monkeypatch.setattr("hub.worker.warehouse.time.time", lambda: noon + 86_400.0)
    await warehouse(connection, root, retention=3 * 86_400.0).step()
    assert days() == [19_998, 20_000]
    assert counter("ordercast_warehouse_expired") == before + 2
    assert Table(str(root), "operations").positions() == positions

    assert len(parquet(root, "operations")) == 4
    DeltaTable(str(root / "operations")).vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert len(parquet(root, "operations")) == 2


async def test_a_worker_is_told_how_long_to_keep_rows(store: EmbeddedStore, root: Path) -> None:
    """By the setting, as a program composes it."""
    row = {**dict.fromkeys(TABLES["operations"]), "day": 20_000, "hub": "one"}
    Table(str(root), "operations").append([row], {5: 1})
    before = counter("ordercast_warehouse_expired")
    settings = {"warehouse": str(root), "warehouse_retention": "30d"}
    async with hubs(store, **settings) as (hub,):
        keys = load_keys(hub.state.settings, make=True)
        with worker_of(hub.state, keys, None) as working:
            running = asyncio.create_task(working.run())
            await eventually(lambda: counter("ordercast_warehouse_expired") == before + 1)
            await end([running])
    assert rows(root, "operations") == []


async def test_two_that_delete_what_is_old_do_no_harm(root: Path) -> None:
    """Nor do they to one who appends: he is outrun, and goes on."""
    row = {**dict.fromkeys(TABLES["operations"]), "hub": "one"}
    one, two, writer = (Table(str(root), "operations") for _ in range(3))
    one.append([{**row, "day": 20_000}, {**row, "day": 20_002}], {5: 1})
    writer.positions()
    assert [one.expire(20_001), two.expire(20_001), two.expire(20_001)] == [1, 0, 0]
    with pytest.raises(OutrunError):
        writer.append([{**row, "day": 20_003}], {5: 2})
    assert writer.positions()[5] == 1
    writer.append([{**row, "day": 20_003}], {5: 2})
    assert [each["day"].day for each in rows(root, "operations", "day")] == [6, 7]


async def test_two_at_once_write_each_event_once(
    hub: RunningHub, connection: Connection, root: Path
) -> None:
    """Without any lease."""
    both = [warehouse(connection, root) for _ in range(2)]
    for _ in range(4):
        await asyncio.gather(finished(hub), *(each.step() for each in both))
    await both[0].step()
    ids = [row["entry_id"] for row in rows(root, "events")]
    assert len(ids) == len(set(ids)) == 24
    assert 4 == len(rows(root, "orders"))


async def test_positions_outlast_compaction_and_checkpoints(
    hub: RunningHub, connection: Connection, root: Path
) -> None:
    """Also where the commits that brought them are gone."""
    filling = warehouse(connection, root)
    for _ in range(3):
        await finished(hub)
        await filling.step()
    before = rows(root, "events")
    table = Table(str(root), "events")
    positions = table.positions()
    table.tidy(100_000)
    opened = DeltaTable(str(root / "events"))
    opened.create_checkpoint()
    for commit in (root / "events" / "_delta_log").glob("*.json"):
        commit.unlink()
    assert positions == Table(str(root), "events").positions()
    assert before == rows(root, "events")
    assert 1 == len(opened.file_uris())


async def test_what_was_asked_of_a_hub_is_an_operation(
    store: EmbeddedStore, connection: Connection, root: Path
) -> None:
    """Who, what, with which result, and of which order; not what riders' phones send."""
    async with hubs(store, warehouse=str(root)) as (hub,):
        order = await place(hub.http(Role.PLATFORM, sub="ops_1", partner="acme"))
        mine = hub.http(Role.CUSTOMER, sub="cus_1")
        await mine.get(f"/v1/orders/{order['orderId']}")
        await mine.get("/v1/hubs")
        await hub.http().get(f"/v1/orders/{order['orderId']}")
        rider = hub.http(Role.RIDER, sub="rid_1")
        await rider.post("/v1/riders/rid_1/positions", json={"seq": 1})
        assert hub.state.logbook is not None
        await hub.state.logbook.write()
    await warehouse(connection, root).step()
    told = rows(root, "operations", "answered_at")
    columns = ("method", "route", "status", "role", "caller", "partner", "order_id", "hub")
    platform, customer = NAMES.of(Role.PLATFORM, "ops_1"), NAMES.of(Role.CUSTOMER, "cus_1")
    name, one = hub.state.hub_id, "/v1/orders/{order_id}"
    assert [
        ("POST", "/v1/orders", 201, "platform", platform, "acme", order["orderId"], name),
        ("GET", one, 404, "customer", customer, "default", order["orderId"], name),
        ("GET", "/v1/hubs", 403, "customer", customer, "default", None, name),
    ] == [tuple(each[column] for column in columns) for each in told]
    assert all(0 < each["took_ms"] < 15_000 for each in told)


async def test_operations_that_find_no_room_are_counted(
    connection: Connection, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here and at the hub; what is written makes room."""
    monkeypatch.setattr(requests, "_ROOM", 2)
    dropped, lost = counter("ordercast_operations_dropped"), counter("ordercast_warehouse_lost")
    book = Logbook(requests.RequestStream(connection, "hub-1"), NAMES)
    claims = Claims(role=Role.PLATFORM, expires=0)
    for _ in range(4):
        book.note(Note(1_800_000_000.0, "GET", "/v1/hubs", 200, claims, None, 0.001))
        await book.write()
    await warehouse(connection, root).step()
    assert 2 == len(rows(root, "operations"))
    assert dropped + 2 == counter("ordercast_operations_dropped")
    assert lost + 2 == counter("ordercast_warehouse_lost")
    book.note(Note(1_800_000_000.0, "GET", "/v1/hubs", 200, claims, None, 0.001))
    await book.write()
    await warehouse(connection, root).step()
    assert 3 == len(rows(root, "operations"))


async def test_operations_while_the_store_is_away_are_counted(
    store: EmbeddedStore, connection: Connection
) -> None:
    """Nothing is raised, and nothing kept."""
    book = Logbook(requests.RequestStream(connection, "hub-1"), NAMES)
    before = counter("ordercast_operations_dropped")
    book.note(Note(0.0, "GET", "/", 200, Claims(role=Role.OPS, expires=0), None, 0.0))
    store.stop()
    await book.write()
    await book.write()
    assert before + 1 == counter("ordercast_operations_dropped")


async def test_settled_deliveries_have_rows(connection: Connection, root: Path) -> None:
    """One for each that is done with, however it ended; none for a retry."""
    lanes = Lanes(connection, noted=True)
    target = Target("ep_1", "ep_1", latest=True)
    partition = partition_of("ord_1")
    news = [News("ord_1", "abcdefgh", seq, "acme", "", b"{}", [target]) for seq in (1, 2)]
    await lanes.enqueue(partition, "", "1-0", news)
    room = Room(total=9, queue=9, origin=9, named={})

    async def settle(settlement: Settlement) -> None:
        (claim,) = (await lanes.claim(partition, 60.0, room)).items
        await lanes.settle(claim, settlement)

    await settle(Settlement(State.PENDING, {"at": 1.0, "took": 0.25, "status": 500}))
    await settle(Settlement(State.DELIVERED, {"at": 2.0, "took": 0.5, "status": 202}))
    later = News("ord_1", "abcdefgh", 3, "acme", "", b"{}", [target])
    await lanes.enqueue(partition, "1-0", "2-0", [later])
    await settle(Settlement(State.DEAD, {"at": 3.0, "took": 10.0, "error": "no answer"}))
    await warehouse(connection, root).step()
    columns = ("delivery_id", "target", "partner", "state", "attempts", "status", "error", "took_s")
    assert [
        ("msg_ord_1_abcdefgh_1_ep_1", "ep_1", "acme", "superseded", 0, None, None, None),
        ("msg_ord_1_abcdefgh_2_ep_1", "ep_1", "acme", "delivered", 2, 202, None, 0.5),
        ("msg_ord_1_abcdefgh_3_ep_1", "ep_1", "acme", "dead", 1, None, "no answer", 10.0),
    ] == [tuple(each[column] for column in columns) for each in rows(root, "deliveries", "seq")]


async def _appended(connection: Connection, *ids: str) -> str:
    """Entries of partition 3 that nobody can read; the key of its log."""
    key = f"{tag(3)}log"
    for entry_id in ids:
        await connection.ask("XADD", key, entry_id, "e", "no event")
    for reader in READERS:
        await Log(connection, reader).keep({3: ids[-1]})
    return key


async def test_the_log_is_kept_until_it_is_written(connection: Connection, root: Path) -> None:
    """Then it is trimmed, but for the last entry. What cannot be read is passed over."""
    key = await _appended(connection, "5-0", "5-1", "6-0")
    await Log(connection, READER).keep({3: "5-0"})
    trimming = Log(connection, "any")
    await trimming.trim([3])
    assert 3 == await connection.ask("XLEN", key)
    await warehouse(connection, root).step()
    await trimming.trim([3])
    assert 1 == await connection.ask("XLEN", key)
    assert [] == rows(root, "events")


async def test_a_warehouse_that_stays_away_does_not_hold_the_log(connection: Connection) -> None:
    """A day behind the newest entry it is waited for no longer; a moment before, it is."""
    late = PATIENCE + 1000
    key = await _appended(connection, "1000-0", "1001-0", f"{late}-0")
    await Log(connection, READER).keep({3: "1000-0"})
    await Log(connection, "any").trim([3])
    assert 3 == await connection.ask("XLEN", key)
    await _appended(connection, f"{late + 2}-0")
    await Log(connection, "any").trim([3])
    assert 1 == await connection.ask("XLEN", key)
    assert {3: ""} == await Log(connection, READER).cursors([3])


@pytest.mark.parametrize("before", [(), ("1000-0",)])
async def test_what_comes_after_a_quiet_time_is_waited_for(
    connection: Connection, root: Path, before: tuple[str, ...]
) -> None:
    """In a partition where nothing was for days, or never."""
    filling = warehouse(connection, root)
    if before:
        await _appended(connection, *before)
    await filling.step()
    key = await _appended(connection, f"{5 * PATIENCE}-0", f"{5 * PATIENCE}-1")
    await Log(connection, "any").trim([3])
    assert 2 + len(before) == await connection.ask("XLEN", key)


async def test_a_warehouse_that_cannot_be_written_is_tried_again(
    hub: RunningHub, connection: Connection, root: Path
) -> None:
    """A step fails quietly, and the next makes it good."""
    await finished(hub)
    taken = root.parent / "taken"
    taken.write_text("a file where the folder should be")
    filling = warehouse(connection, taken)
    await filling.step()
    with pytest.raises(LakeError):
        filling.tables["events"].positions()
    taken.rename(root)
    await filling.step()
    assert 6 == len(rows(taken, "events"))


def test_positions_are_ids_and_sort_like_them() -> None:
    """There and back."""
    ids = ["0-0", "1-0", "1-1", "1795375912123-0", "1795375912123-1048575", "1795375912124-0"]
    positions = [position_of(each) for each in ids]
    assert ids == [entry_of(each) for each in positions]
    assert positions == sorted(positions)
    assert positions[-1] < 2**63


def test_without_the_extra_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, which says what to install."""
    check_extra()
    monkeypatch.setattr(lake, "_PACKAGES", ("deltalake", "no_such_package"))
    with pytest.raises(StartError, match=r"needs no_such_package; pip install"):
        check_extra()


async def test_the_log_is_held_before_the_first_table_is_made(
    hub: RunningHub, connection: Connection, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others have read meanwhile is not trimmed."""
    order = await place(hub.platform)
    partition = partition_of(order["orderId"])
    held: list[str] = []

    async def empty(self: Warehouse) -> None:
        held.append((await Log(connection, READER).cursors([partition]))[partition])

    monkeypatch.setattr(Warehouse, "_empty", empty)
    await warehouse(connection, root).step()
    assert held == ["0-0"]
