"""Sockets that are held open by processes of their own, since one may open 20,000 files.

`python -m bench.holders` is such a process: it gets its dials on standard input, says `open` when
all are, and on a line from us how many were lost since.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Final

import uvloop

from bench.generator import open_all, raise_file_limit
from bench.processes import GENERATOR_CORE, on_core
from bench.target import Dial
from hub.store.embedded import die_with_parent

__all__ = ["Holders"]

_EACH: Final = 15_000


class Holders:
    """Open the dials in turn, 15,000 by a process. Leave by `lost`."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers = dict(answers)
        self._processes: list[Process] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    async def open(self, dials: Sequence[Dial]) -> None:
        """Raises RuntimeError if one does not open."""
        for start in range(0, len(dials), _EACH):
            with on_core(GENERATOR_CORE):
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bench.holders"),
                    stdin=PIPE,
                    stdout=PIPE,
                    preexec_fn=die_with_parent,
                )
            self._processes.append(process)
            work = pickle.dumps((list(dials[start : start + _EACH]), self._answers))
            assert process.stdin is not None
            process.stdin.write(len(work).to_bytes(8, "big") + work)
            if await self._line(process) != b"open\n":
                raise RuntimeError("sockets did not open")

    async def lost(self) -> int:
        """How many were lost since they were opened. The others are closed."""
        number = 0
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            number += int(await self._line(process))
            await process.wait()
        return number

    @staticmethod
    async def _line(process: Process) -> bytes:
        assert process.stdout is not None
        return await process.stdout.readline()


async def _hold() -> None:
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    dials, answers = pickle.loads(sys.stdin.buffer.read(size))
    lines = await open_all([(dial, _ignored) for dial in dials], answers)
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.readline)
    print(sum(line.lost for line in lines), flush=True)
    for line in lines:
        line.close()


def _ignored(payload: bytes) -> None:
    """Nothing is to come."""


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(_hold())
