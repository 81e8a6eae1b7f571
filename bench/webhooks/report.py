"""What every part prints alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.machine import machine

__all__ = ["report"]


def report(
    part: str,
    what: str,
    method: str,
    results: Sequence[Mapping[str, Any]],
    musts: Mapping[str, tuple[float, bool]],
    **more: Any,
) -> dict[str, Any]:
    """`musts`: by what is asked for, what was found, and whether that will do."""
    told = {name: {"found": found, "holds": holds} for name, (found, holds) in musts.items()}
    return {
        "workload": f"webhooks-{part}",
        "what": what,
        **more,
        "results": list(results),
        "musts": told,
        "machine": machine(),
        "method": method,
    }
