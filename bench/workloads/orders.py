"""Riders' fixes to customers: every order has a rider on one hub and a customer on the other.

The highest rate is found by doubling until a step fails, then by halving the gap. A step passes
when all messages come, 99 of 100 within 0.1 s.
"""

from collections.abc import Mapping
from typing import Any, Final

from bench.generator import UnreachableError
from bench.ours import Ordercast
from bench.relay import Relay
from bench.workloads.options import Options

__all__ = ["best", "passed", "run", "search"]

_QUIET: Final = 1_000
"""Messages a second at which batching helps nobody."""

_STEADY: Final = 20_000
"""A rate within its limit at which Ordercast is watched for longer: do its loops stand still?"""

_FIRST: Final = 4_000
_MOST: Final = 400_000
_HALVINGS: Final = 3
_P99: Final = 100.0
_ENOUGH: Final = 0.97
"""The share of a step's rate that has to be sent: else the generator was too slow for it."""


async def run(options: Options) -> dict[str, Any]:
    results = []
    async for name, target in options.turns():
        relay = Relay(target)
        try:
            await relay.open(options.orders)
        except UnreachableError as error:
            results.append({"target": name, "failed": str(error)})
            continue
        await relay.load(_QUIET, 1.0)
        quiet = await relay.load(_QUIET, options.seconds)
        steady = await relay.load(_STEADY, 5 * options.seconds) if name == Ordercast.name else None
        steps = await search(relay, options.seconds, _FIRST)
        relay.close()
        results.append(
            {"target": name, "quiet": quiet, "steady": steady, "best": best(steps), "steps": steps}
        )
    return {"workload": "orders", "orders": options.orders, "results": results}


async def search(relay: Relay, seconds: float, first: float) -> list[dict[str, Any]]:
    """Steps of rising load, as long as the sockets stand; the last ones close in on the limit."""
    steps: list[dict[str, Any]] = []

    async def step(rate: float) -> bool:
        steps.append(await relay.load(rate, seconds))
        steps[-1]["passed"] = passed(steps[-1], seconds)
        return bool(steps[-1]["passed"])

    good, rate = 0.0, first
    while rate <= _MOST and await step(rate):
        good, rate = rate, rate * 2
    for _ in range(_HALVINGS):
        middle = (good + rate) / 2
        if relay.lost or not good:
            break
        if await step(middle):
            good = middle
        else:
            rate = middle
    return steps


def passed(step: Mapping[str, Any], seconds: float) -> bool:
    sent = step["sent"] + 1 >= _ENOUGH * step["rate"] * seconds
    whole = step["lost"] == 0 and step["socketsLost"] == 0
    return bool(sent and whole and step["ms"].get("p99", _P99) < _P99)


def best(steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The quickest of the steps that passed."""
    good = [step for step in steps if step["passed"]]
    return max(good, key=lambda step: float(step["deliveriesPerSecond"]), default=None)
