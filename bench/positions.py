"""`python -m bench.positions --data DIR`: what customers see of true trips, and what it costs.

Prints one JSON object. The trips go through two real hubs, their times moved so that each ends
now: what is told depends on the fixes' own times, not on how fast they are sent.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from bench import ours
from bench.evening import simulate
from bench.generator import open_all, raise_file_limit
from bench.ingest import fix, ingest, relayed
from bench.machine import machine
from bench.ours import Ordercast
from bench.predictors import compare
from bench.processes import GENERATOR_CORE, on_core
from bench.replay.trace import Point, trips
from hub.core.riders.course import Course
from hub.core.riders.fixes import FixFilter
from hub.demo.checks import percentile
from schemas.motion import METRES_OF_A_DEGREE, distance, reckoned
from schemas.positions import Rejection
from schemas.telemetry import RawFix, Sighting
from schemas.times import format_time, parse_time

__all__ = ["main"]

_TELEPORTS: Final = 1000
_QUIET: Final = 1.0
_BURST: Final = 20
_EVERY: Final = 4.0
"""Seconds between two fixes of who is too fast."""

Told = tuple[float, float, float, float | None, float | None]
"""A position as a page has it: seconds of the trip, lat, lng, speed, heading."""


def _errors(trip: Sequence[Point], told: Sequence[Told], *, lead_on: bool = True) -> list[float]:
    """Metres between what a page shows and where the rider was, at each recorded fix."""
    errors, at = [], -1
    for moment, lat, lng in trip:
        while at + 1 < len(told) and told[at + 1][0] <= moment + 1e-3:
            at += 1
        if at >= 0:
            when, *place, speed, heading = told[at]
            ahead = moment - when if lead_on else 0.0
            errors.append(distance(*reckoned(*place, speed, heading, ahead), lat, lng))
    return errors


def _throttled(trip: Sequence[Point], seconds: float) -> list[Told]:
    """What a sender tells that looks at the clock alone."""
    course, told, last = Course(), list[Told](), float("-inf")
    for at, lat, lng in trip:
        course.see(at + 1000.0, lat, lng)
        if at - last >= seconds:
            moves = course.velocity(at + 1000.0, lat, lng) or (None, None)
            told.append((at, lat, lng, *moves))
            last = at
    return told


def _score(rides: Iterable[tuple[Sequence[Point], Sequence[Told]]], *, lead_on: bool) -> Any:
    errors, messages, minutes = list[float](), 0, 0.0
    for trip, told in rides:
        errors += _errors(trip, told, lead_on=lead_on)
        messages += len(told)
        minutes += trip[-1][0] / 60
    errors.sort()
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "messagesAMinute": round(messages / minutes, 2),
        "errorMetres": {
            name: round(percentile(errors, share) or 0.0, 1) for name, share in shares.items()
        },
    }


async def _through_the_hubs(rides: Sequence[Sequence[Point]], target: Ordercast) -> list[Any]:
    """What a customer of each trip is told."""
    await target.prepare(len(rides))
    told: list[list[Told]] = [[] for _ in rides]
    starts = [time.time() - trip[-1][0] for trip in rides]

    def hears(number: int) -> Callable[[bytes], None]:
        def heard(payload: bytes) -> None:
            message = json.loads(payload)
            if message["type"] == "position" and message["freshness"]:
                at = parse_time(message["at"]) - starts[number]
                place = (message["lat"], message["lng"])
                moves = (message.get("speed"), message.get("heading"))
                if not told[number] or told[number][-1][0] < at:
                    told[number].append((at, *place, *moves))

        return heard

    watching = [(target.customer(number), hears(number)) for number in range(len(rides))]
    riding = [(target.rider(number), lambda payload: None) for number in range(len(rides))]
    lines = await open_all([*watching, *riding], target.answers)
    for number, trip in enumerate(rides):
        for index, (at, lat, lng) in enumerate(trip):
            lines[len(rides) + number].send(fix(index, starts[number] + at, lat, lng))
            if index % _BURST == 0:
                await asyncio.sleep(0.001)
    await asyncio.sleep(_QUIET)
    for line in lines:
        line.close()
    return told


async def _trips(rides: Sequence[Sequence[Point]], target: Ordercast) -> dict[str, Any]:
    told = await _through_the_hubs(rides, target)
    policies: dict[str, Any] = {
        "ordercast": _score(zip(rides, told, strict=True), lead_on=True),
        "every fix": _score(((t, _throttled(t, 0.0)) for t in rides), lead_on=True),
    }
    for seconds in (4, 10, 20):
        pairs = [(trip, _throttled(trip, seconds)) for trip in rides]
        policies[f"every {seconds} s, led on"] = _score(pairs, lead_on=True)
        policies[f"every {seconds} s, held"] = _score(pairs, lead_on=False)
    return {"trips": len(rides), "fixes": sum(map(len, rides)), "policies": policies}


def _judged(trip: Sequence[Point], jump: int = -1, metres: float = 0.0) -> list[bool]:
    """Which fixes are believed; the one at `jump` lies so far north of where it was."""
    judge, believed, start = FixFilter(1e9), [], 1e9
    for number, (at, lat, lng) in enumerate(trip):
        off = metres / METRES_OF_A_DEGREE if number == jump else 0.0
        fix = RawFix(number, format_time(start + at), lat + off, lng)
        verdict = judge.judge(fix, start + at)
        believed.append(isinstance(verdict, Sighting) or verdict is Rejection.OLD)
    return believed


def _flags(rides: Sequence[Sequence[Point]]) -> dict[str, Any]:
    chance = random.Random(1)
    honest = [_judged(trip) for trip in rides]
    caught = 0
    for _ in range(_TELEPORTS):
        trip = chance.choice(rides)
        jump = chance.randrange(1, len(trip))
        caught += not _judged(trip, jump, chance.uniform(2_000, 20_000))[jump]
    flagged = sum(not all(each) for each in honest)
    return {
        "honestTrips": len(rides),
        "honestTripsFlagged": flagged,
        "honestFixesRefused": sum(each.count(False) for each in honest),
        "teleports": _TELEPORTS,
        "caught": caught,
    }


def _drivers() -> dict[str, Any]:
    """Who goes on and on at 162 to 248 km/h: each step could be, and they are quarantined."""
    chance, waits, fixes = random.Random(2), list[float](), range(31)
    for _ in range(_TELEPORTS):
        step = chance.uniform(45, 69) * _EVERY / METRES_OF_A_DEGREE
        believed = _judged([(number * _EVERY, number * step, 0.1) for number in fixes])
        if False in believed:
            waits.append(believed.index(False) * _EVERY)
    waits.sort()
    return {
        "drivers": _TELEPORTS,
        "quarantined": len(waits),
        "afterSeconds": {"p50": percentile(waits, 0.5), "max": waits[-1]},
    }


async def _hubs(rides: Sequence[Sequence[Point]], riders: int) -> dict[str, Any]:
    found: dict[str, Any] = {"ingest": {}}
    for name, error in (("told on change", "15"), ("every fix told", "0")):
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ocb")))
            flags = ("--position-error", error)
            launch = partial(ours.launch, hubs=2, flags=flags)
            target = cast("Ordercast", await stack.enter_async_context(launch(folder)))
            if error == "0":
                found["ingest"]["plain relay"] = await relayed(target, riders)
            else:
                found |= await _trips(rides, target)
            found["ingest"][name] = [
                await ingest(rides, target, riders, watched) for watched in (False, True)
            ]
    return found


async def _run(data: Path, riders: int) -> dict[str, Any]:
    rides = trips(data)
    return {
        "workload": "positions",
        "flags": _flags(rides) | _drivers(),
        "predictors": compare(rides),
        **await _hubs(rides, riders),
        "evening": simulate(data),
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.positions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where gps_trips.csv.gz is")
    parser.add_argument("--riders", type=int, default=200, help="of the ingest (200)")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    given = parser.parse_args()
    raise_file_limit()
    os.environ.pop("ORDERCAST_REDIS_URL", None)
    with on_core(GENERATOR_CORE), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_run(given.data, given.riders))
    print(json.dumps(found, indent=None if given.json else 2))
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
