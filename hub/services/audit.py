"""The audit log's use: heads, keys, and proofs (contract 7)."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from hub.core.audit.merkle import Range, consistency_ranges, inclusion_ranges
from hub.core.audit.tiles import Hashes, tiles_of
from hub.core.callers.claims import Claims
from hub.errors import NotFoundError, UnprocessableError
from hub.services.orders import Orders
from hub.store.audit import AuditStore

__all__ = ["Audit", "paths"]


async def paths(store: AuditStore, plans: Sequence[Sequence[Range]]) -> list[list[str] | None]:
    """The hashes of each plan's ranges, in hex; None where a tile of it is gone."""
    hash_of = Hashes(await store.tiles(tiles_of(each for plan in plans for each in plan)))
    made: list[list[str] | None] = []
    for plan in plans:
        try:
            made.append([hash_of(each).hex() for each in plan])
        except KeyError:
            made.append(None)
        await asyncio.sleep(0)  # half a millisecond each: others must have their turn
    return made


class Audit:
    """Raises UnavailableError."""

    def __init__(self, store: AuditStore, orders: Orders) -> None:
        self._store = store
        self._orders = orders

    async def heads(self, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        """A page of heads, oldest first, and where to go on."""
        heads = await self._store.heads(after, limit + 1)
        return heads[:limit], heads[limit - 1]["number"] if len(heads) > limit else None

    async def keys(self) -> dict[str, Any]:
        """Raises NotFoundError before the first head."""
        log, _ = await self._store.size()
        keys = await self._store.keys()
        if not keys:
            raise NotFoundError("there is no signed head yet")
        return {"log": log, "keys": keys}

    async def consistency(self, first: int, second: int | None) -> dict[str, Any]:
        """That the log of `first` events is the beginning of the log of `second`, or of the
        newest head's, which is told too.

        Raises NotFoundError where there is no head, or the log's hashes are kept no more.
        """
        head = await self._newest()
        to = head["size"] if second is None else second
        if to > head["size"]:
            raise _misfit("to", f"the newest head has {head['size']} events")
        if first > to:
            raise _misfit("from", f"must not be over {to}")
        proof = await self._consistency(first, to)
        return {**proof, "head": head} if second is None else proof

    async def _newest(self) -> dict[str, Any]:
        head = await self._store.newest()
        if head is None:
            raise NotFoundError("there is no signed head yet")
        return head

    async def _consistency(self, first: int, second: int) -> dict[str, Any]:
        (hashes,) = await paths(self._store, [consistency_ranges(first, second)])
        if hashes is None:
            raise NotFoundError(
                f"what shows a log of {first} events in one of {second} is kept no more: "
                "ask for sizes of heads"
            )
        return {"from": first, "to": second, "hashes": hashes}

    async def proof(self, order_id: str, claims: Claims, since: int | None) -> dict[str, Any]:
        """Everything that an order's history is checked by; with `since`, also that the head's
        log goes on from that size, or is the beginning of it.

        Raises NotFoundError as for the order itself.
        """
        reading = await self._orders.history(order_id, claims, 0)
        head = await self._store.newest()
        size = head["size"] if head else 0
        places = await self._store.places(order_id, reading.state.epoch)
        # Last, so that no event in the head is beyond it.
        tip = await self._store.tip(order_id, reading.state.epoch)
        if tip is not None and tip["seq"] > reading.state.seq:  # it went on meanwhile
            reading = await self._orders.history(order_id, claims, 0)
        state, events = reading.state, reading.events
        tip = None if state.final else tip
        provable = events if state.final or tip else []
        inclusion = await self._inclusion(size, (e["seq"] for e in provable), places)
        proven = {each["seq"] for each in inclusion}
        proof = {
            "orderId": order_id,
            "epoch": state.epoch,
            "seq": state.seq,
            "events": events,
            "inclusion": inclusion,
            "pending": [event["seq"] for event in events if event["seq"] not in proven],
            "rotations": await self._store.rotations(),
            "head": head,
            "tip": tip,
            "consistency": await self._since(since, size) if head and since is not None else None,
        }
        return {name: told for name, told in proof.items() if told is not None}

    async def _since(self, since: int, size: int) -> dict[str, Any]:
        _, total = await self._store.size()
        if since > total:
            raise _misfit("from", f"the log has {total} events")
        return await self._consistency(*sorted((since, size)))

    async def _inclusion(
        self, size: int, seqs: Iterable[int], places: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Of the events that the head covers, and whose part of the log is still kept."""
        there = [(seq, places[seq - 1]) for seq in seqs if seq <= len(places)]
        covered = [(seq, place) for seq, place in there if place < size]
        plans = [inclusion_ranges(place, size) for _, place in covered]
        return [
            {"seq": seq, "index": place, "hashes": hashes}
            for (seq, place), hashes in zip(covered, await paths(self._store, plans), strict=True)
            if hashes is not None
        ]


def _misfit(name: str, wrong: str) -> UnprocessableError:
    return UnprocessableError(f"{name}: {wrong}", [(f"#/{name}", wrong)])
