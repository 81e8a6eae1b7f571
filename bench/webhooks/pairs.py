"""Two bridges that can be killed at a step, and a third that is loaded and waits for its turn."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from signal import SIGKILL

from bench.processes import SERVER_CORE, on_core
from bench.webhooks.tally import Call
from hub.demo.children import stop
from hub.store.embedded import die_with_parent

__all__ = ["Child", "Pair", "pair"]


class Child:
    """One process of bench.webhooks.child."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self._process = process
        self._at = ""

    async def ready(self) -> None:
        assert await self._line() == "ready"

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def kill(self, webhook_id: str) -> None:
        self._at = self._at or webhook_id
        self._process.kill()

    async def ended(self) -> str:
        """The webhook-id of the delivery at which it was killed, once it is dead."""
        told = await self._line()
        status = await self._process.wait()
        assert status == -SIGKILL, f"a bridge ended with {status}"
        return self._at or told

    async def stop(self) -> None:
        await stop(self._process)

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


class Pair:
    """`working` are two; `replace` puts the third in the place of a dead one."""

    def __init__(self, directory: Path) -> None:
        self.working: list[Child] = []
        self._directory = directory
        self._numbers = count(1)
        self._next: asyncio.Task[Child]

    async def start(self) -> None:
        for _ in range(2):
            self._next = asyncio.create_task(self._load())
            await self._join()

    async def replace(self, dead: Child) -> None:
        self.working.remove(dead)
        await self._join()

    def kill(self, name: str, call: Call) -> None:
        """It has sent this call."""
        for child in self.working:
            if child.name == name:
                child.kill(call.webhook_id)

    async def stop(self) -> None:
        waiting = await asyncio.gather(self._next, return_exceptions=True)
        spare = [each for each in waiting if isinstance(each, Child)]
        await asyncio.gather(*(each.stop() for each in (*self.working, *spare)))

    async def _join(self) -> None:
        child = await self._next
        child.say("go")
        self.working.append(child)
        self._next = asyncio.create_task(self._load())

    async def _load(self) -> Child:
        name = f"bridge-{next(self._numbers)}"
        module = "bench.webhooks.child"
        with (self._directory / "bridges.log").open("ab") as log, on_core(SERVER_CORE):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, str(self._directory), name),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        child = Child(name, process)
        await child.ready()
        return child


@contextlib.asynccontextmanager
async def pair(directory: Path) -> AsyncIterator[Pair]:
    made = Pair(directory)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
