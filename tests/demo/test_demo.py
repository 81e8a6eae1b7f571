import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

QUICK = ("--orders-per-minute", "120", "--minutes", "0.05", "--speed", "2")


def start(data_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ORDERCAST_")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "demo", "--data-dir", str(data_dir), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_a_short_demo_keeps_every_promise(short_dir: Path) -> None:
    """Real processes, real sockets: exit status 0 and one JSON object that says what was proved."""
    output, told = start(short_dir, *QUICK, "--json").communicate(timeout=55)
    summary: dict[str, Any] = json.loads(output)

    assert [] == [promise for promise in summary["promises"] if not promise["kept"]]
    assert (True, False, []) == (summary["kept"], summary["interrupted"], summary["failures"])
    assert 6 == summary["orders"]["placed"]
    assert summary["events"]["stored"] == summary["events"]["seen"] + summary["events"]["covered"]
    assert summary["webhooks"]["delivered"] > 0
    assert summary["lagMs"]["p99"] is not None
    assert "curl -NL http://127.0.0.1:" in told
    assert not (short_dir / "demo" / "valkey.sock").exists()
    assert 0o600 == stat.S_IMODE((short_dir / "secret").stat().st_mode)
    assert (short_dir / "secret").read_text() == (short_dir / "demo" / "secret").read_text()


def test_ctrl_c_ends_a_demo_early_with_its_summary(short_dir: Path) -> None:
    """What was seen until then is held against the store all the same."""
    process = start(short_dir, "--orders-per-minute", "120", "--minutes", "5")
    assert process.stdout is not None
    head = [process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=40)

    assert "two hubs" in head[0]
    assert 0 == process.returncode
    assert "; ended early" in rest
    assert "BROKEN" not in rest


@pytest.mark.parametrize("wrong", ["--orders-per-minute=0", "--minutes=-1", "--speed=9"])
def test_a_wrong_flag_is_refused(short_dir: Path, wrong: str) -> None:
    """Before anything is started."""
    process = start(short_dir, wrong)
    process.communicate(timeout=20)

    assert 2 == process.returncode
    assert not (short_dir / "demo").exists()


def test_two_demos_do_not_share_a_directory(short_dir: Path) -> None:
    """The second one is told so, and leaves the first one's store alone."""
    first = start(short_dir, "--orders-per-minute", "60", "--minutes", "5")
    assert first.stdout is not None
    assert "two hubs" in first.stdout.readline()
    second = start(short_dir)
    _, told = second.communicate(timeout=20)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=40)

    assert 3 == second.returncode
    assert "another demo runs" in told
    assert 0 == first.returncode
