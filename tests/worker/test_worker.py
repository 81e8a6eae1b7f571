"""The worker's loops, and which worker leads a duty."""

import asyncio

from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.leases import Leases
from hub.tasks import end
from hub.worker.worker import Led, Worker


class Steps:
    """A duty that raises `failures` before it succeeds."""

    pace = 0.001

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.done = asyncio.Event()
        self.count = 0

    async def step(self) -> None:
        if self.failures:
            raise self.failures.pop()
        self.count += 1
        self.done.set()


async def test_no_failure_ends_a_duty_or_another() -> None:
    steady, shaky = Steps(), Steps(UnavailableError("away"), ValueError("a bug"))
    running = asyncio.create_task(Worker([steady, shaky]).run())
    await asyncio.gather(steady.done.wait(), shaky.done.wait())
    await end([running])
    assert not shaky.failures


async def test_one_leads_until_its_lease_ends(connection: Connection) -> None:
    one, two = Leases(connection, "one"), Leases(connection, "two")
    assert await one.hold("audit", 10)
    assert await one.hold("audit", 10)
    assert not await two.hold("audit", 10)
    assert await two.hold("warehouse", 10)
    await connection.ask("DEL", "oc:lease:audit")
    assert await two.hold("audit", 10)


async def test_who_does_not_lead_does_nothing(connection: Connection) -> None:
    first, second = Steps(), Steps()
    await Led(first, Leases(connection, "one"), "audit").step()
    await Led(second, Leases(connection, "two"), "audit").step()
    assert [first.count, second.count] == [1, 0]
