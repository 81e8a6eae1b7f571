"""`python -m bench.report`: the tables and plots of docs/performance.md, from bench/results.

A table stands between `<!-- NAME -->` and `<!-- end -->`; what stands there is written anew.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.kept import Report, by_target, load, middle
from bench.plots import draw

__all__ = ["filled", "main"]

_ROOT: Final = Path(__file__).parent.parent
_PAGE: Final = _ROOT / "docs" / "performance.md"

Row = Sequence[object]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _orders() -> str:
    head = (
        "", "most a second, 99 of 100 within 0.1 s", "µs a message there",
        "µs at 1,000/s", "p50, p99 ms at 1,000/s", "µs at 32,000/s", "p99 ms at 32,000/s",
    )  # fmt: skip
    rows = []
    for name, results in by_target(load("orders")).items():
        best, quiet = [r.get("best") for r in results], [r.get("quiet") for r in results]
        busy = [_at(r.get("steps", []), 32_000) for r in results]
        lags = (_cell(middle(quiet, "ms", each)) for each in ("p50", "p99"))
        rows.append(
            (
                name,
                middle(best, "deliveriesPerSecond"),
                middle(best, "cpuMicrosecondsPerDelivery", "all"),
                middle(quiet, "cpuMicrosecondsPerDelivery", "all"),
                ", ".join(lags),
                middle(busy, "cpuMicrosecondsPerDelivery", "all"),
                middle(busy, "ms", "p99"),
            )
        )
    return _table(head, sorted(rows, key=lambda row: -float(row[1] or 0)))


def _at(steps: Sequence[Report], rate: int) -> Report | None:
    return next((step for step in steps if step["rate"] == rate and step["passed"]), None)


def _fanout() -> str:
    head = ("", "µs a delivery at 40,000/s", "of it the readers' hub", "p99 ms", "most a second")
    rows = [
        (
            name,
            middle((r["steady"] for r in results), "cpuMicrosecondsPerDelivery", "all"),
            middle((r["steady"] for r in results), "cpuMicrosecondsPerDelivery", "hubB")
            or middle((r["steady"] for r in results), "cpuMicrosecondsPerDelivery", "hub"),
            middle((r["steady"] for r in results), "ms", "p99"),
            middle((r["best"] for r in results), "deliveriesPerSecond"),
        )
        for name, results in by_target(load("fanout")).items()
    ]
    return _table(head, sorted(rows, key=lambda row: float(row[1] or 0)))


def _idle() -> str:
    head = ("", "sockets", "KiB a socket", "µs an opening", "opened a second", "lost")
    rows = [
        (
            f"{each['target']}, {each['heldSeconds']:.0f} s",
            report["sockets"],
            each["residentKibPerSocket"]["all"],
            each["cpuMicrosecondsPerOpening"]["all"],
            each["opensPerSecond"],
            each["lost"],
        )
        for report in (load("idle"), load("idle-45000"))
        for each in report["results"]
    ]
    return _table(head, rows)


def _connect() -> str:
    head = ("", "µs a connection", "of it the store", "p50, p99 ms", "a second")
    rows: list[Row] = []
    for each in load("connect")["results"]:
        for kind in ("fresh", "resumed"):
            if kind in each:
                found = each[kind]
                cost, ms = found["cpuMicrosecondsPerConnection"], found["ms"]
                lag = f"{_cell(ms['p50'])}, {_cell(ms['p99'])}"
                name = f"{each['target']}, {kind}"
                rows.append((name, cost["all"], cost.get("store"), lag, found["perSecond"]))
    return _table(head, rows)


def _change() -> str:
    head = ("", "µs of CPU", "hub A", "hub B", "store", "a second", "answer p99 ms", "event p99 ms")
    rows = []
    for number, each in enumerate(load("change")["results"], 1):
        cost = each["cpuMicrosecondsPerChange"]
        costs = (cost[part] for part in ("all", "hubA", "hubB", "store"))
        lags = (each["answerMs"]["p99"], each["eventMs"]["p99"])
        rows.append((f"run {number}", *costs, each["perSecond"], *lags))
    return _table(head, rows)


_WHAT: Final = {
    "openOrders": "open orders",
    "hubs": "hubs",
    "readers": "readers an order",
    "fixes": "fixes a message, {bytes:,} bytes",
}


def _growth() -> str:
    head = ("", "µs a delivery", "p99 ms")
    rows: list[Row] = []
    kinds = ("orders", "openOrders"), ("hubs", "hubs"), ("readers", "readers"), ("fixes", "fixes")
    for kind, name in kinds:
        for each in load("growth")["results"][kind]:
            cost = each["cpuMicrosecondsPerDelivery"]["all"]
            what = _WHAT[name].format(**each)
            rows.append((f"{each[name]:,} {what}", cost, each["ms"]["p99"]))
    return _table(head, rows)


def _stops() -> str:
    head = ("load", "ticks", "p99 at most ms", "p99.9 at most ms")
    rows: list[Row] = []

    def row(name: str, stops: Report) -> None:
        rows.append((name, int(stops["ticks"]), stops["p99AtMostMs"], stops["p99.9AtMostMs"]))

    for each in by_target(load("orders"))["ordercast"]:
        row("`orders`, 1,000 a second", each["quiet"]["loopStops"])
        row("`orders`, 20,000 a second", each["steady"]["loopStops"])
    for each in by_target(load("fanout"))["ordercast"]:
        row("`fanout`, 40,000 a second", each["steady"]["loopStops"])
    for name in ("connect", "change", "idle"):
        for stops in load(name)["loopStops"]:
            row(f"`{name}`, from the start", stops)
    return _table(head, rows)


def _day() -> str:
    day = load("day")
    rows: list[Row] = [
        ("hubs, core-seconds a second", day["coreSecondsPerSecond"]["hubs"]),
        ("store, core-seconds a second", day["coreSecondsPerSecond"]["store"]),
        ("cores for hubs, half of each in use", day["hubCores"]),
        ("store nodes", day["storeNodes"]),
        ("GiB of memory for 1,500,000 open sockets", day["hubGibOfMemory"]),
    ]
    assumed = ", ".join(f"{name} {value:,.10g}" for name, value in day["assumedAtThePeak"].items())
    return _table(("10 million orders a day", ""), rows) + f"\n\nAssumed at the peak: {assumed}."


TABLES: Final[dict[str, Callable[[], str]]] = {
    "orders": _orders,
    "fanout": _fanout,
    "idle": _idle,
    "connect": _connect,
    "change": _change,
    "growth": _growth,
    "stops": _stops,
    "day": _day,
}


def filled(page: str, tables: Mapping[str, str]) -> str:
    """The page with each table in its place."""
    for name, table in tables.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = place.sub(lambda found, new=table: f"{found[1]}\n{new}\n\n{found[2]}", page)
    return page


def main() -> None:
    tables = {name: make() for name, make in TABLES.items()}
    _PAGE.write_text(filled(_PAGE.read_text(), tables))
    draw()


if __name__ == "__main__":
    main()
