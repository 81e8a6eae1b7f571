"""How the cost of a message grows with open orders, hubs, readers, and fixes in a message.

The rate is the same in every row, so that only the one thing changes. Open orders beyond those
that ride are watched by dispatchers, 100 on a socket, as one process may open 20,000 files.
"""

from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from bench.generator import open_all
from bench.ours import Ordercast, launch
from bench.relay import Relay
from bench.workloads.options import Options, started

__all__ = ["run"]

_RATE: Final = 10_000
_RIDING: Final = 1_000
_OPEN: Final = (1_000, 5_000, 20_000, 50_000)
_HUBS: Final = (1, 2, 3, 4)
_READERS: Final = (1, 5, 15)
_FIXES: Final = (1, 10, 50)
_ON_ONE_SOCKET: Final = 100


async def run(options: Options) -> dict[str, Any]:
    """Ordercast alone, each row once."""
    rows = {
        "orders": [await _row(options, open_orders=number) for number in _OPEN],
        "hubs": [await _row(options, hubs=number) for number in _HUBS],
        "readers": [await _row(options, readers=number) for number in _READERS],
        "fixes": [await _row(options, fixes=number) for number in _FIXES],
    }
    return {"workload": "growth", "rate": _RATE, "riding": _RIDING, "results": rows}


async def _row(
    options: Options, open_orders: int = _RIDING, hubs: int = 2, readers: int = 1, fixes: int = 1
) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(started(partial(launch, hubs=hubs)))
        assert isinstance(target, Ordercast)
        target.fixes_in_a_message = fixes
        relay = Relay(target)
        await relay.open(_RIDING, readers)
        await target.prepare(open_orders, riding=False)
        numbers = range(_RIDING, open_orders)
        groups = [numbers[i : i + _ON_ONE_SOCKET] for i in range(0, len(numbers), _ON_ONE_SOCKET)]
        watching = await open_all([(target.dispatcher(group), _ignored) for group in groups], {})
        rate = _RATE / readers / fixes
        await relay.load(rate, 1.0)
        step = await relay.load(rate, options.seconds)
        for line in watching:
            line.close()
        relay.close()
    about = {"openOrders": open_orders, "hubs": hubs, "readers": readers, "fixes": fixes}
    return {**about, "bytes": len(target.fix(0, 1, "123.456789")), **step}


def _ignored(payload: bytes) -> None:
    """Nothing is to come."""
