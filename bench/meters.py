"""CPU of processes, and whether the generator itself keeps up. Linux: /proc."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Final

from hub.demo.checks import percentile

__all__ = ["Lateness", "cpu_seconds", "percentiles"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_EVERY: Final = 0.02


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """User and system time of each process so far, its threads with it."""
    return {name: _cpu(pid) for name, pid in pids.items()}


def _cpu(pid: int) -> float:
    # proc(5): the name in brackets may hold anything; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Lateness:
    """How late this process's loop wakes: if that is much, lags are the generator's own."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def watch(self) -> None:
        while True:
            due = perf_counter() + _EVERY
            await asyncio.sleep(_EVERY)
            self.seconds.append(perf_counter() - due)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds, by nearest rank; empty of nothing."""
    ranked = sorted(seconds)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0} if ranked else {}
    values = {name: percentile(ranked, share) for name, share in shares.items()}
    return {name: round(value * 1000, 2) for name, value in values.items() if value is not None}
