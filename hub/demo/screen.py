"""What the terminal shows: a live table, or plain lines where there is no terminal."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from hub.demo.checks import percentile
from hub.demo.partner import DOWN, Partner
from hub.demo.records import Records
from hub.demo.summary import Summary
from hub.demo.town import Town
from schemas.lifecycle import Status

__all__ = ["Screen", "show_summary"]

_SPAN: Final = 5.0  # seconds over which rates are told
_REDRAW: Final = 0.5
_LINE_EVERY: Final = 3.0

_WHAT: Final = {
    "placed": "orders, so far",
    Status.PENDING: "not yet paid or taken on",
    Status.CONFIRMED: "taken on by the restaurant",
    Status.PREPARING: "in the kitchen",
    Status.ON_DELIVERY: "picked up, on its way",
    Status.COMPLETED: "handed over",
    Status.CANCELLED: "by its customer or restaurant",
    Status.RETURNING: "on its way back",
    Status.RETURNED: "back at the restaurant",
    "waiting for a rider": "orders; all riders are busy",
    "sockets": "customers, riders: a hub each",
    "fixes/s": "GPS fixes that the hub took",
    "events/s": "told to customers live",
    "lag p50 / p99": "from a change to its customer",
    "webhooks delivered": "to a partner",
    "webhooks retrying": f"it is down for its first {DOWN:.0f} s",
}
"""What each figure says."""


class Screen:
    """`show` draws until it is cancelled. `clock` answers seconds."""

    def __init__(
        self, console: Console, town: Town, partner: Partner, clock: Callable[[], float]
    ) -> None:
        self._console = console
        self._town = town
        self._partner = partner
        self._clock = clock
        self._samples: deque[tuple[float, int, int, int]] = deque()

    async def show(self) -> None:
        if self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False) as live:
                while True:
                    live.update(self.table(), refresh=True)
                    await asyncio.sleep(_REDRAW)
        while True:
            await asyncio.sleep(_LINE_EVERY)
            self._console.print(self.line(), soft_wrap=True)

    def figures(self) -> dict[str, str]:
        """Rates and lag are those of the last seconds, all else is as it stands."""
        records = self._town.records
        fixes, events, lags = self._recent(records)
        statuses = {status.value: records.statuses[status] for status in Status}
        return {
            "placed": f"{len(records.orders)} of {len(self._town.evening.orders)}",
            **{name: str(count) for name, count in statuses.items() if count},
            "waiting for a rider": str(self._town.waiting),
            "sockets": str(self._town.sockets),
            "fixes/s": f"{fixes:.0f}",
            "events/s": f"{events:.0f}",
            "lag p50 / p99": f"{milliseconds(lags, 0.5)} / {milliseconds(lags, 0.99)} ms",
            "webhooks delivered": str(records.webhooks),
            "webhooks retrying": str(self._partner.waiting),
        }

    def table(self) -> Table:
        table = Table(title="A Friday evening, a minute of it in a second", title_justify="left")
        table.add_column("")
        table.add_column("now", justify="right", min_width=16)
        table.add_column("what it is")
        for name, value in self.figures().items():
            table.add_row(name, value, _WHAT[name], style="bold" if name.isupper() else None)
        return table

    def line(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.figures().items())

    def _recent(self, records: Records) -> tuple[float, float, list[float]]:
        now = self._clock()
        self._samples.append((now, records.acks, records.events, len(records.lags)))
        while len(self._samples) > 2 and self._samples[0][0] < now - _SPAN:
            self._samples.popleft()
        then, fixes, events, lags = self._samples[0]
        span = max(now - then, _REDRAW)
        rates = (records.acks - fixes) / span, (records.events - events) / span
        return *rates, records.lags[lags:]


def milliseconds(lags: list[float], share: float) -> str:
    lag = percentile(lags, share)
    return "-" if lag is None else f"{lag * 1000:.{1 if lag < 0.1 else 0}f}"


def show_summary(console: Console, summary: Summary) -> None:
    table = Table(title="What was promised, by what the clients saw", title_justify="left")
    table.add_column("")
    table.add_column("promise", no_wrap=True)
    table.add_column("found")
    for promise in summary.promises:
        mark = "[green]kept[/]" if promise.kept else "[red]BROKEN[/]"
        table.add_row(mark, promise.name, promise.detail)
    console.print(table)
    for failure in summary.failures[:10]:
        console.print(failure, style="red", markup=False)
    for name, said in in_words(summary.figures).items():
        console.print(f"{name:10}{said}", markup=False, soft_wrap=True)


def in_words(figures: Mapping[str, Any]) -> dict[str, str]:
    events, fixes, webhooks = figures["events"], figures["fixes"], figures["webhooks"]
    (_, placed), *statuses = figures["orders"].items()
    early = "; ended early" if figures["interrupted"] else ""
    rejected = _listed(fixes["rejected"].items()) or "none"
    lag = ", ".join(
        f"{name} {'-' if ms is None else ms} ms" for name, ms in figures["lagMs"].items()
    )
    return {
        "orders": f"{placed} placed: {_listed(statuses)}{early}",
        "events": f"{events['stored']} stored; {events['covered']} told by a first snapshot, "
        f"{events['seen']} live",
        "customers": f"{figures['resumptions']} lost their connection and resumed",
        "riders": f"{fixes['made']} fixes made, {fixes['acks']} acknowledged, {rejected} rejected; "
        f"{figures['positions']} positions told",
        "webhooks": f"{webhooks['delivered']} delivered, in {webhooks['lanes']} lanes "
        "(an order at a URL)",
        "lag": f"{lag}, from a change to its customer",
    }


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts)
