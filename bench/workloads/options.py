"""How a workload is run, and the order in which the targets take their turns."""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ours import Ordercast
from bench.stops import summary
from bench.target import Launch, NotHereError, Target

__all__ = ["Options", "started"]


@dataclass(frozen=True, slots=True)
class Options:
    """`rounds`: how often each target has its turn. A round goes through all of them, A B A B, so
    that a change of the machine's speed meets them alike.
    """

    launches: Mapping[str, Launch]
    rounds: int = 2
    seconds: float = 4.0
    orders: int = 2_000
    sockets: int = 10_000
    hold: float = 60.0
    missing: dict[str, str] = field(default_factory=dict)
    """Targets that cannot be started on this machine, and why."""
    loop_stops: list[dict[str, Any]] = field(default_factory=list)
    """Of Ordercast's hubs, in each of its turns as a whole."""

    async def turns(self) -> AsyncIterator[tuple[str, Target]]:
        """Each target in its turn, started and stopped."""
        for _ in range(self.rounds):
            for name in [name for name in self.launches if name not in self.missing]:
                async with AsyncExitStack() as stack:
                    try:
                        target = await stack.enter_async_context(started(self.launches[name]))
                    except NotHereError as error:
                        self.missing[name] = str(error)
                        continue
                    sys.stderr.write(f"{name} ...\n")
                    yield name, target
                    if isinstance(target, Ordercast):
                        self.loop_stops.append(summary(Counter(), await target.loop_stops()))


@asynccontextmanager
async def started(launch: Launch) -> AsyncIterator[Target]:
    """A target with a directory of its own, which is removed after it."""
    directory = Path(tempfile.mkdtemp(prefix="ocb"))
    try:
        async with launch(directory) as target:
            yield target
    finally:
        shutil.rmtree(directory, ignore_errors=True)
