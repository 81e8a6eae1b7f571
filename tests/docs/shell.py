"""The blocks of a page, run as a person would paste them: in one session of bash."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hub.test_processes import environment

__all__ = ["BLOCK", "ROOT", "free_port", "like", "outputs", "run"]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```(?:json|text)\n(.*?)```)?", re.S)
"""What is typed, and what then comes out, where that is shown."""

_MARK = "-- the next block --"
_PATIENCE = 100


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(script: str, here: Path, **settings: str) -> str:
    """What the script prints. Nothing of it is left behind."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryFile("w+") as printed:
        session = subprocess.Popen(
            ["bash", "-eu", "-c", script],
            cwd=here,
            env=environment(**settings) | {"PATH": path, "PYTHONPATH": str(ROOT)},
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                session.wait(_PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGKILL)
            session.wait()
        printed.seek(0)
        said = printed.read()
    assert 0 == session.returncode, said[-10_000:]
    return said


def outputs(blocks: list[str], here: Path, **settings: str) -> list[str]:
    """What each block prints, one after the other in the same session."""
    said = run(f"\necho '{_MARK}'\n".join(blocks), here, **settings)
    parts = said.split(f"{_MARK}\n")
    assert len(blocks) == len(parts)
    return parts


def like(shown: str) -> re.Pattern[str]:
    """The output as it is shown; `…` stands for anything within a line."""
    return re.compile(".*".join(re.escape(part) for part in shown.split("…")))
