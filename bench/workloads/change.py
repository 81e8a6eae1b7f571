"""Status changes over HTTP on hub A to a watcher on hub B, with a webhook due for each.

A change is durable when it is answered: state, event, outbox entry and deadlines are in the
store's append-only file. What the bridge then does with the outbox is its own workload.
"""

import asyncio
import contextlib
import json
import os
import time
from time import perf_counter
from typing import Any, Final, cast

from bench.generator import Line, open_all, quiet_collector
from bench.meters import cpu_seconds, percentiles, spent
from bench.ours import Ordercast
from bench.requests import Connection, request
from bench.target import Dial
from bench.workloads.options import Options
from schemas.lifecycle import Role
from schemas.times import format_time

__all__ = ["measure", "run"]

_STATUSES: Final = ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
_CLIENTS: Final = 32
_SETTLED_WITHIN: Final = 10.0


async def run(options: Options) -> dict[str, Any]:
    results = []
    async for name, target in options.turns():
        if name == Ordercast.name:
            found = await measure(cast("Ordercast", target), options.orders)
            results.append({"target": name, **found})
    return {"workload": "change", "orders": options.orders, "results": results}


async def measure(target: Ordercast, orders: int) -> dict[str, Any]:
    """The whole workload on one target."""
    return await _Changes(target, orders).run()


class _Changes:
    """Every order goes through its four steps, so many at once as there are clients."""

    def __init__(self, target: Ordercast, orders: int) -> None:
        self._target = target
        self._orders = orders
        self._sent: dict[int, float] = {}
        self._answers: list[float] = []
        self._events: list[float] = []
        self._refused = 0
        self._all_came = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        target, number = self._target, self._orders
        await target.prepare(number, riding=False, notified=True)
        dials: list[tuple[Dial, Any]] = [
            (target.customer(order), self._hearing(order)) for order in range(number)
        ]
        lines = await open_all(dials, target.answers)
        clients = [await Connection.open(target.hubs[0]) for _ in range(_CLIENTS)]
        headers = target.bearer(Role.PLATFORM, sub="bench")
        async with quiet_collector():
            report = await self._measured(clients, headers, lines)
        for one in (*lines, *clients):
            one.close()
        return report

    async def _measured(
        self, clients: list[Connection], headers: Any, lines: list[Line]
    ) -> dict[str, Any]:
        parts = {**self._target.processes, "generator": [os.getpid()]}
        before, start = cpu_seconds(parts), perf_counter()
        orders = iter(range(self._orders))
        await asyncio.gather(*(self._client(one, orders, headers) for one in clients))
        answered = perf_counter() - start
        expected = self._orders * len(_STATUSES)
        await self._settled()
        after = cpu_seconds(parts)
        servers = {name: seconds for name, seconds in before.items() if name != "generator"}
        return {
            "changes": expected,
            "refused": self._refused,
            "lost": expected - len(self._events),
            "socketsLost": sum(line.lost for line in lines),
            "perSecond": round(expected / answered),
            "answerMs": percentiles(self._answers),
            "eventMs": percentiles(self._events),
            "cpuMicrosecondsPerChange": spent(servers, after, expected),
            "generatorBusy": round((after["generator"] - before["generator"]) / answered, 3),
        }

    async def _client(self, client: Connection, orders: Any, headers: Any) -> None:
        for order in orders:
            path = f"/v1/orders/{self._target.ids[order]}/status"
            for status in _STATUSES:
                body = {"status": status, "timestamp": format_time(time.time())}
                packed = request(path, headers, json.dumps(body).encode())
                self._sent[order] = sent = perf_counter()
                self._refused += await client.ask(packed) != 200
                self._answers.append(perf_counter() - sent)

    def _hearing(self, order: int) -> Any:
        def heard(payload: bytes) -> None:
            if b'"type":"event"' in payload:
                self._events.append(perf_counter() - self._sent[order])
                if len(self._events) == self._orders * len(_STATUSES):
                    self._all_came.set()

        return heard

    async def _settled(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_came.wait(), _SETTLED_WITHIN)
