"""What a newcomer reads in the terminal."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from hub.demo.partner import Partner
from hub.demo.records import Records
from hub.demo.screen import Screen, show_summary
from hub.demo.summary import summarize
from schemas.lifecycle import Status
from tests.demo.stories import STORED, whole_log


def records_of_all() -> Records:
    """An order in each status."""
    records = Records(lambda: 0.0)
    for number, status in enumerate(Status):
        records.open(f"ord_{number}", "token").status = status
    return records


def screen_of(records: Records) -> Screen:
    evening = SimpleNamespace(orders=[None] * 99_999)
    town: Any = SimpleNamespace(evening=evening, records=records, waiting=999, sockets=99_999)
    return Screen(Console(), town, Partner(records, lambda: 0.0), lambda: 0.0)


def shown(show: Callable[[Console], None]) -> list[str]:
    """What comes out where no terminal is."""
    file = io.StringIO()
    show(Console(file=file, width=80))
    return file.getvalue().splitlines()


def test_every_figure_is_explained_in_a_row_of_its_own() -> None:
    """80 columns are enough, and 24 lines, with the four above them that name the addresses."""
    records = records_of_all()
    screen = screen_of(records)
    screen.figures()
    records.lags.append(99.99999)  # seconds
    lines = shown(lambda console: console.print(screen.table()))

    frame = 5  # title, head, end
    assert len(screen.figures()) + frame == len(lines)
    assert any("100000 / 100000 ms" in line for line in lines)
    few = frame + len(screen.figures()) - 2  # RETURNING and RETURNED do not come in the demo
    assert 24 >= few + 4


def test_nothing_is_coloured_where_no_terminal_is() -> None:
    """A file gets plain text."""
    records = records_of_all()
    summary = summarize(records, {}, 0, 8, interrupted=True)
    said = "".join(shown(lambda console: show_summary(console, summary)))

    assert "kept" in said
    assert "\x1b" not in said + screen_of(records).line()


def test_the_summary_ends_with_the_figures_in_words() -> None:
    """A word for each, no brackets."""
    records = Records(lambda: 0.0)
    record = records.open("ord_1", "token")
    for update in whole_log():
        records.take(record, update)
    summary = summarize(records, {"ord_1": STORED}, 0, 1, interrupted=False)
    lines = shown(lambda console: show_summary(console, summary))

    *_, orders, events, customers, riders, _, lag = lines
    assert "orders    1 placed: 1 COMPLETED" == orders
    assert "events    5 stored; 1 told by a first snapshot, 4 live" == events
    assert "customers 0 lost their connection and resumed" == customers
    assert "riders    0 fixes made, 0 acknowledged, none rejected; 1 positions told" == riders
    assert "lag       p50 - ms, p95 - ms, p99 - ms, from a change to its customer" == lag
