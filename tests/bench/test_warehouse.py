"""That the warehouse's bench runs, and finds each row once after a kill of each kind."""

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(240)
def test_every_row_is_there_once_after_kills() -> None:
    """Of workers at each step and at any time, and of the store."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.warehouse", "--kills", "5", "--orders", "20"],
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert 0 == ended.returncode, ended.stderr
    found = json.loads(ended.stdout)
    assert dict.fromkeys(("made", "written", "kept", "any", "store"), 1) == found["kills"]["kills"]
    assert {"events": 100, "orders": 20} == found["rate"]["rows"]
