"""What a partner who answers feels of another's orders that are stuck."""

import time
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any, Final

from bench.meters import percentiles
from bench.webhooks.latency import METHOD
from bench.webhooks.receiver import HANG, Receiver, dead_origin
from bench.webhooks.report import report
from bench.webhooks.scene import Scene, opened
from bench.webhooks.sizes import Sizes
from bench.webhooks.well import FIRST, HOOK, Lags, Well
from schemas.lifecycle import Status

__all__ = ["run"]

_WANTED: Final = 1.5
_METHOD: Final = (
    f"{METHOD} Turns A B A B, each with a store of its own: alone, and beside the stuck orders. "
    "These belong to another partner, which has five endpoints: two that hang at a server of "
    "their own, one that hangs at the healthy partner's origin, and two where nothing listens. "
    "Each stuck order also has a notificationUrl of its own: `atHealthyOrigin` of them hang at "
    "the healthy origin, the others in turn hang at their own server or are dead at two origins. "
    "Placed and confirmed, a stuck order makes 12 deliveries in 7 lanes. Measured from when all "
    "of them are in their lanes. The healthy partner has an endpoint, and its orders have a "
    "notificationUrl. The ratios are of the p99 of all lags beside to that of all lags alone, of "
    "the endpoint's deliveries and of the callbacks'."
)


async def run(sizes: Sizes) -> dict[str, Any]:
    results, lags = await _turns(sizes)
    amiss = sum(each["lost"] + each["outOfOrder"] + each["refused"] for each in results)
    musts: dict[str, tuple[float, bool]] = {
        "lost, out of order or refused == 0": (amiss, not amiss)
    }
    for name in ("endpoint", "callbacks"):
        ratio = _ratio(name, lags)
        musts[f"{name}: p99 beside / p99 alone <= {_WANTED}"] = (ratio, ratio <= _WANTED)
    return report(
        "stuck",
        f"status changes at {sizes.beside:g}/s, beside {sizes.stuck} stuck orders and alone",
        _METHOD,
        results,
        musts,
        atHealthyOrigin=sizes.same,
        ms={
            turn: {name: percentiles(each) for name, each in pooled.items()}
            for turn, pooled in lags.items()
        },
        durability="everysec",
    )


async def _turns(sizes: Sizes) -> tuple[list[dict[str, Any]], dict[str, Lags]]:
    """A B A B; all lags by turn, of the endpoint and of the callbacks."""
    results: list[dict[str, Any]] = []
    lags: dict[str, Lags] = {"alone": {}, "beside": {}}
    for _ in range(sizes.rounds):
        for name, pooled in lags.items():
            told, took = await _turn(sizes, sizes.stuck if name == "beside" else 0)
            results.append({"turn": name, **told})
            for path, each in took.items():
                pooled.setdefault("endpoint" if path == HOOK else "callbacks", []).extend(each)
    return results, lags


def _ratio(name: str, lags: dict[str, Lags]) -> float:
    beside, alone = (percentiles(lags[turn][name])["p99"] for turn in ("beside", "alone"))
    return round(beside / alone, 2)


async def _turn(sizes: Sizes, stuck: int) -> tuple[dict[str, Any], Lags]:
    async with opened() as scene, Receiver(FIRST) as receiver, Receiver() as hanging:
        well = Well(scene, receiver, await scene.hub(), callbacks=True)
        await well.register()
        await scene.bridge()
        with dead_origin() as dead, dead_origin() as second:
            if stuck:
                for origin in (hanging.origin, hanging.origin, receiver.origin, dead, second):
                    await scene.register("stuck", f"{origin}{HANG}/endpoint")
                same = [receiver.origin] * min(sizes.same, stuck)
                others = islice(cycle((hanging.origin, dead, second)), stuck - len(same))
                await _stick(scene, [*same, *others])
            told, lags = await well.measured(sizes.beside, sizes.seconds)
        hung = hanging.hanging + receiver.hanging
        return {**told, "stuck": stuck, "hangingRequests": hung}, lags


async def _stick(scene: Scene, origins: Sequence[str]) -> None:
    """An order that gets nowhere at each of these, told of to the last."""
    urls: list[str | None] = [f"{each}{HANG}/{order}" for order, each in enumerate(origins)]
    ids = await scene.place("stuck", urls)
    await scene.change(ids, Status.CONFIRMED, time.time())
    await scene.read_through()
