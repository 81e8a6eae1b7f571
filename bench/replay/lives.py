"""One order replayed: placed, confirmed, cooked, carried along a recorded trip, completed."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from time import perf_counter, time
from typing import Any, Final

import aiohttp

from bench.replay.sockets import Customer, Rider, Tally
from bench.replay.trace import OrderTrace, Point
from schemas.lifecycle import Role
from schemas.times import format_time

__all__ = ["Load", "grouped", "shrunk"]

MESSAGE_EVERY: Final = 0.25
"""Seconds, at least, between two messages of a rider: the hub takes 5 a second."""

_FINISHED_WITHIN: Final = 30.0
_HOUR: Final = 3600.0

Issue = Callable[..., str]


@dataclass(slots=True)
class Load:
    """`speed` is how many times faster than recorded all goes. Hub A has riders and changes."""

    hub_a: str
    hub_b: str
    issue: Issue
    http: aiohttp.ClientSession
    speed: float
    tally: Tally
    placed: dict[str, Customer]

    async def live(self, number: int, trace: OrderTrace) -> None:
        """Whatever goes wrong is noted in the tally."""
        try:
            await self._live(number, trace)
        except Exception as error:
            self.tally.failures.append(f"order {number}: {type(error).__name__}: {error}")

    async def _live(self, number: int, trace: OrderTrace) -> None:
        trip = shrunk(trace.trip, self.speed)
        await self._pause(trace.at)
        steps = _Steps(self, number)
        customer = await steps.place(trip)
        await self._pause(trace.confirm)
        await steps.status("CONFIRMED", estimatedTime=45)
        await self._pause(trace.prepare)
        await steps.status("PREPARING")
        await self._pause(trace.kitchen * 0.8)
        rider = await steps.assign()
        await self._pause(trace.kitchen * 0.2)
        await steps.status("ON_DELIVERY")
        await self._ride(rider, trip)
        await steps.status("COMPLETED")
        await asyncio.wait_for(customer.finished.wait(), _FINISHED_WITHIN)
        # Not before COMPLETED: hubs acknowledge once a second, for many riders at one moment.
        await asyncio.wait_for(rider.settled.wait(), _FINISHED_WITHIN)
        customer.close()
        rider.close()

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    async def _ride(self, rider: Rider, trip: list[Point]) -> None:
        """Every recorded fix at its moment; those closer than MESSAGE_EVERY go together."""
        start = perf_counter()
        for group in grouped(trip, MESSAGE_EVERY * self.speed):
            due = group[-1][0]
            await asyncio.sleep(max(0.0, start + due / self.speed - perf_counter()))
            rider.send([((due - at) / self.speed, lat, lng) for at, lat, lng in group])


class _Steps:
    """The requests of one order, all to hub A."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self._number = number
        self._keys = count()
        self._customer: Customer
        token = load.issue(Role.PLATFORM, ttl=_HOUR, sub="replay")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def place(self, trip: list[Point]) -> Customer:
        """The order, and its customer at hub B."""
        order = _order(self._number, trip)
        answer = await self._ask("POST", "/v1/orders", order)
        customer = Customer(answer["orderId"], self._load.tally)
        self._customer = self._load.placed[customer.order_id] = customer
        await customer.open(self._load.hub_b, answer["streamToken"])
        return customer

    async def status(self, status: str, **more: Any) -> None:
        self._customer.sent[f"order.{status.lower()}"] = perf_counter()
        body = {"status": status, "timestamp": format_time(time()), **more}
        await self._ask("POST", f"/v1/orders/{self._customer.order_id}/status", body)

    async def assign(self) -> Rider:
        rider_id = f"replay-{self._number}"
        self._customer.sent["courier.assigned"] = perf_counter()
        path = f"/v1/orders/{self._customer.order_id}/rider"
        await self._ask("PUT", path, {"riderId": rider_id})
        rider = Rider(rider_id, self._customer.fixed, self._load.tally)
        token = self._load.issue(Role.RIDER, ttl=_HOUR, sub=rider_id)
        await rider.open(self._load.hub_a, token)
        return rider

    async def _ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        headers = dict(self._headers)
        if method == "POST":
            headers["Idempotency-Key"] = f"replay-{self._number}-{next(self._keys)}"
        request = self._load.http.request(
            method, self._load.hub_a + path, json=body, headers=headers
        )
        async with request as response:
            answer = await response.json(content_type=None)
            if response.status >= 300:
                raise RuntimeError(f"{method} {path}: {response.status} {answer}")
            return answer


def _order(number: int, trip: list[Point]) -> dict[str, Any]:
    (_, from_lat, from_lng), (_, lat, lng) = trip[0], trip[-1]
    item = {"itemId": "dish-1", "name": "Noodle soup", "quantity": 1, "unitPriceCents": 2800}
    return {
        "restaurantId": f"res_{number % 100}",
        "items": [item],
        "address": {"text": f"{number} Example Road", "lat": lat, "lng": lng},
        "paymentMethod": "CASH",
        "pickup": {"lat": from_lat, "lng": from_lng},
    }


def shrunk(trip: list[Point], factor: float) -> list[Point]:
    """The trip drawn smaller about its start.

    Compressed in time alone, a car would go at 600 m/s and the hub would not believe it; so its
    speed on the ground is left as it was.
    """
    _, lat0, lng0 = trip[0]
    return [
        (at, lat0 + (lat - lat0) / factor, lng0 + (lng - lng0) / factor) for at, lat, lng in trip
    ]


def grouped(trip: list[Point], every: float) -> Iterator[list[Point]]:
    """Consecutive points, together as long as they lie within `every` seconds of the first."""
    group: list[Point] = []
    for point in trip:
        if group and point[0] - group[0][0] >= every:
            yield group
            group = []
        group.append(point)
    if group:
        yield group
