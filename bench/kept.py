"""The kept results: one file a workload in bench/results, as `--out` wrote it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

__all__ = ["Report", "by_target", "load", "middle"]

_RESULTS: Final = Path(__file__).parent / "results"

Report = dict[str, Any]


def load(name: str) -> Report:
    return dict(json.loads((_RESULTS / f"{name}.json").read_text()))


def by_target(report: Report) -> dict[str, list[Report]]:
    """The results of each target, those of all rounds."""
    found: dict[str, list[Report]] = {}
    for result in report["results"]:
        found.setdefault(result["target"], []).append(result)
    return found


def middle(results: Iterable[Mapping[str, Any] | None], *path: str) -> float | None:
    """The median of a value over the rounds that have it."""
    values = []
    for each in results:
        value: Any = each
        for name in path:
            value = value.get(name) if value else None
        if value is not None:
            values.append(value)
    return median(values) if values else None
