"""The worker's loops, and which worker leads a duty."""

import asyncio

import pytest
from structlog.testing import capture_logs

from hub.errors import UnavailableError
from hub.store.connection import Connection
from hub.store.leases import Leases
from hub.tasks import end
from hub.worker import worker
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


async def test_the_log_names_a_led_duty(connection: Connection) -> None:
    """By what it does, not by how."""
    shaky = Steps(ValueError("a bug"), UnavailableError("away"))
    with capture_logs() as told:
        running = asyncio.create_task(Worker([Led(shaky, Leases(connection, "one"), "eta")]).run())
        await shaky.done.wait()
        await end([running])
    assert [each["duty"] for each in told] == ["eta", "eta"]


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


class Long:
    """A step that ends when it is told to."""

    pace = 1.0

    def __init__(self) -> None:
        self.began, self.over = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def step(self) -> None:
        self.began.set()
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class Watched(Leases):
    """Counts how often a lease was asked for, and can be cut off from the store."""

    def __init__(self, connection: Connection, holder: str) -> None:
        super().__init__(connection, holder)
        self.away = False
        self.asked = 0
        self.often = asyncio.Event()
        """Long after a lease would have ended that nobody renewed."""

    async def hold(self, duty: str, seconds: float) -> bool:
        self.asked += 1
        if self.asked >= 10:
            self.often.set()
        if self.away:
            raise UnavailableError("away")
        return await super().hold(duty, seconds)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_LEASE", 0.3)


@pytest.mark.usefixtures("_quick")
async def test_a_lease_is_kept_while_a_step_lasts(connection: Connection) -> None:
    duty, leases = Long(), Watched(connection, "one")
    step = asyncio.create_task(Led(duty, leases, "eta").step())
    await leases.often.wait()
    assert not await Leases(connection, "two").hold("eta", 10)
    duty.over.set()
    await step
    assert not duty.cancelled


@pytest.mark.usefixtures("_quick")
async def test_a_step_ends_with_its_lease(connection: Connection) -> None:
    """As another worker has it."""
    duty = Long()
    step = asyncio.create_task(Led(duty, Leases(connection, "one"), "eta").step())
    await duty.began.wait()
    await connection.ask("SET", "oc:lease:eta", "two")
    await step
    assert duty.cancelled


@pytest.mark.usefixtures("_quick")
async def test_a_step_goes_on_while_the_store_is_away_but_not_for_ever(
    connection: Connection,
) -> None:
    """Until the lease has ended that it had last."""
    duty, leases = Long(), Watched(connection, "one")
    step = asyncio.create_task(Led(duty, leases, "eta").step())
    await duty.began.wait()
    leases.away = True
    await step
    assert duty.cancelled
    assert leases.asked > 3


async def test_what_a_step_raises_is_raised(connection: Connection) -> None:
    with pytest.raises(ValueError, match="a bug"):
        await Led(Steps(ValueError("a bug")), Leases(connection, "one"), "eta").step()
