"""`python -m bench.peers.nchan memory`, or `redis`: it runs by itself until Ctrl-C."""

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

from bench.peers.nchan import launch_memory, launch_redis


async def _run(store: str) -> None:
    launch = launch_redis if store == "redis" else launch_memory
    with tempfile.TemporaryDirectory() as directory:
        async with launch(Path(directory)) as target:
            print(f"Riders:    {target.rider(1)}\nCustomers: {target.customer(1)}", flush=True)
            await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(_run(sys.argv[-1]))
