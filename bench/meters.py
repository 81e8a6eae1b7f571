"""CPU, memory and lateness of processes, by the kernel's own accounting. Linux: /proc."""

import asyncio
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from hub.demo.checks import percentile

__all__ = ["Lateness", "cpu_seconds", "kernel_socket_kib", "percentiles", "resident_kib", "spent"]

_EVERY: Final = 0.02
_PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") // 1024


def cpu_seconds(pids: Mapping[str, int | Sequence[int]]) -> dict[str, float]:
    """Time on a core so far, of each part: its processes with all their threads."""
    return {name: sum(_cpu(pid) for pid in _each(part)) for name, part in pids.items()}


def _each(part: int | Sequence[int]) -> Iterable[int]:
    return (part,) if isinstance(part, int) else part


def _cpu(pid: int) -> float:
    # schedstat counts in nanoseconds; the ticks of /proc/PID/stat are ten milliseconds.
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has just ended
    return total / 1e9


def spent(before: Mapping[str, float], after: Mapping[str, float], per: int) -> dict[str, float]:
    """CPU µs of each part for one of `per` things, and `all` of them together."""
    each = {name: (after[name] - before[name]) / max(1, per) * 1e6 for name in before}
    return {name: round(us, 2) for name, us in (each | {"all": sum(each.values())}).items()}


def resident_kib(pids: Mapping[str, int | Sequence[int]]) -> dict[str, int]:
    """Resident memory; what the kernel holds for sockets is not in it."""
    return {name: sum(_resident(pid) for pid in _each(part)) for name, part in pids.items()}


def _resident(pid: int) -> int:
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1])


def kernel_socket_kib() -> int:
    """What the kernel holds in buffers of all TCP sockets of this machine, both ends."""
    match = re.search(r"TCP: .* mem (\d+)", Path("/proc/net/sockstat").read_text())
    return 0 if match is None else int(match[1]) * _PAGE_KIB


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
    return {name: round(value * 1000, 3) for name, value in values.items() if value is not None}
