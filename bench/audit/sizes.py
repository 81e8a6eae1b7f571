"""A log of millions: what an event costs in time and memory, a proof in bytes and time."""

import random
import time
from typing import Any, Final

from bench.audit.scene import EVENTS, KEY, Scene, scene
from bench.meters import cpu_seconds, percentiles
from hub.core.audit.merkle import inclusion_ranges, leaf_hash
from hub.core.audit.proof import check_proof
from hub.core.audit.tiles import Frontier
from hub.core.orders.chain import leaf, sealed
from hub.services.audit import paths
from hub.store.audit import Batch
from hub.store.keys import partition_of, tag
from schemas.times import format_time
from schemas.wire import dumps

__all__ = ["extension", "large"]

_STRETCH: Final = 8192
_SAMPLE: Final = 200
_START: Final = 1_795_374_343.0
_STATUSES: Final = (
    ("order.created", "PENDING"),
    ("courier.assigned", "PENDING"),
    ("order.confirmed", "CONFIRMED"),
    ("order.preparing", "PREPARING"),
    ("order.ready", "PREPARING"),
    ("order.on_delivery", "ON_DELIVERY"),
    ("order.completed", "COMPLETED"),
)


def _events(order_id: str, at: float) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for kind, status in _STATUSES:
        event = {
            "orderId": order_id,
            "epoch": "abcdefgh",
            "seq": len(events) + 1,
            "eventType": kind,
            "status": status,
            "timestamp": format_time(at + 300 * len(events)),
            "actor": {"role": "platform", "sub": "shop"},
            "courierState": "ASSIGNED",
        }
        events.append(sealed(event, events[-1]["hash"] if events else ""))
    return events


async def _used(at: Scene) -> int:
    async with at.connection.mapped() as client:
        return int((await client.info("memory"))["used_memory"])


async def extension(events: int) -> dict[str, Any]:
    """CPU of the worker and of the store for each event that a log has gathered, and memory."""
    orders = events // EVENTS
    async with scene() as at:
        await _gather(at, orders)
        before, used = _cpu(at), await _used(at)
        start = time.perf_counter()
        while (await at.hub.audit_store.size())[1] < orders * EVENTS:
            await at.auditor.step()
        seconds, after = time.perf_counter() - start, _cpu(at)
        grown = await _used(at) - used
        heads = await at.connection.ask("LLEN", "oc:{audit}:heads")
        async with at.connection.mapped() as client:
            places = await client.memory_usage(f"oc:{{audit}}:places:{_name(1)}:abcdefgh")
    count = orders * EVENTS
    return {
        "events": count,
        "eventsPerSecond": round(count / seconds),
        "workerMicrosecondsPerEvent": round((after["worker"] - before["worker"]) / count * 1e6, 2),
        "storeMicrosecondsPerEvent": round((after["store"] - before["store"]) / count * 1e6, 2),
        "heads": heads,
        "storeBytesPerEvent": round(grown / count, 1),
        "placesBytesPerOrder": places,
    }


def _cpu(at: Scene) -> dict[str, float]:
    assert at.store.pid is not None
    store = cpu_seconds({"store": at.store.pid})
    return {"worker": time.process_time(), **store}


def _name(number: int) -> str:
    return f"ord_{number:020x}"


async def _gather(at: Scene, orders: int) -> None:
    """The partitions' logs, as orders would leave them that go on side by side."""
    for first in range(0, orders, 500):
        group = [
            _events(_name(number), _START) for number in range(first, min(first + 500, orders))
        ]
        async with at.connection.mapped() as client:
            pipeline = client.pipeline(transaction=False)
            for row in zip(*group, strict=True):
                for event in row:
                    log = f"{tag(partition_of(event['orderId']))}log"
                    pipeline.xadd(log, {"o": event["orderId"], "e": dumps(event), "w": b""})
            await pipeline.execute()


async def large(leaves: int, seed: int) -> dict[str, Any]:
    """Proofs of orders whose events lie some hundred thousand places apart, out of the store."""
    chance = random.Random(seed)
    taken: set[int] = set()
    orders = [_order(chance, number, leaves, taken) for number in range(_SAMPLE)]
    ours = {
        place: leaf_hash(leaf(e["orderId"], e["epoch"], e["seq"], e["hash"]))
        for events, places in orders
        for e, place in zip(events, places, strict=True)
    }
    async with scene() as at:
        used = await _used(at)
        start = time.process_time()
        await _build(at, leaves, ours)
        built, grown = time.process_time() - start, await _used(at) - used
        await at.auditor.step()
        return {
            "events": leaves,
            "buildMicrosecondsPerEvent": round(built / leaves * 1e6, 2),
            "tileBytesPerEvent": round(grown / leaves, 2),
            **await _proofs(at, orders, chance),
        }


def _order(
    chance: random.Random, number: int, leaves: int, taken: set[int]
) -> tuple[list[dict[str, Any]], list[int]]:
    """An order, and places of its events, a twentieth of the log apart, that are not `taken`."""
    first, places = chance.randrange(leaves - leaves // 20), set[int]()
    while len(places) < EVENTS:
        place = first + chance.randrange(leaves // 20)
        places |= {place} - taken
        taken.add(place)
    return _events(_name(number), _START), sorted(places)


async def _build(at: Scene, leaves: int, ours: dict[int, bytes]) -> None:
    store, frontier, log = at.hub.audit_store, Frontier(), "0" * 32
    filler = [leaf_hash(b"%d" % number) for number in range(_STRETCH)]
    while frontier.size < leaves:
        size = frontier.size
        hashes = filler[: leaves - size]
        for place in range(size, size + len(hashes)):
            if place in ours:
                hashes = [ours.get(size + n, each) for n, each in enumerate(hashes)]
                break
        frontier, writes = frontier.extended(hashes)
        assert await store.extend(log, size, Batch(frontier, writes, {0: "0-0"}, {}, {}))


async def _proofs(at: Scene, orders: list[Any], chance: random.Random) -> dict[str, Any]:
    made, checked, sizes, longest = list[float](), list[float](), list[int](), 0
    head = await at.hub.audit_store.newest()
    assert head is not None
    for events, places in orders:
        start = time.process_time()
        plans = [inclusion_ranges(place, head["size"]) for place in places]
        found = await paths(at.hub.audit_store, plans)
        made.append(time.process_time() - start)
        inclusion = [
            {"seq": seq, "index": place, "hashes": hashes}
            for seq, (place, hashes) in enumerate(zip(places, found, strict=True), 1)
        ]
        proof = {
            "orderId": events[0]["orderId"],
            "epoch": "abcdefgh",
            "seq": EVENTS,
            "events": events,
            "inclusion": inclusion,
            "pending": [],
            "rotations": [],
            "head": head,
        }
        sizes.append(len(dumps(proof)))
        start = time.process_time()
        verdict = check_proof(proof, KEY.public, strict=True)
        checked.append(time.process_time() - start)
        assert verdict.holds, verdict
        longest = max(longest, *(len(hashes or ()) for hashes in found))
    first = chance.randrange(1, head["size"])
    start = time.perf_counter()
    consistency = await at.hub.audit.consistency(first, head["size"])
    return {
        "eventsPerOrder": EVENTS,
        "hashesPerEvent": longest,
        "proofBytes": {"median": sorted(sizes)[len(sizes) // 2], "max": max(sizes)},
        "makeCpuMilliseconds": percentiles(made),
        "verifyCpuMilliseconds": percentiles(checked),
        "consistencyHashes": len(consistency["hashes"]),
        "consistencyMilliseconds": round((time.perf_counter() - start) * 1000, 2),
    }
