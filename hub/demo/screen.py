"""What the terminal shows: a live table, or plain lines where there is no terminal."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from hub.demo.checks import percentile
from hub.demo.partner import Partner
from hub.demo.records import Records
from hub.demo.summary import Summary
from hub.demo.town import Town
from schemas.lifecycle import Status

__all__ = ["Screen", "show_summary"]

_SPAN: Final = 5.0  # seconds over which rates are told
_REDRAW: Final = 0.5
_LINE_EVERY: Final = 3.0


class Screen:
    """`show` draws until it is cancelled. `clock` answers seconds."""

    def __init__(
        self, console: Console, town: Town, partner: Partner, clock: Callable[[], float]
    ) -> None:
        self._console = console
        self._town = town
        self._partner = partner
        self._clock = clock
        self._samples: deque[tuple[float, int, int]] = deque()

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
        records = self._town.records
        fixes, events = self._rates(records)
        lag = f"{milliseconds(records.lags, 0.5)} / {milliseconds(records.lags, 0.99)}"
        statuses = {status.value: str(records.statuses[status]) for status in Status}
        return {
            **{name: count for name, count in statuses.items() if count != "0"},
            "sockets": str(self._town.sockets),
            "waiting for a rider": str(self._town.waiting),
            "fixes/s": f"{fixes:.0f}",
            "events/s": f"{events:.0f}",
            "lag p50/p99": lag,
            "webhooks delivered": str(records.webhooks),
            "webhooks retrying": str(self._partner.waiting),
        }

    def table(self) -> Table:
        planned = len(self._town.evening.orders)
        table = Table(title=f"{len(self._town.records.orders)} of {planned} orders placed")
        table.add_column("what")
        table.add_column("now", justify="right", min_width=16)
        for name, value in self.figures().items():
            table.add_row(name, value, style="bold" if name.isupper() else None)
        return table

    def line(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.figures().items())

    def _rates(self, records: Records) -> tuple[float, float]:
        now = self._clock()
        self._samples.append((now, records.acks, records.events))
        while len(self._samples) > 2 and self._samples[0][0] < now - _SPAN:
            self._samples.popleft()
        then, fixes, events = self._samples[0]
        span = max(now - then, _REDRAW)
        return (records.acks - fixes) / span, (records.events - events) / span


def milliseconds(lags: list[float], share: float) -> str:
    lag = percentile(lags, share)
    return "-" if lag is None else f"{lag * 1000:.1f} ms"


def show_summary(console: Console, summary: Summary) -> None:
    table = Table(title="Promises")
    for column in ("", "promise", "from the clients' own records"):
        table.add_column(column)
    for promise in summary.promises:
        mark = "[green]kept[/]" if promise.kept else "[red]BROKEN[/]"
        table.add_row(mark, promise.name, promise.detail)
    console.print(table)
    for failure in summary.failures[:10]:
        console.print(failure, style="red", markup=False)
    for name, value in summary.figures.items():
        console.print(f"{name}: {_plain(value)}", markup=False, highlight=False)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return "-" if value is None else str(value)
