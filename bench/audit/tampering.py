"""1,000 tamperings of the store, and who finds them; and untouched orders, which must hold."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from bench.audit.scene import EVENTS, KEY, Scene, scene
from hub.core.chain import leaf, sealed
from hub.core.heads import Signer, head_hash
from hub.core.merkle import leaf_hash
from hub.core.proof import check_proof
from hub.core.tiles import Frontier
from hub.errors import OrdercastError
from hub.store.keys import order_keys
from schemas.times import format_time
from schemas.wire import dumps, loads_own

__all__ = ["run"]

Event = dict[str, Any]
_STRANGER: Final = Signer.read("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8")
_HEADS: Final = "oc:{audit}:heads"


@dataclass
class Target:
    """An order to tamper with, and another one beside it."""

    scene: Scene
    random: random.Random
    order_id: str
    other_id: str
    events: list[Event]
    others: list[Event]

    async def write(self, events: list[Event], order_id: str | None = None) -> None:
        """The order's stream anew."""
        key, ask = order_keys(order_id or self.order_id).events, self.scene.connection.ask
        await ask("DEL", key)
        for number, event in enumerate(events, 1):
            await ask("XADD", key, f"{number}-0", "e", dumps(event))

    def places(self, events: list[Event]) -> str:
        return f"oc:{{audit}}:places:{events[0]['orderId']}:{events[0]['epoch']}"

    async def place(self) -> int:
        order = (self.order_id, self.events[0]["epoch"])
        return self.random.choice(await self.scene.hub.audit_store.places(*order))


def _resealed(events: list[Event]) -> list[Event]:
    """The contents as they are, numbered, with a chain that holds in itself."""
    made: list[Event] = []
    for event in events:
        content = {name: value for name, value in event.items() if name not in ("hash", "prevHash")}
        content["seq"] = len(made) + 1
        made.append(sealed(content, made[-1]["hash"] if made else ""))
    return made


def _changed(t: Target) -> list[Event]:
    """One field of one event says something else."""
    events = [dict(each) for each in t.events]
    event = t.random.choice(events)
    moment = format_time(1.79e9 + t.random.random() * 1e7)
    name, value = t.random.choice(
        [
            ("timestamp", moment),
            ("actor", {"role": "rider", "sub": "rid_0"}),
            ("status", "CANCELLED"),
            ("estimatedTime", 61),
            ("reason", "it was never late"),
        ]
    )
    event[name] = value
    return events


async def change(t: Target) -> None:
    await t.write(_changed(t))


async def change_and_reseal(t: Target) -> None:
    await t.write(_resealed(_changed(t)))


async def remove(t: Target) -> None:
    events = list(t.events)
    del events[t.random.randrange(len(events))]
    await t.write(events)


async def remove_and_reseal(t: Target) -> None:
    events = list(t.events)
    del events[t.random.randrange(len(events) - 1)]
    await t.write(_resealed(events))


async def reorder(t: Target) -> None:
    events = list(t.events)
    one, other = t.random.sample(range(len(events)), 2)
    events[one], events[other] = events[other], events[one]
    await t.write(events)


async def reorder_and_reseal(t: Target) -> None:
    events = list(t.events)
    one, other = t.random.sample(range(len(events)), 2)
    events[one], events[other] = events[other], events[one]
    await t.write(_resealed(events))


async def insert(t: Target) -> None:
    events = list(t.events)
    events.insert(t.random.randrange(1, len(events) + 1), t.random.choice(events))
    await t.write(events)


async def insert_and_reseal(t: Target) -> None:
    events = list(t.events)
    events.insert(t.random.randrange(1, len(events) + 1), t.random.choice(events))
    await t.write(_resealed(events))


async def swap_an_event(t: Target) -> None:
    """One event of another order, as it is or under this order's name."""
    events, at = list(t.events), t.random.randrange(len(t.events))
    events[at] = t.others[at]
    if t.random.random() < 0.5:
        ours = {"orderId": t.order_id, "epoch": t.events[0]["epoch"]}
        events = _resealed([{**each, **ours} for each in events])
    await t.write(events)


async def swap_orders(t: Target) -> None:
    """All of another order's events, with their places in the log or without."""
    ask = t.scene.connection.ask
    if t.random.random() < 0.5:
        await t.write(t.others)
    else:
        ours = {"orderId": t.order_id, "epoch": t.events[0]["epoch"]}
        await t.write(_resealed([{**each, **ours} for each in t.others]))
    if t.random.random() < 0.5:
        await ask("SET", t.places(t.events), await ask("GET", t.places(t.others)))


async def change_a_tile(t: Target) -> None:
    """A changed event, and its leaf in the log with it."""
    events = _resealed(_changed(t))
    await t.write(events)
    places = await t.scene.hub.audit_store.places(t.order_id, events[0]["epoch"])
    for event, place in zip(events, places, strict=True):
        tile, at = divmod(place, 256)
        data = leaf_hash(leaf(t.order_id, event["epoch"], event["seq"], event["hash"]))
        await t.scene.connection.ask("SETRANGE", f"oc:{{audit}}:tile:0:{tile}", 32 * at, data)


async def break_a_tile(t: Target) -> None:
    place = await t.place()
    key = f"oc:{{audit}}:tile:0:{place // 256}"
    await t.scene.connection.ask("SETRANGE", key, 32 * (place % 256), t.random.randbytes(32))


async def replay_an_old_head(t: Target) -> None:
    """The log as it was: the order's newest events would be pending, or a head is passed off."""
    keep = t.random.randrange(1, await t.scene.connection.ask("LLEN", _HEADS))
    await t.scene.connection.ask("LTRIM", _HEADS, 0, keep - 1)


async def forge_a_head(t: Target) -> None:
    """A head signed by a stranger, who may give the right key's name."""
    head = loads_own(await t.scene.connection.ask("LINDEX", _HEADS, -1))
    forged = _STRANGER.sign({k: v for k, v in head.items() if k != "signature"})
    if t.random.random() < 0.5:
        forged["keyId"] = head["keyId"]
    await t.scene.connection.ask("LSET", _HEADS, -1, dumps(forged))


async def rewrite_with_the_key(t: Target) -> None:
    """The operator, who has store and key, makes another past and signs it again: all of the log's
    tiles and its newest head, or one head more.
    """
    await change_a_tile(t)
    ask = t.scene.connection.ask
    _, size = await t.scene.hub.audit_store.size()
    hashes: list[bytes] = []
    for number in range(-(-size // 256)):
        data = await ask("GET", f"oc:{{audit}}:tile:0:{number}")
        hashes += [data[at : at + 32] for at in range(0, len(data), 32)]
    frontier, writes = Frontier().extended(hashes)
    for write in writes:
        await ask("SET", f"oc:{{audit}}:tile:{write.tile.level}:{write.tile.number}", write.data)
    head = loads_own(await ask("LINDEX", _HEADS, -1))
    forged = {k: v for k, v in head.items() if k not in ("signature", "keyId")}
    forged["root"] = frontier.root.hex()
    if t.random.random() < 0.5:
        await ask("LSET", _HEADS, -1, dumps(KEY.sign(forged)))
    else:
        forged |= {"number": head["number"] + 1, "previous": head_hash(head)}
        await ask("RPUSH", _HEADS, dumps(KEY.sign(forged)))


KINDS: Final[tuple[Callable[[Target], Awaitable[None]], ...]] = (
    change,
    change_and_reseal,
    remove,
    remove_and_reseal,
    reorder,
    reorder_and_reseal,
    insert,
    insert_and_reseal,
    swap_an_event,
    swap_orders,
    change_a_tile,
    break_a_tile,
    replay_an_old_head,
    forge_a_head,
    rewrite_with_the_key,
)


async def _faults(at: Scene, order_id: str, heads: list[Event]) -> list[str]:
    """What `ordercast verify --witness` says of the proof that the hub gives."""
    try:
        proof = await at.proof(order_id, heads[-1]["size"])
    except OrdercastError as error:
        return [f"the hub: {type(error).__name__}"]
    return [each.code.value for each in check_proof(proof, KEY.public, heads).faults]


class Copy:
    """The keys that tamperings touch, to be put back."""

    def __init__(self, at: Scene, keys: list[str]) -> None:
        self._ask = at.connection.ask
        self._keys = keys
        self._dumps: list[Any] = []

    async def take(self) -> None:
        self._dumps = [await self._ask("DUMP", key) for key in self._keys]

    async def put_back(self) -> None:
        for key, dump in zip(self._keys, self._dumps, strict=True):
            await self._ask("RESTORE", key, 0, dump, "REPLACE")


async def run(orders: int, tamperings: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    async with scene() as at:
        ids = await at.orders(orders)
        heads = await at.hub.audit_store.heads(0, 100_000)
        alarms = [each for each in ids if await _faults(at, each, heads)]
        log = await _log_keys(at)
        found: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in KINDS}
        missed: list[str] = []
        for number in range(tamperings):
            kind = KINDS[number % len(KINDS)]
            faults = await _tamper(at, kind, chance, ids, heads, log)
            found[kind.__name__].update(set(faults) or {"nothing"})
            missed += [] if faults else [kind.__name__]
    return {
        "orders": orders,
        "events": orders * EVENTS,
        "heads": len(heads),
        "falseAlarms": len(alarms),
        "tamperings": tamperings,
        "found": tamperings - len(missed),
        "missed": missed,
        "foundBy": {name: dict(counts.most_common()) for name, counts in found.items()},
    }


async def _log_keys(at: Scene) -> list[str]:
    _, size = await at.hub.audit_store.size()
    tiles, level = [], 0
    while size:
        tiles += [f"oc:{{audit}}:tile:{level}:{n}" for n in range(-(-size // 256))]
        size, level = size // 256, level + 1
    return [*tiles, _HEADS]


async def _tamper(
    at: Scene,
    kind: Callable[[Target], Awaitable[None]],
    chance: random.Random,
    ids: list[str],
    heads: list[Event],
    log: list[str],
) -> list[str]:
    order_id, other_id = chance.sample(ids, 2)
    events, others = [(await at.proof(each))["events"] for each in (order_id, other_id)]
    target = Target(at, chance, order_id, other_id, events, others)
    touched = [order_keys(order_id).events, target.places(events)]
    if kind in (change_a_tile, break_a_tile, rewrite_with_the_key):
        touched += log
    elif kind in (replay_an_old_head, forge_a_head):
        touched.append(_HEADS)
    copy = Copy(at, touched)
    await copy.take()
    await kind(target)
    faults = await _faults(at, order_id, heads)
    await copy.put_back()
    return faults
