"""The simulated town: lives of orders, and the riders who carry them."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, Final

from clients.platform import PlatformClient
from clients.rider import RiderClient
from hub.demo.customers import Customer
from hub.demo.desk import Desk
from hub.demo.evening import Evening, Fate, OrderPlan
from hub.demo.records import OrderRecord, Records
from hub.demo.riders import Job, Rider
from hub.demo.streets import far
from schemas.lifecycle import EventType, PaymentMethod, PaymentState, Role, Status
from schemas.model import Place
from schemas.orders import Address, OrderRequest

__all__ = ["Town"]

_LONGEST_LIFE: Final = 90.0  # seconds after the last arrival until all orders should be final
_SETTLING: Final = 15.0  # and from then until every customer has heard the end
_SECOND_DOOR: Final = 150.0  # metres: what carrying two orders costs the second one
_WAIT_FOR_RIDER: Final = 8.0  # what an order waits and rides, besides the kitchen: for estimates


class Town:
    """`desk` is at the hub of riders and merchants, `watch_url` the customers' hub.

    Whatever goes wrong with anybody is noted in the records' failures; the others go on.
    """

    def __init__(
        self,
        evening: Evening,
        desk: Desk,
        watch_url: str,
        notification_url: str,
        records: Records,
        seed: int,
    ) -> None:
        self.evening = evening
        self.records = records
        self.begun = asyncio.Event()
        """There is an order to look at."""
        self.waiting = 0
        """Orders that no rider has been found for yet."""
        self._desk = desk
        self._watch_url = watch_url
        self._notification_url = notification_url
        self._chance = Random(seed)
        self._kitchens = [
            desk.client(Role.MERCHANT, restaurant=f"res_{number}")
            for number in range(len(evening.restaurants))
        ]
        self._customers: list[Customer] = []
        self._riders = [self._rider(number) for number in range(len(evening.riders))]
        self._rider_free = asyncio.Condition()
        self._streams: set[asyncio.Task[None]] = set()

    @property
    def sockets(self) -> int:
        """Connected sockets, of customers and riders."""
        customers = sum(customer.connected for customer in self._customers)
        return customers + sum(rider.connected for rider in self._riders)

    async def run(self) -> None:
        """The whole evening, and what is left to do after it. Cancel it to close the town early."""
        riders = [self._spawn(rider.work(), rider.rider_id) for rider in self._riders]
        lives = [self._spawn(self._appear(plan), str(plan.number)) for plan in self.evening.orders]
        try:
            last = self.evening.orders[-1].at
            await asyncio.wait(lives, timeout=last + _LONGEST_LIFE)
            await self.settle()
        finally:
            await self._end([*lives, *riders])

    async def settle(self) -> None:
        """Wait, for a while, until every stream has ended."""
        if self._streams:
            await asyncio.wait(self._streams, timeout=_SETTLING)

    async def close(self) -> None:
        await self._end(list(self._streams))

    @staticmethod
    async def _end(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._watched(work, name))

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            self.records.failures.append(f"{name}: {type(inner).__name__}: {inner}")

    def _rider(self, number: int) -> Rider:
        rider_id = f"rider-{number}"
        token = self._desk.issue(Role.RIDER, ttl=3600.0, sub=rider_id)
        return Rider(
            rider_id,
            self.evening.riders[number],
            self.evening.streets,
            Random(self._chance.random()),
            RiderClient(self._desk.url, rider_id, token),
            self._desk.with_token(token),
            self.records,
            self._has_come_free,
            self.evening.speed,
        )

    # An order's life

    async def _appear(self, plan: OrderPlan) -> None:
        await asyncio.sleep(plan.at)
        placed = await self._desk.platform.place(self._request(plan))
        record = self.records.open(placed.order_id, placed.stream_token)
        self.begun.set()
        self._follow(record, plan)
        if plan.fate is Fate.CUSTOMER_CANCELS:
            await asyncio.sleep(plan.confirm)
            await self._cancel(record, plan, self._desk.with_token(record.token))
            return
        if plan.method is not PaymentMethod.CASH:
            await self._desk.platform.payment(record.order_id, PaymentState.PAID)
        await self._cook(record, plan)

    def _request(self, plan: OrderPlan) -> OrderRequest:
        lat, lng = self.evening.streets.degrees(plan.door)
        pickup = self.evening.streets.degrees(self.evening.restaurants[plan.restaurant])
        return OrderRequest(
            restaurant_id=f"res_{plan.restaurant}",
            items=plan.items,
            address=Address(text=f"{plan.number + 1} Example Road", lat=lat, lng=lng),
            payment_method=plan.method,
            notification_url=self._notification_url,
            pickup=Place(lat=pickup[0], lng=pickup[1]),
        )

    def _follow(self, record: OrderRecord, plan: OrderPlan) -> None:
        customer = Customer(self._watch_url, record, self.records, plan.away)
        self._customers.append(customer)
        task = self._spawn(customer.watch(), f"the customer of {record.order_id}")
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _cook(self, record: OrderRecord, plan: OrderPlan) -> None:
        kitchen = self._kitchens[plan.restaurant]
        await asyncio.sleep(plan.confirm)
        seconds = plan.prepare + plan.kitchen + _WAIT_FOR_RIDER + plan.hand_over
        self.records.sending(record, EventType.CONFIRMED)
        await kitchen.change_status(
            record.order_id, Status.CONFIRMED, estimated_time=1 + int(seconds / 60)
        )
        await asyncio.sleep(plan.prepare)
        if plan.fate is Fate.MERCHANT_CANCELS:
            await self._cancel(record, plan, kitchen)
            return
        self.records.sending(record, EventType.PREPARING)
        await kitchen.change_status(record.order_id, Status.PREPARING)
        job = Job(plan, record, self.evening.restaurants[plan.restaurant])
        async with asyncio.TaskGroup() as together:
            together.create_task(self._find_rider(job))
            together.create_task(self._finish_cooking(job))
        await job.done.wait()

    async def _finish_cooking(self, job: Job) -> None:
        await asyncio.sleep(job.plan.kitchen)
        self.records.sending(job.record, EventType.READY)
        await self._kitchens[job.plan.restaurant].ready(job.record.order_id)
        job.ready.set()

    async def _cancel(self, record: OrderRecord, plan: OrderPlan, who: PlatformClient) -> None:
        self.records.sending(record, EventType.CANCELLED)
        await who.change_status(record.order_id, Status.CANCELLED, reason=plan.reason)

    # Finding riders

    async def _find_rider(self, job: Job) -> None:
        self.waiting += 1
        async with self._rider_free:
            await self._rider_free.wait_for(lambda: self._best(job) is not None)
            rider = self._best(job)
            assert rider is not None
            rider.call(job)
        self.waiting -= 1
        self.records.sending(job.record, EventType.COURIER_ASSIGNED)
        await self._desk.platform.assign_rider(job.record.order_id, rider.rider_id)
        job.assigned.set()

    def _best(self, job: Job) -> Rider | None:
        """The nearest, free or on the way to this restaurant with one order."""

        def cost(rider: Rider) -> float:
            return far(rider.place, job.pickup) + (_SECOND_DOOR if rider.jobs else 0.0)

        able = [rider for rider in self._riders if rider.can_take(job)]
        return min(able, key=cost, default=None)

    async def _has_come_free(self) -> None:
        async with self._rider_free:
            self._rider_free.notify_all()
