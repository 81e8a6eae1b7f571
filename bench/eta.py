"""`python -m bench.eta --data DIR`: how right the estimates are, and what one costs.

Orders: `ordercast eta evaluate` on whole weeks of the file, the last one first. Trips: five folds,
the time that is left from every tenth second of a recorded trip on.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any, Final

from bench.machine import machine
from bench.replay.trace import Point, tracks
from hub.core.orders.estimate import remaining
from hub.eta import training
from hub.eta.estimator import Estimator
from hub.eta.evaluation import evaluate, rounded
from hub.eta.forecast import Forecast, quantiles
from hub.eta.past import Past, PastOrder, read
from hub.eta.replay import Replay, first_growth
from hub.eta.road import Approach, Road, approach
from schemas.motion import distance

__all__ = ["main"]

ORDERS: Final = "orders_with_delivery_times.csv.gz"

_DAY: Final = 86_400.0
_WEEKS: Final = (0.0, 2.0, 4.0, 7.0)
"""Days by which a scored week ends before the last one."""

_GAP: Final = 60.0
_SHORTEST: Final = 300.0
_LONGEST: Final = 2_400.0
_FAR: Final = 1_000.0
_WINDING: Final = 2.0
_FOLDS: Final = 5
_SHUFFLES: Final = 8
_STEP: Final = 10.0
_LEARNED: Final = 3
"""Every third of the moments is learned from."""

_CALLS: Final = 30
_TURNS: Final = 100
"""Short turns, so that some of them are not interrupted."""

_BACK: Final = 200.0
_DOOR: Final = 400.0

Look = tuple[Approach, float]
"""What is seen of the way, and the seconds that were left."""


def _weeks(past: Past) -> Iterator[dict[str, Any]]:
    """The file ends in the middle of a day's quiet hours; weeks are counted back from there."""
    end = past.orders[-1].features.created_at + 1.0
    for back in _WEEKS:
        split = end - (7.0 + back) * _DAY
        known = [each for each in past.orders if each.features.created_at < split + 7.0 * _DAY]
        for forests in (True, False):
            yield {"daysBack": back, **evaluate(Past(known, past.dropped), split, forests=forests)}


def _cost(orders: Sequence[PastOrder]) -> dict[str, float]:
    """Microseconds a call, the best of several turns: the machine is not ours alone."""
    end = orders[-1].features.created_at
    estimator = Estimator()
    replay = Replay(estimator, first_growth(orders, end), grow=training.available())
    for _ in replay.run(orders):
        pass
    some = [each.features for each in orders[-_CALLS:]]
    forecasts = [estimator.forecast(each) for each in some]
    kept = [quantiles(each, estimator.conformal) for each in forecasts]
    moments = [float(i * 100) for i in range(len(some))]
    readings = [estimator.read(each) for each in some]
    way = Approach(1_500.0, 400.0, 180.0, 200.0, 60.0)
    return {
        "forecast": _best(lambda: [estimator.forecast(each) for each in some]),
        "quantiles": _best(lambda: [quantiles(each, estimator.conformal) for each in forecasts]),
        "left": _best(lambda: list(map(remaining, kept, moments))),
        "onTheRoad": _best(lambda: [estimator.road.left(way) for _ in some]),
        "learn": _best(lambda: _learn(estimator, zip(readings, forecasts, strict=True), end)),
    }


def _learn(estimator: Estimator, pairs: Iterable[tuple[Any, Forecast]], now: float) -> None:
    for reading, forecast in pairs:
        estimator.learn(reading, forecast, 2_400.0, now)


def _best(turn: Any) -> float:
    spent = []
    for _ in range(_TURNS):
        began = perf_counter()
        turn()
        spent.append(perf_counter() - began)
    return min(spent) / _CALLS * 1e6


def _trips(data: Path) -> list[list[Point]]:
    """Recorded ways to somewhere: cut where nothing was heard for a minute, of 5 to 40 minutes,
    at least 1 km away, and at most twice as long as straight. One that two phones recorded counts
    once.
    """
    found: list[list[Point]] = []
    for track in tracks(data):
        for part in _parts(track):
            if _leads_somewhere(part) and not any(_same(part, other) for other in found):
                found.append(part)
    return found


def _same(a: Sequence[Point], b: Sequence[Point]) -> bool:
    """From place to place in the same time, to 50 m and 5 s."""
    if abs((a[-1][0] - a[0][0]) - (b[-1][0] - b[0][0])) > 5.0:
        return False
    return all(distance(*a[i][1:], *b[i][1:]) <= 50.0 for i in (0, -1))


def _parts(track: Sequence[Point]) -> Iterator[list[Point]]:
    part: list[Point] = []
    for point in track:
        if part and point[0] - part[-1][0] > _GAP:
            yield part
            part = []
        part.append(point)
    yield part


def _leads_somewhere(part: Sequence[Point]) -> bool:
    if len(part) < 20 or not _SHORTEST <= part[-1][0] - part[0][0] <= _LONGEST:
        return False
    straight = distance(*part[0][1:], *part[-1][1:])
    driven = sum(distance(*a[1:], *b[1:]) for a, b in pairwise(part))
    return straight >= _FAR and driven <= _WINDING * straight


def _looks(trip: Sequence[Point]) -> list[Look]:
    found: list[Look] = []
    end, last = trip[-1], float("-inf")
    for i, point in enumerate(trip[:-1]):
        if point[0] - last >= _STEP:
            last = point[0]
            trail = [each for each in trip[: i + 1] if each[0] >= point[0] - _BACK]
            found.append((approach(trail, end[1], end[2]), end[0] - point[0]))
    return found


def _road(trips: Sequence[Sequence[Look]]) -> dict[str, Any]:
    """Each trip is estimated by what the trips of the four other folds taught."""
    rows: list[dict[str, float]] = []
    for shuffle in range(_SHUFFLES):
        order = list(range(len(trips)))
        random.Random(shuffle).shuffle(order)
        for fold in range(_FOLDS):
            held = order[fold::_FOLDS]
            known = [look for i in order if i not in held for look in trips[i][::_LEARNED]]
            rows += _scored(known, [look for i in held for look in trips[i]])
    names = rows[0]
    return {name: fmean(row[name] for row in rows) for name in names} | {
        "trips": len(trips),
        "moments": sum(map(len, trips)),
        "shuffles": _SHUFFLES,
    }


def _scored(known: Sequence[Look], held: Sequence[Look]) -> list[dict[str, float]]:
    road = Road()
    for seen, seconds in known:
        road.learn(road.see(seen), seconds)
    pace = median(seconds / (seen.metres + _DOOR) for seen, seconds in known)
    rows = []
    for seen, seconds in held:
        eta = road.left(seen)
        rows.append(
            {
                "mae": abs(eta.p50 - seconds),
                "mae_pace_alone": abs(pace * (seen.metres + _DOOR) - seconds),
                "coverage80": float(eta.p10 <= seconds <= eta.p90),
                "late_p90": float(seconds > eta.p90),
                "width80": eta.p90 - eta.p10,
            }
        )
    return rows


def _run(data: Path) -> dict[str, Any]:
    past = read(data / ORDERS)
    return {
        "workload": "eta",
        "orders": list(_weeks(past)),
        "road": rounded(_road([_looks(trip) for trip in _trips(data)])),
        "microseconds": rounded(_cost(past.orders)),
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.eta", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where the files are")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    given = parser.parse_args()
    found = _run(given.data)
    print(json.dumps(found, indent=None if given.json else 2))
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
