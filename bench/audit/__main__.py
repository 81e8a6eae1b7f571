"""`python -m bench.audit`: tamper with a store, measure a large log, and print one JSON object.

Exit status 1 if a tampering was not found, or an untouched order did not hold.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop

from bench.audit.sizes import extension, large
from bench.audit.tampering import run as tampering
from bench.generator import raise_file_limit
from bench.machine import machine

__all__ = ["main"]


async def _run(given: argparse.Namespace) -> dict[str, Any]:
    return {
        "workload": "audit",
        "tampering": await tampering(given.orders, given.tamperings, given.seed),
        "extension": await extension(given.events),
        "large": await large(given.leaves, given.seed),
        "seed": given.seed,
        "machine": machine(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.audit", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="untouched ones (10000)")
    parser.add_argument("--tamperings", type=int, default=1_000, help="of the store (1000)")
    parser.add_argument("--events", type=int, default=200_000, help="that are waiting (200000)")
    parser.add_argument("--leaves", type=int, default=10_000_000, help="of the large log")
    parser.add_argument("--seed", type=int, default=20_261_122)
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    given = parser.parse_args(arguments)
    raise_file_limit()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    os.environ.pop("ORDERCAST_REDIS_URL", None)  # the bench has a store of its own
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(given))
    if given.out is not None:
        given.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=None if given.json else 2))
    told = report["tampering"]
    if told["missed"] or told["falseAlarms"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
