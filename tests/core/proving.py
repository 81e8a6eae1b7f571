"""An audit log in memory, and proofs out of it, for the tests of the core."""

from typing import Any

from hub.core.audit.heads import TIP, Signer, head_hash
from hub.core.audit.merkle import consistency_ranges, inclusion_ranges, leaf_hash
from hub.core.audit.tiles import Frontier, Tile, hash_of
from hub.core.orders.chain import leaf, sealed
from schemas.times import format_time
from tests.core.making import NOW

__all__ = ["KEY", "OTHER", "Ledger", "events_of"]

KEY = Signer.read("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA")
OTHER = Signer.read("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8")

_STATUSES = ("PENDING", "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")


def events_of(order_id: str, count: int = 5, epoch: str = "abcdefgh") -> list[dict[str, Any]]:
    """The events of an order, sealed."""
    events: list[dict[str, Any]] = []
    for number, status in enumerate(_STATUSES[:count]):
        event = {
            "orderId": order_id,
            "epoch": epoch,
            "seq": number + 1,
            "eventType": f"order.{status.lower()}",
            "status": status,
            "timestamp": format_time(NOW + number),
            "actor": {"role": "platform", "sub": "shop"},
            "reason": "as it should be",
        }
        events.append(sealed(event, events[-1]["hash"] if events else ""))
    return events


class Ledger:
    """A log and its heads."""

    def __init__(self, signer: Signer = KEY, log: str = "0" * 32) -> None:
        self.signer = signer
        self.log = log
        self.heads: list[dict[str, Any]] = []
        self._frontier = Frontier()
        self._tiles: dict[Tile, bytes] = {}
        self._places: dict[tuple[str, int], int] = {}
        self._tips: dict[str, dict[str, Any] | None] = {}

    def add(self, *events: dict[str, Any]) -> None:
        for event in events:
            self._places[event["orderId"], event["seq"]] = self._frontier.size
            self._tips[event["orderId"]] = self._tip(event)
            place = (event["orderId"], event["epoch"], event["seq"], event["hash"])
            self._frontier, writes = self._frontier.extended([leaf_hash(leaf(*place))])
            for tile, offset, data in writes:
                self._tiles[tile] = self._tiles.get(tile, b"")[:offset] + data

    def _tip(self, event: dict[str, Any]) -> dict[str, Any] | None:
        if event["status"] == _STATUSES[-1]:
            return None
        told = {name: event[name] for name in ("orderId", "epoch", "seq")}
        return self.signer.sign({"log": self.log, **told, "at": format_time(NOW)}, TIP)

    def sign(self, **more: Any) -> dict[str, Any]:
        head = {
            "log": self.log,
            "number": len(self.heads) + 1,
            "size": self._frontier.size,
            "root": self._frontier.root.hex(),
            "at": format_time(NOW),
            "previous": head_hash(self.heads[-1]) if self.heads else "",
            **more,
        }
        self.heads.append(self.signer.sign(head))
        return self.heads[-1]

    def proof(self, events: list[dict[str, Any]], since: int | None = None) -> dict[str, Any]:
        """As the hub would tell it, by the newest head."""
        head = self.heads[-1]
        size = head["size"]
        inclusion = [
            {"seq": seq, "index": place, "hashes": self._path(inclusion_ranges(place, size))}
            for event in events
            for seq in [event["seq"]]
            for place in [self._places.get((event["orderId"], seq), size)]
            if place < size
        ]
        proven = [each["seq"] for each in inclusion]
        proof = {
            "orderId": events[0]["orderId"],
            "epoch": events[0]["epoch"],
            "seq": len(events),
            "events": events,
            "head": head,
            "inclusion": inclusion,
            "pending": [e["seq"] for e in events if e["seq"] not in proven],
            "rotations": [each for each in self.heads if "nextKey" in each],
        }
        if tip := self._tips.get(events[0]["orderId"]):
            proof["tip"] = tip
        if since is not None:
            proof["consistency"] = self.consistency(*sorted((since, size)))
        return proof

    def consistency(self, first: int, second: int) -> dict[str, Any]:
        hashes = self._path(consistency_ranges(first, second))
        return {"from": first, "to": second, "hashes": hashes}

    def _path(self, ranges: list[tuple[int, int]]) -> list[str]:
        return [hash_of(each, self._tiles).hex() for each in ranges]
