"""1,000 tamperings of the store, and who finds them; and untouched orders, which must hold."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench.audit.kinds import (
    HEADS,
    KINDS,
    ON_HEADS,
    ON_TILES,
    Event,
    Kind,
    Target,
    break_a_tile,
)
from bench.audit.scene import EVENTS, KEY, Scene, scene
from hub.core.audit.proof import check_proof
from hub.errors import OrdercastError
from hub.store.keys import order_keys

__all__ = ["run"]


async def _proof(at: Scene, order_id: str, heads: list[Event]) -> Event | str:
    """What the hub gives; the name of its error where it refuses."""
    try:
        return await at.proof(order_id, heads[-1]["size"])
    except OrdercastError as error:
        return type(error).__name__


def _faults(proof: Event | str, heads: list[Event]) -> list[str]:
    """What `ordercast verify --witness` says of it."""
    if isinstance(proof, str):
        return [f"the hub: {proof}"]
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


class Tally:
    """Found, missed, and without effect: where the hub gives the very proof that it gave before,
    whoever asks for this order is told the truth. What else was harmed must be found elsewhere.
    """

    def __init__(self) -> None:
        self.found: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in KINDS}
        self.missed: list[str] = []
        self.without_effect: Counter[str] = Counter()

    @property
    def effective(self) -> int:
        return sum(count["tamperings"] for count in self.found.values())

    def note(self, name: str, faults: list[str], same: bool) -> None:
        if same and not faults:
            self.without_effect[name] += 1
            return
        self.found[name].update({*faults, "tamperings"})
        self.missed += [] if faults else [name]


async def run(orders: int, tamperings: int, seed: int) -> dict[str, Any]:
    """So many tamperings that have an effect, and what became of the others."""
    chance, tally = random.Random(seed), Tally()
    async with scene() as at:
        ids = await at.orders(orders)
        heads = await at.hub.audit_store.heads(0, 100_000)
        alarms = [each for each in ids if _faults(await _proof(at, each, heads), heads)]
        bench = Bench(at, chance, ids, heads, await _tile_keys(at), await _owners(at, ids))
        number = 0
        while tally.effective < tamperings:
            await bench.tamper(KINDS[number % len(KINDS)], tally)
            number += 1
    return {
        "orders": orders,
        "events": orders * EVENTS,
        "heads": len(heads),
        "falseAlarms": len(alarms),
        "tamperings": tally.effective,
        "found": tally.effective - len(tally.missed),
        "missed": tally.missed,
        "withoutEffectOnTheOrder": dict(tally.without_effect),
        "foundBy": {name: dict(counts.most_common()) for name, counts in tally.found.items()},
    }


async def _owners(at: Scene, ids: list[str]) -> dict[int, str]:
    """Whose event stands at each place of the log."""
    owners = {}
    for order_id in ids:
        epoch = (await at.proof(order_id))["epoch"]
        places = await at.hub.audit_store.places(order_id, epoch)
        owners |= dict.fromkeys(places, order_id)
    return owners


async def _tile_keys(at: Scene) -> list[str]:
    _, size = await at.hub.audit_store.size()
    tiles, level = [], 0
    while size:
        tiles += [f"oc:{{audit}}:tile:{level}:{n}" for n in range(-(-size // 256))]
        size, level = size // 256, level + 1
    return tiles


@dataclass
class Bench:
    scene: Scene
    random: random.Random
    ids: list[str]
    heads: list[Event]
    tiles: list[str]
    owners: dict[int, str]

    async def tamper(self, kind: Kind, tally: Tally) -> None:
        """Once, and put back what it was."""
        order_id, other_id = self.random.sample(self.ids, 2)
        before = await _proof(self.scene, order_id, self.heads)
        assert not isinstance(before, str)
        others = (await self.scene.proof(other_id))["events"]
        target = Target(self.scene, self.random, order_id, other_id, before["events"], others)
        copy = Copy(self.scene, self._touched(kind, target))
        await copy.take()
        await kind(target)
        after = await _proof(self.scene, order_id, self.heads)
        tally.note(kind.__name__, _faults(after, self.heads), after == before)
        if after == before and target.broken is not None:
            await self._beside(target.broken, tally)
        await copy.put_back()

    async def _beside(self, place: int, tally: Tally) -> None:
        """Where the order itself was not harmed: the event beside it must be found to be."""
        beside = self.owners.get(place ^ 1)
        if beside is not None:
            harmed = await _proof(self.scene, beside, self.heads)
            tally.note(break_a_tile.__name__, _faults(harmed, self.heads), same=False)

    def _touched(self, kind: Kind, target: Target) -> list[str]:
        keys = [order_keys(target.order_id).events, target.places(target.events)]
        keys += self.tiles if kind in ON_TILES else []
        return [*keys, HEADS] if kind in ON_HEADS else keys
