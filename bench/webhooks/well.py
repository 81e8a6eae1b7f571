"""The partner whose deliveries are timed: an endpoint, and if asked for the orders' own URLs."""

import os
from collections.abc import Mapping
from typing import Any, Final

from bench.generator import quiet_collector
from bench.meters import percentiles
from bench.webhooks.changes import SEQS, Changes
from bench.webhooks.receiver import Receiver
from bench.webhooks.scene import Scene
from bench.webhooks.span import Span
from schemas.lifecycle import Role

__all__ = ["FIRST", "HOOK", "Lags", "Well"]

Lags = dict[str, list[float]]
"""Seconds that deliveries took, by path."""

HOOK: Final = "/hook"
_ORDERS: Final = "/orders"
_CONFIRMED: Final = f"{_ORDERS}/order-status"
FIRST: Final[Mapping[str, int]] = {_ORDERS: SEQS.start, _CONFIRMED: SEQS.start}
"""The first seq of each path's lanes: nobody is called back for an order that was just made."""


class Well:
    """`callbacks`: beside the endpoint, each order has a notificationUrl at the same origin."""

    def __init__(self, scene: Scene, receiver: Receiver, port: int, callbacks: bool) -> None:
        self._scene = scene
        self._receiver = receiver
        self._port = port
        self._url = f"{receiver.origin}{_ORDERS}" if callbacks else None
        self._each = len(SEQS) * (2 if callbacks else 1) + callbacks
        self._paths = (HOOK, _ORDERS, _CONFIRMED) if callbacks else (HOOK,)

    async def register(self) -> None:
        await self._scene.register("well", f"{self._receiver.origin}{HOOK}")

    async def measured(self, rate: float, seconds: float) -> tuple[dict[str, Any], Lags]:
        """Changes for so long; the report, and all lags."""
        number = max(1, round(rate * seconds / len(SEQS)))
        orders = await self._placed(number)
        changes = Changes(self._receiver, self._port, self._bearer())
        expected, tally = number * self._each, self._receiver.tally
        due = tally.accepted + expected
        async with quiet_collector():
            span = Span({**self._scene.processes, "generator": [os.getpid()]})
            await changes.run(orders, rate)
            await self._receiver.accepted(due)
            span.end()
        lags = {path: changes.lags(path) for path in self._paths}
        return {
            "deliveries": expected,
            "perSecond": round(expected / span.seconds),
            "lost": due - tally.accepted,
            **tally.counts(),
            **changes.report(),
            "msByPath": {path: percentiles(each) for path, each in lags.items()},
            "cpuMicrosecondsPerDelivery": span.per(expected),
            "busy": span.busy,
            "residentKib": self._scene.resident(),
        }, lags

    async def _placed(self, number: int) -> list[str]:
        """So many orders, of whose making the endpoint was told."""
        due = self._receiver.tally.accepted + number
        orders = await self._scene.place("well", [self._url] * number)
        await self._receiver.accepted(due)
        return orders

    def _bearer(self) -> dict[str, str]:
        token = self._scene.here.tokens.issue(Role.PLATFORM, ttl=3600.0, sub="bench")
        return {"Authorization": f"Bearer {token}"}
