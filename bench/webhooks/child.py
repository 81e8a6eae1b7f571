"""A bridge that ends itself by SIGKILL at a chosen step of a delivery.

`python -m bench.webhooks.child DIRECTORY NAME` prints `ready` when all is loaded and starts to
work when it reads `go`. A line `STEP N` has it killed when it comes to that step for the Nth time
from then on. Before, it prints the webhook-id of the delivery at which it happens; at `sent` it
marks the request instead, and who reads that is to kill it.

Its lease and its timeouts are short, and it hears sooner of the death of another than bridges
do: what would take a quarter of a minute takes a second.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from bench.webhooks.receiver import END, LOOPBACK
from hub.bridge import bridge, members
from hub.bridge.addresses import AddressGuard
from hub.bridge.attempts import Attempts, Pace
from hub.bridge.bridge import Bridge
from hub.bridge.sender import Sender, Timeouts
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.lanes import Claim, Lanes, Settlement, State

__all__ = ["STEPS", "main"]

STEPS: Final = ("claimed", "sent", "answered", "recorded")
"""It has claimed the delivery; the partner's server has read the request, and not answered; the
bridge has the answer, and has not settled; it has settled just now.
"""

_LEASE: Final = 1.0
_TIMEOUTS: Final = Timeouts(connect=0.3, total=0.5)
_PACE: Final = Pace(scale=0.02)
_QUICK: Final[tuple[tuple[Any, str, float], ...]] = (
    (members, "SILENCE", 0.8),
    (bridge, "BEAT", 0.2),
    (bridge, "_SWEEP", 0.2),
    (bridge, "_BLOCK", 0.2),
)


class _Fate:
    """Nothing happens until it is told when."""

    def __init__(self) -> None:
        self._step = ""
        self._left = 0

    def told(self, line: str) -> None:
        self._step, left = line.split()
        self._left = int(left)

    def comes(self, step: str) -> bool:
        """Whether it is to end here; asked again, it is to end all the more."""
        if step != self._step:
            return False
        self._left -= 1
        return self._left <= 0

    def meet(self, step: str, webhook_id: str) -> None:
        if self.comes(step):
            os.write(sys.stdout.fileno(), f"{webhook_id}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _watch_claims(fate: _Fate) -> None:
    make = Attempts.make

    async def made(self: Attempts, claim: Claim, begin_by: float) -> Settlement:
        fate.meet("claimed", claim.delivery_id)
        return await make(self, claim, begin_by)

    _put(Attempts, "make", made)


def _watch_requests(fate: _Fate, name: str) -> None:
    send = Sender.send

    async def sent(self: Sender, url: str, body: bytes, headers: dict[str, str]) -> Any:
        marked = headers | {END: name} if fate.comes("sent") else headers
        reply = await send(self, url, body, marked)
        if reply.status == 202:
            fate.meet("answered", headers["webhook-id"])
        return reply

    _put(Sender, "send", sent)


def _watch_records(fate: _Fate) -> None:
    settle = Lanes.settle

    async def settled(self: Lanes, claim: Claim, settlement: Settlement) -> Any:
        wait = await settle(self, claim, settlement)
        if settlement.state is State.DELIVERED:
            fate.meet("recorded", claim.delivery_id)
        return wait

    _put(Lanes, "settle", settled)


def _put(owner: Any, name: str, value: Any) -> None:
    assert hasattr(owner, name), f"{owner.__name__} has no {name} any more"
    setattr(owner, name, value)


async def _work(directory: Path, name: str, lines: Callable[[], str]) -> None:
    fate = _Fate()
    _watch_claims(fate)
    _watch_requests(fate, name)
    _watch_records(fate)
    connection = Connection(EmbeddedStore(directory).url)
    running = Bridge(
        connection,
        guard=AddressGuard(LOOPBACK),
        name=name,
        lease=_LEASE,
        timeouts=_TIMEOUTS,
        pace=_PACE,
    )
    work = asyncio.create_task(running.run())
    while line := await asyncio.to_thread(lines):
        fate.told(line)
    await running.stop()
    await work
    await connection.close()


def main() -> None:
    directory, name = sys.argv[1:]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    for owner, constant, seconds in _QUICK:
        _put(owner, constant, seconds)
    print("ready", flush=True)
    if sys.stdin.readline():
        uvloop.run(_work(Path(directory), name, sys.stdin.readline))


if __name__ == "__main__":
    main()
