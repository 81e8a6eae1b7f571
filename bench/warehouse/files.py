"""`python -m bench.warehouse.files`: of how many files a table is after days of a commit a minute.

A day is `--commits` commits of some rows, and what a worker does at the day's end. A week is not
waited for: at the end all files are made eight days old, and a last day begins, of so many commits
that the log is tidied (deltalake does so every hundred). Then a retention of `--keep` days.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from deltalake import DeltaTable

from hub.core.warehouse import TABLES
from hub.worker.lake import Table

__all__ = ["grown", "main"]

_TABLE: Final = "operations"
_FIRST: Final = 20_000
_ROWS: Final = 20
_AGED: Final = 8 * 86_400.0
_LAST: Final = 110
_EMPTY: Final = {**dict.fromkeys(TABLES[_TABLE]), "method": "GET", "hub": "bench"}


def grown(days: int, commits: int, keep: int) -> dict[str, Any]:
    """Counts of files, and what a day's end took."""
    with tempfile.TemporaryDirectory(prefix="oc") as root:
        table, told = Table(root, _TABLE), []
        for day in range(days):
            _write(table, day, commits, day * commits)
            written, began = _files(root), time.perf_counter()
            table.tidy(_FIRST + day + 1)
            took = round(time.perf_counter() - began, 2)
            told.append({"written": written, "tidied": _files(root), "seconds": took})
        _age(root)
        _write(table, days, _LAST, days * commits)
        _vacuum(root)
        aged = _files(root)
        table.expire(_FIRST + days - keep)
        _vacuum(root)
        return {"days": told, "aWeekLater": aged, "kept": _files(root)}


def _write(table: Table, day: int, commits: int, position: int) -> None:
    rows = [{**_EMPTY, "day": _FIRST + day}] * _ROWS
    for number in range(1, commits + 1):
        table.append(rows, {0: position + number})


def _files(root: str) -> dict[str, int]:
    """`read`: those that a reader opens; `rows`: also what is no part of the table any more."""
    folder = Path(root) / _TABLE
    return {
        "read": len(DeltaTable(str(folder)).file_uris()),
        "rows": len(list(folder.glob("day=*/*.parquet"))),
        "log": len(list((folder / "_delta_log").iterdir())),
    }


def _age(root: str) -> None:
    then = time.time() - _AGED
    for path in Path(root).rglob("*"):
        os.utime(path, (then, then))


def _vacuum(root: str) -> None:
    """As it does a week after."""
    DeltaTable(f"{root}/{_TABLE}").vacuum(0, dry_run=False, enforce_retention_duration=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.warehouse.files", description=__doc__)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--commits", type=int, default=1440, help="a day")
    parser.add_argument("--keep", type=int, default=1, help="days that the retention leaves")
    given = parser.parse_args()
    print(json.dumps(grown(given.days, given.commits, given.keep), indent=1))


if __name__ == "__main__":
    main()
