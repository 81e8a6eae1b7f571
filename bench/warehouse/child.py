"""A worker that fills the warehouse and ends itself by SIGKILL at a chosen step.

`python -m bench.warehouse.child DIRECTORY ROOT` prints `ready` when it works. A line `STEP N` has
it killed when it comes to that step for the Nth time from then on.

Its lease is short: what would take ten seconds after a death takes half a one. Its days have 30
seconds, so that tables are compacted now and then.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from hub.core.privacy.pseudonyms import Pseudonyms
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.leases import Leases
from hub.store.log import Log
from hub.store.orders import OrderStore
from hub.tasks import end
from hub.worker import warehouse, worker
from hub.worker.lake import Table
from hub.worker.sources import sources
from hub.worker.warehouse import Warehouse
from hub.worker.worker import Led, Worker, worker_name

__all__ = ["INTERVAL", "STEPS", "main"]

STEPS: Final = ("made", "written", "kept")
"""Its rows are made; they are committed, and the log's cursors not moved; those are moved too."""

INTERVAL: Final = 0.1
_QUICK: Final = ((worker, "_LEASE", 0.5), (warehouse, "_DAY", 30))
_NAMES: Final = Pseudonyms("bench")


class _Fate:
    def __init__(self) -> None:
        self._step, self._left = "", 0

    def told(self, line: str) -> None:
        step, left = line.split()
        self._step, self._left = step, int(left)

    def meet(self, step: str) -> None:
        if step != self._step:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _watch(fate: _Fate) -> None:
    append, keep = Table.append, Log.keep

    @wraps(append)
    def appended(self: Table, rows: Any, positions: Any) -> None:
        fate.meet("made")
        append(self, rows, positions)
        fate.meet("written")

    @wraps(keep)
    async def kept(self: Log, cursors: Any) -> None:
        await keep(self, cursors)
        fate.meet("kept")

    Table.append, Log.keep = appended, kept  # type: ignore[method-assign]


async def _work(directory: Path, root: str, lines: Callable[[], str]) -> None:
    fate = _Fate()
    _watch(fate)
    connection = Connection(EmbeddedStore(directory).url)
    filled = sources(OrderStore(connection, 86_400), _NAMES)
    duty = Warehouse(root, connection, filled, _NAMES, INTERVAL)
    duty.pace = INTERVAL / 2
    led = Led(duty, Leases(connection, worker_name()), "warehouse")
    work = asyncio.create_task(Worker([led]).run())
    print("ready", flush=True)
    while line := await asyncio.to_thread(lines):
        fate.told(line)
    await end([work])
    await connection.close()


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for owner, constant, seconds in _QUICK:
        assert hasattr(owner, constant)
        setattr(owner, constant, seconds)
    uvloop.run(_work(Path(sys.argv[1]), sys.argv[2], sys.stdin.readline))


if __name__ == "__main__":
    main()
