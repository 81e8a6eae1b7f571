"""Bridges and the store killed at every step of a delivery, again and again."""

import random
import sys
from time import perf_counter
from typing import Any, Final

from bench.webhooks.kills import KINDS, STORE, Outcome, opened_kills
from bench.webhooks.report import report
from bench.webhooks.sizes import Sizes

__all__ = ["run"]

_EVERY: Final = 20
_METHOD: Final = (
    "Two bridges in processes of their own, with a lease of 1 s, an attempt's limit of 0.5 s, "
    "and a dead bridge noticed after 0.8 s: the code is the real one, the waits are shorter. A "
    "hub's place is taken by a writer of the logs: 50 orders a second, four events each, one "
    "every 20 ms, which makes 400 deliveries a second in three lanes an order (an endpoint, and "
    "both callbacks); the partner's server takes up to 30 ms for an answer. At each turn the "
    "load begins, and one step is drawn at random: of `claimed`, `answered` and `recorded` the "
    "bridge, drawn too, sends itself SIGKILL when it comes there for the nth time, n drawn from "
    "1 to 40; of `sent` the partner's server does it when it has read the marked request, and "
    "does not answer; of `store` the server's process is killed after some deliveries, and "
    "EmbeddedStore.keep starts it again. A third bridge, which has loaded its modules, takes the "
    "dead one's place under a new name; the load goes on until 40 more deliveries have come. "
    "Then all that was under way comes to its end, so that every duplicate belongs to the kill "
    "it is counted with. `duplicates`: requests that came again (also those that were merely "
    "under way in the same process); `ofTheDeliveryItself`: turns in which the one did at which "
    "the kill was; `lateDuplicates`: those that came after a newer event of the lane was "
    "accepted, which takes a bridge that lives but slept through its lease; `outOfOrder`: "
    "requests that came before an earlier one of the lane was accepted; `lost`: not accepted "
    "within 15 s without any delivery."
)


async def run(sizes: Sizes) -> dict[str, Any]:
    start = perf_counter()
    outcomes, waiting = await _all(sizes)
    rows = [_row(kind, [each for each in outcomes if each.kind == kind]) for kind in KINDS]
    rows.append(_row("all", outcomes))
    _show(rows)
    found = {name: rows[-1][name] for name in ("lost", "outOfOrder", "otherIdOrBody")}
    found["rounds after which something still waits"] = waiting
    return report(
        "crash",
        f"{sizes.kills} kills of two bridges and the store under load, at random",
        _METHOD,
        rows,
        {f"{name} == 0": (number, number == 0) for name, number in found.items()},
        seconds=round(perf_counter() - start),
        seed=sizes.seed,
        durability="everysec",
    )


async def _all(sizes: Sizes) -> tuple[list[Outcome], int]:
    """What each kill did, and after how many of them something still waits."""
    chance, start = random.Random(sizes.seed), perf_counter()
    outcomes: list[Outcome] = []
    async with opened_kills(sizes.seed) as kills:
        for number in range(1, sizes.kills + 1):
            outcomes.append(await kills.one(chance.choice(KINDS)))
            if number % _EVERY == 0:
                sys.stderr.write(f"{number} kills, {perf_counter() - start:.0f} s\n")
        return outcomes, kills.waiting


def _row(kind: str, outcomes: list[Outcome]) -> dict[str, Any]:
    counted = [each.counts for each in outcomes]
    names = ("duplicates", "lateDuplicates", "otherIdOrBody", "outOfOrder")
    own = None if kind in (STORE, "all") else sum(each.again for each in outcomes)
    return {
        "step": kind,
        "kills": len(outcomes),
        "deliveries": sum(each.deliveries for each in outcomes),
        "lost": sum(each.lost for each in outcomes),
        **{name: sum(each[name] for each in counted) for name in names},
        "ofTheDeliveryItself": own,
    }


def _show(rows: list[dict[str, Any]]) -> None:
    """As a table, for who watches."""
    for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
        texts = ("–" if cell is None else str(cell) for cell in cells)
        sys.stderr.write(" ".join(f"{text:>19}" for text in texts) + "\n")
