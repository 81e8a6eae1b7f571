"""Two hubs of one program on one store: every peer is started so, and listens on loopback.

The program finds its port in PORT (uvicorn: UVICORN_PORT), and a `unix://` URL of the store in
STORE.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.processes import PlainStore, free_port, listening, plain_store

__all__ = ["Pair", "two_hubs"]


class Pair(NamedTuple):
    """Their ports, and the process ids as `Target.processes` has them."""

    hub_a: int
    hub_b: int
    processes: Mapping[str, Sequence[int]]


@contextlib.asynccontextmanager
async def two_hubs(directory: Path, program: Sequence[str]) -> AsyncIterator[Pair]:
    async with (
        plain_store(directory) as store,
        _hub(directory / "hubA.log", program, store) as (port_a, pid_a),
        _hub(directory / "hubB.log", program, store) as (port_b, pid_b),
    ):
        processes = {"hubA": [pid_a], "hubB": [pid_b], "store": [store.pid]}
        yield Pair(port_a, port_b, processes)


@contextlib.asynccontextmanager
async def _hub(
    log: Path, program: Sequence[str], store: PlainStore
) -> AsyncIterator[tuple[int, int]]:
    port = free_port()
    settings = {
        "PORT": str(port),
        "UVICORN_PORT": str(port),
        "STORE": f"unix://{store.socket}",
    }
    async with listening(log, port, *program, environment=settings) as pid:
        yield port, pid
