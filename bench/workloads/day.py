"""10 million orders a day: how many cores and stores, by the costs that are measured here and now.

An extrapolation: the costs of a message, a change and a connection are measured at a load that
batches little, and multiplied by how often they come in the busiest hour.
"""

from dataclasses import replace
from math import ceil
from typing import Any, Final

from bench.relay import Relay
from bench.workloads import change, connect, idle
from bench.workloads.options import Options

__all__ = ["run"]

PEAK: Final[dict[str, float]] = {
    "orders": 430.0,
    "changesPerOrder": 9.0,
    "positions": 24_000.0,
    "readersPerPosition": 1.2,
    "connectionsPerOrder": 4.0,
    "openSockets": 1_500_000.0,
}
"""A second of the busiest hour; an order places, changes and is looked at so often in its life."""

_BUSY: Final = 0.5
"""The share of a core that is used at the peak: the rest is for when a hub or a zone is lost."""

_RATE: Final = 10_000
_STORE_SHARE: Final = 0.5


async def run(options: Options) -> dict[str, Any]:
    """Positions are relayed one by one, as if all of them were told: send-on-change tells fewer."""
    one = replace(options, rounds=1, orders=min(options.orders, 2_000))
    changed = (await change.run(one))["results"][0]["cpuMicrosecondsPerChange"]
    connected = (await connect.run(one))["results"][0]["fresh"]["cpuMicrosecondsPerConnection"]
    relayed = await _relayed(one)
    still = replace(one, sockets=4_000, hold=1.0)
    held = (await idle.run(still))["results"][0]["residentKibPerSocket"]["hubB"]
    changes = PEAK["orders"] * PEAK["changesPerOrder"]
    connections = PEAK["orders"] * PEAK["connectionsPerOrder"]
    positions = PEAK["positions"] * PEAK["readersPerPosition"]
    rates = ((changed, changes), (relayed, positions), (connected, connections))
    seconds = {
        "hubs": sum((cost["all"] - cost["store"]) * rate for cost, rate in rates) / 1e6,
        "store": sum(cost["store"] * rate for cost, rate in rates) / 1e6,
    }
    return {
        "workload": "day",
        "ordersPerDay": 10_000_000,
        "assumedAtThePeak": {**PEAK, "changes": changes, "connections": connections},
        "assumedShareOfACoreInUse": _BUSY,
        "measured": {
            "change": changed,
            "position": relayed,
            "connection": connected,
            "residentKibPerSocket": held,
        },
        "coreSecondsPerSecond": {name: round(value, 2) for name, value in seconds.items()},
        "hubCores": ceil(seconds["hubs"] / _BUSY),
        "hubGibOfMemory": round(PEAK["openSockets"] * held / 2**20, 1),
        "storeNodes": ceil(seconds["store"] / _STORE_SHARE),
    }


async def _relayed(options: Options) -> dict[str, float]:
    async for _, target in options.turns():
        relay = Relay(target)
        await relay.open(options.orders)
        await relay.load(_RATE, 1.0)
        step = await relay.load(_RATE, options.seconds)
        relay.close()
        return dict(step["cpuMicrosecondsPerDelivery"])
    raise RuntimeError("no target")
