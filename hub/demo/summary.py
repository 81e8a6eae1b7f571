"""The end of the demo: what the clients recorded against what the store holds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.demo.checks import (
    LaneFaults,
    Promise,
    StreamFaults,
    check_lanes,
    check_stream,
    percentile,
)
from hub.demo.partner import HOOKS
from hub.demo.records import Records
from schemas.lifecycle import Status
from schemas.orders import Event

__all__ = ["Summary", "summarize"]

Stored = Mapping[str, Sequence[Event]]


@dataclass(slots=True)
class Summary:
    promises: list[Promise]
    figures: dict[str, Any]
    failures: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        return all(promise.kept for promise in self.promises)

    def dump(self) -> dict[str, Any]:
        promises = [asdict(promise) for promise in self.promises]
        return {"kept": self.kept, "promises": promises, **self.figures, "failures": self.failures}


def summarize(
    records: Records,
    stored: Stored,
    webhook_faults: int,
    planned: int,
    interrupted: bool,
) -> Summary:
    """`stored`: the events of each order, by id. Who interrupts gets no promise about the end."""
    streams = StreamFaults()
    for order_id, record in records.orders.items():
        streams.add(check_stream(record.log, stored.get(order_id, ())))
    lanes = check_lanes(records.lanes, stored, HOOKS)
    promises = [*_stream_promises(records, streams), _lane_order(records, lanes, webhook_faults)]
    if not interrupted:
        promises = [_finished(records, planned), *promises, _lanes_complete(records, lanes)]
    return Summary(promises, _figures(records, streams, stored, interrupted), records.failures)


def _finished(records: Records, planned: int) -> Promise:
    finished = sum(record.final for record in records.orders.values())
    return Promise("every order finished", finished == planned, f"{finished} of {planned}")


def _stream_promises(records: Records, faults: StreamFaults) -> list[Promise]:
    missed = faults.holes + faults.lost
    told = f"{faults.seen + faults.covered} events; {faults.holes} skipped, {faults.lost} lost"
    return [
        Promise("no event lost", missed == 0, told),
        Promise("no event repeated", faults.repeats == 0, f"{faults.repeats} repeats"),
        Promise(
            "events as stored", faults.different == 0, f"{faults.different} different from the log"
        ),
        Promise(
            "positions only on delivery",
            faults.misplaced == 0,
            f"{records.positions} positions, {faults.misplaced} at another time",
        ),
        Promise(
            "nobody turned away", not records.failures, f"{len(records.failures)} clients failed"
        ),
    ]


def _lane_order(records: Records, faults: LaneFaults, refused: int) -> Promise:
    bad = faults.out_of_order + faults.unexpected + refused
    detail = f"{len(records.lanes)} lanes, {faults.out_of_order} out of order"
    if faults.unexpected or refused:
        detail += f", {faults.unexpected} unexpected, {refused} refused by the receiver"
    return Promise("webhook lanes in order", bad == 0, detail)


def _lanes_complete(records: Records, faults: LaneFaults) -> Promise:
    detail = f"{records.webhooks} webhooks, {faults.missing} missing"
    return Promise("webhook lanes complete", faults.missing == 0, detail)


def _figures(
    records: Records, streams: StreamFaults, stored: Stored, interrupted: bool
) -> dict[str, Any]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    lags = {name: percentile(records.lags, share) for name, share in shares.items()}
    return {
        "interrupted": interrupted,
        "orders": {
            "placed": len(records.orders),
            **{status.value: count for status in Status if (count := records.statuses[status])},
        },
        "events": {"stored": sum(map(len, stored.values())), **asdict(streams)},
        "resumptions": records.resumptions,
        "positions": records.positions,
        "fixes": {
            "made": records.fixes,
            "acks": records.acks,
            "rejected": dict(records.rejections),
        },
        "webhooks": {"delivered": records.webhooks, "lanes": len(records.lanes)},
        "lagMs": {name: lag and round(lag * 1000, 1) for name, lag in lags.items()},
    }
