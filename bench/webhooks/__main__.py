"""`python -m bench.webhooks PART`: measure the webhook bridge, and print it as a JSON object.

Exit status 1 if something that must hold does not.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from bench.generator import raise_file_limit
from bench.processes import GENERATOR_CORE, on_core
from bench.webhooks import backlog, crash, latency, stuck, throughput
from bench.webhooks.sizes import Sizes

__all__ = ["main"]

PARTS: Final[dict[str, Callable[[Sizes], Coroutine[Any, Any, dict[str, Any]]]]] = {
    "throughput": throughput.run,
    "latency": latency.run,
    "stuck": stuck.run,
    "crash": crash.run,
    "backlog": backlog.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    sizes = Sizes(**{each.name: getattr(given, each.name) for each in fields(Sizes)})
    raise_file_limit()
    # Standard output is for the results.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    os.environ.pop("ORDERCAST_REDIS_URL", None)  # the bench has a store of its own
    names = list(PARTS) if given.part == "all" else [given.part]
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        found[name] = _one(name, sizes)
        print(json.dumps(found[name], indent=None if given.json else 2), flush=True)
    if given.out is not None:
        kept = found if given.part == "all" else found[given.part]
        given.out.write_text(json.dumps(kept, indent=1) + "\n")
    if not all(must["holds"] for each in found.values() for must in each["musts"].values()):
        sys.exit(1)


def _one(name: str, sizes: Sizes) -> dict[str, Any]:
    with on_core(GENERATOR_CORE), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(PARTS[name](sizes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.webhooks", description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--json", action="store_true", help="each on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    for each in fields(Sizes):
        value, what = each.default, each.metadata["help"]
        parser.add_argument(f"--{each.name}", type=type(value), default=value, help=what)
    return parser


if __name__ == "__main__":
    main()
