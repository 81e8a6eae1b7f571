"""All sockets of a hub, and their one clock."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from hub.metrics import LOOP_STOPS, SOCKETS
from hub.transports.socket import Socket
from schemas.codes import CloseCode
from schemas.wire import Frames

__all__ = ["Sockets"]

_NEAR: Final = 30.0
_TICK: Final = 0.1


class Sockets:
    """All sockets of a hub, and their one clock: each is pinged in its turn.

    A clock of ten ticks a second, so that what falls due together does not stop all else at once.
    """

    def __init__(self, ping_seconds: float) -> None:
        self.ping_seconds = ping_seconds
        self._turns: list[set[Socket]] = [set() for _ in range(max(1, round(ping_seconds / _TICK)))]
        self._number = 0
        self._turn = 0
        self._due: dict[int, list[Socket]] = defaultdict(list)
        """By tick of the wheel, those whose moment comes before it."""
        self._tick = int(time.time() / _TICK)
        self.draining = False

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Socket]:
        """All of them, as they are now."""
        return iter([socket for turn in self._turns for socket in turn])

    def add(self, socket: Socket) -> None:
        socket.turn = self._turn
        self._turns[self._turn].add(socket)
        self._number += 1
        SOCKETS[socket.talk.kind].value += 1

    def discard(self, socket: Socket) -> None:
        if socket in self:
            self._turns[socket.turn].discard(socket)
            self._number -= 1
            SOCKETS[socket.talk.kind].value -= 1

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._turns[socket.turn]

    def at(self, moment: float, socket: Socket) -> None:
        """Call the socket's `overdue` once, at a Unix time or a tick later.

        A moment far beyond the socket's next turn is dropped, since each turn asks for the deadline
        again: so that a closed socket is not kept in memory until its token would have expired.
        """
        if moment > time.time() + max(self.ping_seconds, _NEAR):
            return
        self._due[max(int(moment / _TICK), self._tick) + 1].append(socket)

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        tick = self.ping_seconds / len(self._turns)
        while True:
            due = clock() + tick
            await asyncio.sleep(tick)
            LOOP_STOPS.observe(max(0.0, clock() - due))
            self._turn = (self._turn + 1) % len(self._turns)
            for socket in tuple(self._turns[self._turn]):
                socket.ping()
                self.at(socket.talk.deadline, socket)
            self._call_due(time.time())

    def _call_due(self, now: float) -> None:
        """Whatever the clock does meanwhile, each tick's sockets are called once."""
        self._tick = present = int(now / _TICK)
        for tick in sorted(tick for tick in self._due if tick <= present):
            for socket in self._due.pop(tick):
                if socket in self:
                    socket.overdue(now)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to every client that is let in."""
        frames = Frames(message)
        for socket in self:
            if socket.talk.let_in:
                socket.send(frames[socket.encode])

    async def drain(self, seconds: float, notice: Callable[[], dict[str, Any]]) -> None:
        """Tell everyone, then close all in paced batches within `seconds`."""
        self.draining = True
        self.tell(notice())
        pause = 0.1
        batch = max(50, -(-len(self) * pause // (0.8 * seconds)))
        waiting = list(self)
        while waiting:
            for socket in waiting[: int(batch)]:
                socket.close(CloseCode.DRAINING, "draining")
            del waiting[: int(batch)]
            await asyncio.sleep(pause)
