"""`python -m bench.warehouse`: fill the warehouse under kills, and as fast as it goes.

Exit status 1 if a row is missing, or there twice.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from bench.machine import machine
from bench.processes import GENERATOR_CORE, on_core
from bench.warehouse.kills import kills
from bench.warehouse.rate import rate

__all__ = ["main"]

_FAULTS: Final = ("missing", "unknown", "repeated", "ordersMissing", "ordersRepeated")


async def _run(given: argparse.Namespace) -> dict[str, Any]:
    return {
        "machine": machine(),
        "kills": await kills(given.kills, given.seed),
        "rate": await rate(given.orders),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.warehouse", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of workers and the store")
    parser.add_argument("--orders", type=int, default=5_000, help="of the backlog")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the result to this file too")
    given = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    os.environ.pop("ORDERCAST_REDIS_URL", None)  # the bench has a store of its own
    with on_core(GENERATOR_CORE), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_run(given))
    text = json.dumps(result, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n")
    if any(result["kills"][each] for each in _FAULTS) or not result["kills"]["inTime"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
