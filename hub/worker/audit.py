"""Extends the audit log by what the partitions' logs bring; signs its heads and orders' tips."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

import msgspec
import structlog

from hub.core.audit.heads import TIP, Signer, head_hash
from hub.core.audit.merkle import consistency_ranges, consistent, leaf_hash
from hub.core.orders.chain import leaf
from hub.metrics import AUDIT_FAULTS, AUDIT_HEAD, AUDIT_SIZE
from hub.services.audit import paths
from hub.store.audit import AuditStore, Batch, Tree
from hub.store.keys import PARTITIONS
from hub.store.log import Entries, Log
from hub.worker.keys import Keys
from schemas.lifecycle import FINAL
from schemas.times import format_time, parse_time

__all__ = ["Auditor"]

_COUNT: Final = 16
"""Entries of a partition in one stretch: 2,048 in all keep the store for some milliseconds."""
_STRETCHES: Final = 20
"""In one step, so that heads are signed while there is much to add."""
_TRIM: Final = 5.0
_AT_ONCE: Final = 32
"""Tips that are signed, 30 µs each, before others have their turn."""

Order = tuple[str, str]
"""Its id and epoch."""
Head = Mapping[str, Any]
log = structlog.get_logger("hub.worker")


class _Event(msgspec.Struct, rename="camel"):
    order_id: str
    epoch: str
    seq: int
    status: str
    hash: str


_event: Final = msgspec.json.Decoder(_Event).decode


class Auditor:
    """A duty that one worker leads. Two at once do no harm: the store lets one extend it.

    `interval`: seconds between two heads while there is traffic.
    """

    pace = 0.25

    def __init__(self, entries: Log, store: AuditStore, keys: Keys, interval: float) -> None:
        self._log = entries
        self._store = store
        self._keys = keys
        self._interval = interval
        self._tree: Tree | None = None
        self._untrimmed: set[int] = set()
        self._trim_at = 0.0

    async def step(self) -> None:
        for _ in range(_STRETCHES):
            if not await self._extend():
                break
        await self._sign()
        await self._trim()

    async def _load(self) -> Tree | None:
        """The log as the store has it; None where it cannot be gone on with. Its cursors are told
        to the partitions' again: a worker may have died between the two.
        """
        try:
            tree = await self._store.tree()
        except KeyError as error:
            _fault("lost", f"a tile of the log is gone: {error}")
            return None
        if tree.cursors:
            await self._log.keep(tree.cursors)
            self._untrimmed |= tree.cursors.keys()
        return tree

    async def _extend(self) -> bool:
        """A stretch; whether there may be more."""
        tree = self._tree or await self._load()
        self._tree = None  # until it is known that it is still so
        if tree is None:
            return False
        after = {each: tree.cursors.get(each, "") for each in range(PARTITIONS)}
        found = await self._log.read(after, 0.001, _COUNT)
        if not found:
            self._tree = tree
            return False
        tree = Tree(tree.log or token_hex(16), tree.frontier, tree.cursors)
        events = _events(found)
        tips = await self._tips(tree.log, {(each.order_id, each.epoch): each for each in events})
        batch = _batch(tree, found, events, tips)
        if not await self._store.extend(tree.log, tree.frontier.size, batch):
            return True
        self._tree = Tree(tree.log, batch.frontier, {**tree.cursors, **batch.cursors})
        await self._log.keep(batch.cursors)
        self._untrimmed |= batch.cursors.keys()
        AUDIT_SIZE.set(batch.frontier.size)
        return any(len(entries) == _COUNT for entries in found.values())

    async def _tips(
        self, name: str, last: Mapping[Order, _Event]
    ) -> dict[Order, dict[str, Any] | None]:
        """Where each order ends that is not finished, signed by who signs the next head: one that
        hands over has not told its successor before. Nothing by a key that signs no heads.

        `last`: of each order.
        """
        signing = self._keys.next_after(await self._store.newest())
        if signing is None:
            return dict.fromkeys(last)
        signer, at = signing[0], format_time(time.time())
        tips: dict[Order, dict[str, Any] | None] = {}
        for (order_id, epoch), event in last.items():
            tip = {"log": name, "orderId": order_id, "epoch": epoch, "seq": event.seq, "at": at}
            tips[order_id, epoch] = None if event.status in FINAL else signer.sign(tip, TIP)
            if len(tips) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return tips

    async def _sign(self) -> None:
        """Sign a head, if there is something new and the last one is old enough."""
        tree, last, now = self._tree, await self._store.newest(), time.time()
        if tree is None or not tree.log or not self._due(tree, last, now):
            return
        signing = self._keys.next_after(last)
        if signing is None:
            _fault("key", "the last head is signed by another key than ours")
        elif last is not None and not await self._goes_on(last, tree):
            _fault("inconsistent", "the log does not go on from the last head")
        else:
            await self._append(_head(tree, last, now, signing[1]), signing[0], last)

    def _due(self, tree: Tree, last: Head | None, now: float) -> bool:
        if last is None:
            return True
        at = parse_time(last["at"])
        AUDIT_HEAD.set(at)
        return bool(last["size"] != tree.frontier.size and now >= at + self._interval)

    async def _append(self, head: Head, signer: Signer, last: Head | None) -> None:
        signed = signer.sign(head)
        key = {"keyId": signer.public.id, "publicKey": signer.public.text, "since": head["number"]}
        first = last is None or last["keyId"] != signer.public.id
        if await self._store.sign(signed, key if first else None):
            log.info("head signed", number=head["number"], size=head["size"])
            AUDIT_HEAD.set(parse_time(head["at"]))

    async def _goes_on(self, last: Head, tree: Tree) -> bool:
        """Whether the log in the store begins with what was signed last. Nobody else may ever
        look; but whoever changes it must then keep us from signing too.
        """
        first, second = last["size"], tree.frontier.size
        if first > second or last["log"] != tree.log:
            return False
        (hashes,) = await paths(self._store, [consistency_ranges(first, second)])
        if hashes is None:
            return False
        path = [bytes.fromhex(each) for each in hashes]
        return consistent(first, bytes.fromhex(last["root"]), second, tree.frontier.root, path)

    async def _trim(self) -> None:
        now = time.monotonic()
        if self._untrimmed and now >= self._trim_at:
            untrimmed, self._untrimmed = self._untrimmed, set()
            self._trim_at = now + _TRIM
            await self._log.trim(untrimmed)


def _fault(kind: str, reason: str) -> None:
    AUDIT_FAULTS.labels(kind).inc()
    log.error("the audit log is not signed", reason=reason)


def _head(tree: Tree, last: Head | None, now: float, successor: str | None) -> dict[str, Any]:
    """What follows the last head, to be signed."""
    head = {
        "log": tree.log,
        "number": last["number"] + 1 if last else 1,
        "size": tree.frontier.size,
        "root": tree.frontier.root.hex(),
        "at": max(format_time(now), last["at"] if last else ""),
        "previous": head_hash(last) if last else "",
    }
    return {**head, "nextKey": successor} if successor else head


def _events(found: Mapping[int, Entries]) -> list[_Event]:
    """Partition by partition, each in its order."""
    events: list[_Event] = []
    for entries in found.values():
        for entry_id, fields in entries:
            try:
                events.append(_event(fields[b"e"]))
            except (msgspec.MsgspecError, KeyError) as error:
                AUDIT_FAULTS.labels("unreadable").inc()
                log.error("unreadable log entry", entry=entry_id, error=repr(error))
    return events


def _batch(
    tree: Tree, found: Mapping[int, Entries], events: Sequence[_Event], tips: Mapping[Order, Any]
) -> Batch:
    places: defaultdict[Order, list[tuple[int, int]]] = defaultdict(list)
    for place, event in enumerate(events, tree.frontier.size):
        places[event.order_id, event.epoch].append((event.seq, place))
    leaves = (leaf(each.order_id, each.epoch, each.seq, each.hash) for each in events)
    frontier, writes = tree.frontier.extended([leaf_hash(each) for each in leaves])
    cursors = {partition: entries[-1][0] for partition, entries in found.items()}
    return Batch(frontier, writes, cursors, places, tips)
