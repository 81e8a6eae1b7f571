"""Status changes over HTTP at a fixed rate, and when the partner's server had answered for each.

Open loop: a change is sent at its time whatever became of those before, but for the one before
it of the same order, which must have been answered.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, Final

from bench.meters import percentiles
from bench.requests import Connection, request
from bench.webhooks.receiver import Receiver
from bench.webhooks.tally import Call
from schemas.times import format_time

__all__ = ["SEQS", "Changes"]

_STATUSES: Final = ("CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
SEQS: Final = range(2, 2 + len(_STATUSES))
"""Of the changes; an order's first event is its making."""

_IDLE: Final = 2.0
"""Seconds after which a connection is not used again: the hub closes it soon after."""

_LATE: Final = 10.0
"""Milliseconds at p99, from which on the generator's lateness makes the lags its own."""


class Changes:
    """`orders` go from PENDING to COMPLETED, so many at a time that each has a second's rest
    between two of its steps.
    """

    def __init__(self, receiver: Receiver, port: int, headers: Mapping[str, str]) -> None:
        self.refused = 0
        self.late: list[float] = []
        """By how many seconds each was sent later than planned."""
        self._receiver = receiver
        self._port = port
        self._headers = headers
        self._idle: list[tuple[float, Connection]] = []
        self._sent: dict[tuple[str, int], float] = {}
        self._answered: dict[tuple[str, int], float] = {}
        self._told: dict[tuple[str, str, int], float] = {}
        self._before: dict[str, asyncio.Task[None]] = {}

    async def run(self, orders: Sequence[str], rate: float) -> None:
        """Until all have been answered."""
        self._receiver.told = self._hear
        start = perf_counter() + 1 / rate
        for number, (order, seq) in enumerate(_plan(orders, int(rate) or 1)):
            due = start + number / rate
            if (wait := due - perf_counter()) > 0:
                await asyncio.sleep(wait)
            before = self._before.get(order)
            self._before[order] = asyncio.create_task(self._change(order, seq, due, before))
        await asyncio.gather(*self._before.values())
        self._close()

    async def _change(
        self, order: str, seq: int, due: float, before: asyncio.Task[None] | None
    ) -> None:
        self.late.append(perf_counter() - due)
        if before is not None and not before.done():
            await before
        client = await self._client()
        now = format_time(time.time())
        body = {"status": _STATUSES[seq - SEQS.start], "timestamp": now}
        packed = request(f"/v1/orders/{order}/status", self._headers, json.dumps(body).encode())
        self._sent[order, seq] = perf_counter()
        try:
            self.refused += await client.ask(packed) != 200
        except ConnectionError:
            self.refused += 1
            return
        self._answered[order, seq] = perf_counter()
        self._idle.append((perf_counter(), client))

    async def _client(self) -> Connection:
        """The one that was used last, if that was not long ago; all others are older."""
        if self._idle:
            since, client = self._idle.pop()
            if perf_counter() - since < _IDLE:
                return client
            client.close()
            self._close()
        return await Connection.open(self._port)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def _hear(self, call: Call) -> None:
        self._told.setdefault((call.path, call.order_id, call.seq), perf_counter())

    def lags(self, path: str = "") -> list[float]:
        """From the sending of a change until the webhook was answered, of a path or of all."""
        return self._since(self._sent, path)

    def report(self) -> dict[str, Any]:
        answers = [at - self._sent[key] for key, at in self._answered.items()]
        late = percentiles(self.late)
        return {
            "changes": len(self._sent),
            "refused": self.refused,
            "ms": percentiles(self.lags()),
            "msFromAnswer": percentiles(self._since(self._answered)),
            "answerMs": percentiles(answers),
            "generatorLateMs": late,
            "generatorIsTheLimit": late.get("p99", 0.0) > _LATE,
        }

    def _since(self, starts: Mapping[tuple[str, int], float], path: str = "") -> list[float]:
        return [
            at - starts[order, seq]
            for (where, order, seq), at in self._told.items()
            if (order, seq) in starts and path in ("", where)
        ]


def _plan(orders: Sequence[str], width: int) -> Iterator[tuple[str, int]]:
    """One step of `width` orders after the other, then the next orders."""
    for start in range(0, len(orders), width):
        for seq in SEQS:
            for order in orders[start : start + width]:
                yield order, seq
