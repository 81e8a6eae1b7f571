"""docs/tutorial.md runs from its first block to its last, and shows what then comes out."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.test_processes import environment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```(?:json|text)\n(.*?)```)?", re.S)
BLOCKS = BLOCK.findall(TEXT)
MARK = "-- the next block --"
PATIENCE = 100


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(script: str, here: Path, data: Path) -> str:
    """What the script prints, in one session of bash. Nothing of it is left behind."""
    settings = environment(port=str(free_port()), data_dir=str(data))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-eu", "-c", script],
        cwd=here,
        env=settings | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as session:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                session.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGKILL)
        said, _ = session.communicate()
    assert 0 == session.returncode, said
    return said


def like(shown: str) -> re.Pattern[str]:
    """The output as it is shown; `…` stands for anything within a line."""
    return re.compile(".*".join(re.escape(part) for part in shown.split("…")))


def test_every_block_is_of_a_kind_that_is_run_or_compared() -> None:
    """None goes by unseen."""
    shown = sum(1 for _, output in BLOCKS if output)
    assert 2 * (len(BLOCKS) + shown) == len(re.findall("^```", TEXT, re.M))


@pytest.mark.timeout(120)
def test_the_whole_of_it(tmp_path: Path, short_dir: Path) -> None:
    """Installing is what this virtual environment has behind it: its target only has to be one."""
    (install, _), *rest = BLOCKS
    (target,) = re.findall(r"^make (\S+)$", install, re.M)
    subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
    said = run(f"\necho '{MARK}'\n".join(code for code, _ in rest), tmp_path, short_dir)
    outputs = said.split(f"{MARK}\n")
    assert len(rest) == len(outputs)
    for (code, shown), output in zip(rest, outputs, strict=True):
        assert not shown or like(shown).fullmatch(output), f"{code}\n{output}"
