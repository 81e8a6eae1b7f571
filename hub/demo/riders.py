"""A rider: along the streets to a restaurant, then to one door or two."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from clients.errors import ProblemError
from clients.platform import PlatformClient
from clients.rider import RiderClient
from clients.updates import Acked, Rejected
from hub.demo.evening import OrderPlan
from hub.demo.records import OrderRecord, Records
from hub.demo.streets import Point, Streets, Walk, far
from schemas.lifecycle import CourierState, EventType, Status

__all__ = ["Job", "Rider"]

_TICK: Final = 1.0
_NEARBY: Final = 100.0
_SPEEDS: Final = (20.0, 30.0)  # m/s: the evening runs faster than a scooter
_FASTEST: Final = 40.0  # whatever the pace: 150 km/h for long is no rider
_CAPACITY: Final = 2


@dataclass(eq=False, slots=True)
class Job:
    """An order to be carried. `assigned`, `ready` and `done` are set by whoever sees to it."""

    plan: OrderPlan
    record: OrderRecord
    pickup: Point
    assigned: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Rider:
    """`work` runs until it is cancelled. `free` is called when the rider can take orders again;
    `pace` says how many times faster than usual the town goes."""

    def __init__(
        self,
        rider_id: str,
        place: Point,
        streets: Streets,
        chance: Random,
        client: RiderClient,
        http: PlatformClient,
        records: Records,
        free: Callable[[], Awaitable[None]],
        pace: float,
    ) -> None:
        self.rider_id = rider_id
        self.place = place
        self.jobs: list[Job] = []
        self.leaving = False
        """At the restaurant already: nothing more fits in on this trip."""
        self._streets = streets
        self._chance = chance
        self._client = client
        self._http = http
        self._records = records
        self._free = free
        self._pace = min(_FASTEST, pace * chance.uniform(*_SPEEDS))
        self._called = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._client.connected

    def can_take(self, job: Job) -> bool:
        """A second order only from the same restaurant, and before the rider is there."""
        if not self.jobs:
            return True
        same = self.jobs[0].pickup == job.pickup
        return same and not self.leaving and len(self.jobs) < _CAPACITY

    def call(self, job: Job) -> None:
        self.jobs.append(job)
        self._called.set()

    async def work(self) -> None:
        async with self._client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            while True:
                await self._called.wait()
                await self._trip()
                self.jobs, self.leaving = [], False
                self._called.clear()
                await self._free()

    async def _listen(self) -> None:
        async for message in self._client:
            if isinstance(message, Acked):
                self._records.acks += 1
            elif isinstance(message, Rejected):
                self._records.rejections[message.reason] += 1

    async def _trip(self) -> None:
        await self.jobs[0].assigned.wait()
        await self._ride(self.jobs[0].pickup, None)
        self.leaving = True
        for job in self.jobs:
            await job.assigned.wait()
            await self._tell(job, CourierState.AT_STORE, EventType.COURIER_AT_STORE)
        for job in self.jobs:
            await job.ready.wait()
            await self._tell(job, CourierState.PICKED_UP, EventType.ON_DELIVERY)
        for job in sorted(self.jobs, key=lambda job: far(self.place, job.plan.door)):
            await self._deliver(job)

    async def _deliver(self, job: Job) -> None:
        await self._ride(job.plan.door, job)
        await self._tell(job, CourierState.AT_DOOR, EventType.COURIER_AT_DOOR)
        await asyncio.sleep(job.plan.hand_over)
        self._records.sending(job.record, EventType.COMPLETED)
        await self._http.change_status(job.record.order_id, Status.COMPLETED)
        job.done.set()

    async def _ride(self, goal: Point, bringing: Job | None) -> None:
        """Walk to `goal`, with a fix at each step; tell once when an order's door is near."""
        walk = Walk(self._streets.route(self.place, goal, self._chance), self._pace)
        while True:
            await self._fix(walk)
            if bringing is not None and walk.left <= _NEARBY:
                await self._tell(bringing, CourierState.NEARBY, EventType.COURIER_NEARBY)
                bringing = None
            if walk.arrived:
                return
            await asyncio.sleep(_TICK)
            walk.advance(_TICK)
            self.place = walk.place

    async def _fix(self, walk: Walk) -> None:
        """The client passes it on as often as the hub wants fixes."""
        self._records.fixes += 1
        lat, lng = self._streets.degrees(walk.place)
        speed = 0.0 if walk.arrived else walk.speed
        await self._client.send(lat, lng, heading=round(walk.heading, 1), speed=speed, accuracy=5.0)

    async def _tell(self, job: Job, state: CourierState, event_type: EventType) -> None:
        """409: the hub has seen from the fixes where the rider is, and said so already."""
        self._records.sending(job.record, event_type)
        try:
            await self._http.courier_state(job.record.order_id, state)
        except ProblemError as problem:
            if problem.status != 409 or state is CourierState.PICKED_UP:
                raise
