"""An evening of riders, simulated: what their phones send when they are told how often.

Pure and seeded. Orders come when true ones did, and are carried along recorded trips; the cadence
is `hub.core.riders.cadence`, asked as often as a hub asks it. Beside it: every phone every four
seconds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.replay.trace import OrderTrace, Point, load
from hub.core.riders.cadence import Cadence, Reason
from schemas.motion import distance

__all__ = ["simulate"]

_LOOK: Final = 5.0
"""Seconds between two looks at who watches (`hub.services.riders`)."""

_LOOKING: Final = 60.0
"""Seconds that a customer looks, or does not, on average: half of them look at any time."""

_TAIL: Final = 10.0
"""Seconds that an LTE radio stays up after it has sent. Fixes that are closer share one wake-up.
11.6 s in Huang et al., MobiSys 2012, section 4; operators have set 10 s since.
"""

_TO_THE_STORE: Final = 480.0  # seconds at most, of a recorded trip
_WAITS: Final = 180.0  # seconds at the store, median
_SPARE: Final = 1.25  # riders on shift, times the most that carry at once
_CONSTANT: Final = 4.0


@dataclass(slots=True)
class Phone:
    """What one rider's phone has sent over an evening."""

    wakes: int = 0
    up: float = 0.0
    """Seconds that the radio was up."""
    last: float = float("-inf")
    seconds: Counter[str] = field(default_factory=Counter)
    """On which cadence, by its reason."""
    sent: Counter[str] = field(default_factory=Counter)
    """The fixes, by the same."""

    def send(self, at: float) -> None:
        gap = at - self.last
        self.wakes += gap > _TAIL
        self.up += min(gap, _TAIL)
        self.last = at

    def carry_on(self, start: float, end: float, seconds: float, reason: str) -> None:
        """Send every so many seconds, counted from the last fix."""
        self.seconds[reason] += end - start
        at = max(start, self.last + seconds)
        while at < end:
            self.send(at)
            self.sent[reason] += 1
            at += seconds


@dataclass(frozen=True, slots=True)
class Job:
    """One order's way, from its assignment on: to the store, waiting there, to the door."""

    placed: float
    start: float
    there: float
    ready: float
    end: float
    before: Sequence[Point]
    trip: Sequence[Point]

    def metres_to_go(self, at: float) -> float:
        """To the store; from the pick-up on to the door."""
        way, since = (self.before, self.start) if at < self.ready else (self.trip, self.ready)
        (_, *goal), here = way[-1], at - since
        place = next((point for point in reversed(way) if point[0] <= here), way[0])
        return distance(place[1], place[2], goal[0], goal[1])


def _job(order: OrderTrace, trips: Sequence[Sequence[Point]], chance: Random) -> Job:
    ready = order.at + order.confirm + order.prepare + order.kitchen
    way = chance.choice(trips)
    before = [point for point in way if point[0] <= _TO_THE_STORE]
    waits = chance.lognormvariate(log(_WAITS), 0.5)
    there = ready - waits
    start = max(order.at + order.confirm, there - before[-1][0])
    return Job(order.at, start, there, ready, ready + order.trip[-1][0], before, order.trip)


def _glances(job: Job, chance: Random) -> Iterator[tuple[float, bool]]:
    """When the customer begins or ceases to look."""
    at, looks = job.placed, chance.random() < 0.5
    while at < job.end:
        yield at, looks
        at, looks = at + chance.expovariate(1 / _LOOKING), not looks


def _ride(phone: Phone, job: Job, chance: Random) -> None:
    cadence, glances, looks = Cadence(), list(_glances(job, chance)), False
    at = job.start
    while at < job.end:
        while glances and glances[0][0] <= at:
            looks = glances.pop(0)[1]
        cadence.hear(int(looks), job.metres_to_go(at), None)
        until = min(at + _LOOK, job.end)
        phone.carry_on(at, until, *cadence.told(on_duty=True))
        at = until


def _shifts(jobs: Sequence[Job]) -> list[list[Job]]:
    """Who carries what: each order goes to the rider who has been free for longest."""
    riders: list[list[Job]] = []
    for job in sorted(jobs, key=lambda job: job.start):
        free = [rider for rider in riders if rider[-1].end <= job.start]
        if free:
            min(free, key=lambda rider: rider[-1].end).append(job)
        else:
            riders.append([job])
    return riders + [[] for _ in range(round(len(riders) * (_SPARE - 1)))]


def simulate(data: Path, orders: int = 2_000, seed: int = 1) -> dict[str, Any]:
    """`orders` consecutive ones, where they lie densest. Every rider is on shift from the first
    assignment to the last hand-over.
    """
    chance, traces = Random(seed), load(data, orders, seed)
    trips = [trace.trip for trace in traces]
    jobs = [_job(trace, trips, chance) for trace in traces]
    start, end = min(job.start for job in jobs), max(job.end for job in jobs)
    phones, constant = [], []
    for shift in _shifts(jobs):
        phone, at, steady = Phone(), start, Phone()
        for job in shift:
            phone.carry_on(at, job.start, *Cadence().told(on_duty=False))
            _ride(phone, job, chance)
            at = job.end
        phone.carry_on(at, end, *Cadence().told(on_duty=False))
        steady.carry_on(start, end, _CONSTANT, "constant")
        phones.append(phone)
        constant.append(steady)
    hours = len(phones) * (end - start) / 3600
    told, steady_told = _sum(phones, hours), _sum(constant, hours)
    return {
        "orders": orders,
        "riders": len(phones),
        "hoursOfTheEvening": round((end - start) / 3600, 2),
        "shareOfCustomersLooking": 0.5,
        "radioTailSeconds": _TAIL,
        "cadence": told,
        "every 4 s": steady_told,
        "fixesOfConstant": round(told["fixes"] / steady_told["fixes"], 3),
        "fixesOfConstantWhileCarrying": _while_carrying(phones),
        "radioUpOfConstant": round(told["shareRadioUp"] / steady_told["shareRadioUp"], 3),
    }


def _while_carrying(phones: Sequence[Phone]) -> float:
    """The share of fixes in what the constant would send, without the time between orders."""
    carrying = [reason for reason in Reason if reason is not Reason.IDLE]
    sent = sum(phone.sent[reason] for phone in phones for reason in carrying)
    seconds = sum(phone.seconds[reason] for phone in phones for reason in carrying)
    return round(sent / (seconds / _CONSTANT), 3)


def _sum(phones: Sequence[Phone], hours: float) -> dict[str, Any]:
    """Of all riders; hours are of riders on shift."""
    seconds = sum((phone.seconds for phone in phones), Counter[str]())
    whole, fixes = sum(seconds.values()), sum(phone.sent.total() for phone in phones)
    return {
        "fixes": fixes,
        "fixesAnHour": round(fixes / hours, 1),
        "wakeUpsAnHour": round(sum(phone.wakes for phone in phones) / hours, 1),
        "shareRadioUp": round(sum(phone.up for phone in phones) / (hours * 3600), 3),
        "shareOfTime": {name: round(part / whole, 3) for name, part in sorted(seconds.items())},
    }
