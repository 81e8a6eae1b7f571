"""Ways to tamper with a store in which an order's events stand."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from bench.audit.scene import KEY, Scene
from hub.core.audit.heads import Signer, head_hash
from hub.core.audit.merkle import leaf_hash
from hub.core.audit.tiles import Frontier
from hub.core.orders.chain import leaf, sealed
from hub.store.keys import order_keys
from schemas.times import format_time
from schemas.wire import dumps, loads_own

__all__ = ["HEADS", "KINDS", "ON_HEADS", "ON_TILES", "Event", "Kind", "Target", "break_a_tile"]

Event = dict[str, Any]
_STRANGER: Final = Signer.read("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8")
HEADS: Final = "oc:{audit}:heads"


@dataclass
class Target:
    """An order to tamper with, and another one beside it."""

    scene: Scene
    random: random.Random
    order_id: str
    other_id: str
    events: list[Event]
    others: list[Event]
    broken: int | None = None
    """The place in the log whose hash alone was changed."""

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
    """The hash of one of the order's leaves. The proof of that event has no need of it: it is
    those beside it that no longer hold.
    """
    t.broken = place = await t.place()
    key = f"oc:{{audit}}:tile:0:{place // 256}"
    await t.scene.connection.ask("SETRANGE", key, 32 * (place % 256), t.random.randbytes(32))


async def replay_an_old_head(t: Target) -> None:
    """The log as it was: the order's newest events would be pending, or a head is passed off."""
    keep = t.random.randrange(1, await t.scene.connection.ask("LLEN", HEADS))
    await t.scene.connection.ask("LTRIM", HEADS, 0, keep - 1)


async def forge_a_head(t: Target) -> None:
    """A head signed by a stranger, who may give the right key's name."""
    head = loads_own(await t.scene.connection.ask("LINDEX", HEADS, -1))
    forged = _STRANGER.sign({k: v for k, v in head.items() if k != "signature"})
    if t.random.random() < 0.5:
        forged["keyId"] = head["keyId"]
    await t.scene.connection.ask("LSET", HEADS, -1, dumps(forged))


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
    head = loads_own(await ask("LINDEX", HEADS, -1))
    forged = {k: v for k, v in head.items() if k not in ("signature", "keyId")}
    forged["root"] = frontier.root.hex()
    if t.random.random() < 0.5:
        await ask("LSET", HEADS, -1, dumps(KEY.sign(forged)))
    else:
        forged |= {"number": head["number"] + 1, "previous": head_hash(head)}
        await ask("RPUSH", HEADS, dumps(KEY.sign(forged)))


Kind = Callable[[Target], Awaitable[None]]

KINDS: Final[tuple[Kind, ...]] = (
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

ON_TILES: Final = (change_a_tile, break_a_tile, rewrite_with_the_key)
ON_HEADS: Final = (*ON_TILES, replay_an_old_head, forge_a_head)
