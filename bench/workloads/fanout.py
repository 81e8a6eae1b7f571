"""One order and everybody who looks at it: what one more reader costs.

Beside the targets stands `bare-send`: the same bytes to the same number of sockets, by a loop
around the `send` system call. Nobody who writes to each socket can cost less.
"""

from typing import Any, Final

from bench.relay import Relay
from bench.workloads.options import Options
from bench.workloads.orders import best, search

__all__ = ["run"]

_STEADY: Final = 20.0
"""Messages a second that everybody gets: 40,000 deliveries with 2,000 readers."""


async def run(options: Options) -> dict[str, Any]:
    results = []
    async for name, target in options.turns():
        relay = Relay(target)
        await relay.open(1, watchers=options.orders)
        await relay.load(_STEADY, 1.0)
        steady = await relay.load(_STEADY, max(4.0, options.seconds))
        steps = await search(relay, options.seconds, 1.5 * _STEADY)
        relay.close()
        results.append({"target": name, "steady": steady, "best": best(steps), "steps": steps})
    return {"workload": "fanout", "readers": options.orders, "results": results}
