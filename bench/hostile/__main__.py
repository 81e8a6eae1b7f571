"""`python -m bench.hostile [--port 8900]`: serve every behaviour that plain HTTP can show."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bench import hostile
from bench.hostile.server import HostileServer, listing

__all__ = ["main"]


async def _run(port: int) -> None:
    async with HostileServer(port) as server:
        print(listing(), f"serving at {server.origin}/NAME", sep="\n", flush=True)
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="bench.hostile", description=hostile.__doc__)
    parser.add_argument("--port", type=int, default=8900, help="on the loopback (8900)")
    given = parser.parse_args(arguments)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(given.port))


if __name__ == "__main__":
    main()
