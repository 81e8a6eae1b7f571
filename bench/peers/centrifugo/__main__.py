"""`python -m bench.peers.centrifugo`: it runs by itself until Ctrl-C."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from bench.peers.centrifugo import launch


async def _run() -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with launch(Path(directory)) as target:
            print(f"Riders:    {target.rider(1)}\nCustomers: {target.customer(1)}", flush=True)
            await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(_run())
