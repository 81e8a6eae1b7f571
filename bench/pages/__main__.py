"""`python -m bench.pages measure|shots`: figures as one JSON object, or the README's pictures.

Needs `make pages`, `pip install '.[pages]'`, and a Chromium on the path or in CHROMIUM.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any, Final

from bench.machine import machine
from bench.pages import measure, shots
from bench.pages.stage import staged

__all__ = ["main"]

_IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
_SLOWDOWNS: Final = (1, 4)


async def _measure(given: argparse.Namespace) -> dict[str, Any]:
    async with staged() as stage:
        loads = [await measure.load(stage, slower, given.rounds) for slower in _SLOWDOWNS]
        memory = await measure.memory(stage, given.positions, given.rate)
    return {
        "gzipBytes": measure.weights(),
        "load": loads,
        "memory": memory,
        "machine": machine(),
    }


async def _shots(given: argparse.Namespace) -> dict[str, Any]:
    async with staged() as stage:
        taken = await shots.take(stage, given.out)
    return {"bytes": {path.name: path.stat().st_size for path in taken}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("what", choices=["measure", "shots"])
    parser.add_argument("--rounds", type=int, default=5, help="visits, of which medians (5)")
    parser.add_argument("--positions", type=int, default=3600, help="an hour, one a second (3600)")
    parser.add_argument("--rate", type=float, default=60, help="positions a second (60)")
    parser.add_argument("--out", type=Path, default=_IMAGES, help="where pictures go")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    work = _measure if given.what == "measure" else _shots
    print(json.dumps(asyncio.run(work(given)), indent=2))


if __name__ == "__main__":
    main()
