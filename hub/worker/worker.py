"""The worker: duties that go on beside each other, through every absence of the store."""

import asyncio
import os
import socket
import time
from collections.abc import Iterable
from secrets import token_hex
from typing import Any, Final, Protocol

import structlog

from hub.errors import UnavailableError
from hub.store.leases import Leases
from hub.tasks import end

__all__ = ["Duty", "Led", "Worker", "worker_name"]

_BACK_OFF: Final = (0.1, 0.2, 0.5, 1.0)
_LEASE: Final = 10.0
"""Seconds after which another worker takes over what a dead one led. A step that takes longer has
it renewed meanwhile, three times as often.
"""

log = structlog.get_logger("hub.worker")


class Duty(Protocol):
    pace: float
    """Seconds between two steps."""

    async def step(self) -> None:
        """Do what is due. Raises UnavailableError, and goes on later from where it was."""


def worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"


class Led:
    """A duty that one of all workers does at a time.

    The lease saves the others useless work. It proves nothing: a worker that was stopped may go on
    after its lease has ended, so the duty itself must compare before it writes. A step whose lease
    is lost is cancelled, wherever it is.
    """

    def __init__(self, duty: Duty, leases: Leases, name: str) -> None:
        self.pace = duty.pace
        self._duty = duty
        self._leases = leases
        self.name = name

    async def step(self) -> None:
        asked = time.monotonic()
        if not await self._leases.hold(self.name, _LEASE):
            return
        step = asyncio.create_task(self._duty.step())
        try:
            if await self._kept(step, asked + _LEASE):
                await step
            else:
                log.warning("another worker leads now", duty=self.name)
        finally:
            await end([step])

    async def _kept(self, step: asyncio.Task[Any], until: float) -> bool:
        """Whether the lease was ours until the step was over. While the store is away nobody else
        has it, for as long as it was ours.
        """
        while not (await asyncio.wait([step], timeout=_LEASE / 3))[0]:
            asked = time.monotonic()
            try:
                held = await self._leases.hold(self.name, _LEASE)
                until = asked + _LEASE
            except UnavailableError:
                held = time.monotonic() < until
            if not held:
                return False
        return True


class Worker:
    def __init__(self, duties: Iterable[Duty]) -> None:
        self._duties = tuple(duties)

    async def run(self) -> None:
        """Until cancelled."""
        loops = [asyncio.create_task(self._forever(duty)) for duty in self._duties]
        try:
            await asyncio.gather(*loops)
        finally:
            await end(loops)

    @staticmethod
    async def _forever(duty: Duty) -> None:
        """A loop that nothing ends: it backs off while the store is away, and from a bug too."""
        failures = 0
        while True:
            try:
                await duty.step()
                failures = 0
                await asyncio.sleep(duty.pace)
                continue
            except UnavailableError as error:
                if not failures:
                    log.warning("the store is away", duty=_named(duty), error=str(error))
            except Exception:
                log.exception("duty failed", duty=_named(duty))
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1


def _named(duty: Duty) -> str:
    """In the log."""
    return duty.name if isinstance(duty, Led) else type(duty).__name__
