"""The audit's bench runs, and finds every kind of tampering."""

import json
import subprocess
import sys
from pathlib import Path

from bench.audit.kinds import KINDS


def test_it_runs(tmp_path: Path) -> None:
    """Small: all that is tampered with is found, and nothing else."""
    out = tmp_path / "audit.json"
    sizes = {"orders": 8, "tamperings": len(KINDS), "events": 140, "leaves": 3000}
    flags = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    command = (sys.executable, "-m", "bench.audit", "--json", "--out", str(out), *flags)
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    report = json.loads(done.stdout)
    assert json.loads(out.read_text()) == report
    tampering = report["tampering"]
    assert tampering["found"] == tampering["tamperings"] >= 15
    assert (tampering["missed"], tampering["falseAlarms"]) == ([], 0)
    assert set(tampering["foundBy"]) == {kind.__name__ for kind in KINDS}
    assert {"workerMicrosecondsPerEvent", "storeBytesPerEvent"} <= report["extension"].keys()
    assert report["large"]["hashesPerEvent"] == 12
