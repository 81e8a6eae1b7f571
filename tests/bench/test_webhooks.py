"""What the webhooks' bench counts, and that it runs at all. Its kills are in tests/bridge."""

import json
import subprocess
import sys

import pytest

from bench.webhooks.tally import Call, Tally


def call(seq: int, body: bytes = b"{}", path: str = "/hook") -> Call:
    return Call(path, "ord_1", seq, f"msg_ord_1_{seq}_{path}", body)


def told(*calls: Call, first: dict[str, int] | None = None) -> dict[str, int]:
    """Counts of calls of which each was accepted."""
    tally = Tally(first)
    for each in calls:
        tally.hear(each)
        tally.accept(each)
    return {name: number for name, number in tally.counts().items() if number}


def test_a_lane_in_order() -> None:
    """Every path has lanes of its own, and may begin later."""
    calls = [call(1), call(2), call(2, path="/orders"), call(3), call(3, path="/orders")]
    assert {"accepted": 5} == told(*calls, first={"/orders": 2})


def test_what_comes_again() -> None:
    """The same is no fault; another body is; an older one came late."""
    assert {"accepted": 1, "duplicates": 1} == told(call(1), call(1))
    assert {"accepted": 1, "duplicates": 1, "otherIdOrBody": 1} == told(call(1), call(1, b"[]"))
    assert {"accepted": 2, "duplicates": 1, "lateDuplicates": 1} == told(call(1), call(2), call(1))


def test_what_comes_before_its_turn() -> None:
    """Also if the one before it was sent, but not accepted."""
    assert {"accepted": 1, "outOfOrder": 1} == told(call(2))
    tally = Tally()
    tally.hear(call(1))
    tally.hear(call(2))
    assert tally.out_of_order == 1


@pytest.mark.parametrize("part", ["throughput", "latency"])
def test_it_runs(part: str) -> None:
    """Small, on real processes: nothing is lost, and the CPU of every part is told."""
    sizes = {"orders": 50, "rounds": 1, "seconds": 0.2}
    flags = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    command = (sys.executable, "-m", "bench.webhooks", part, "--json", *flags)
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    report = json.loads(done.stdout)
    assert report["workload"] == f"webhooks-{part}"
    assert {"what", "musts", "machine", "method"} <= report.keys()
    for each in report["results"]:
        assert {"bridge", "store", "all"} <= each["cpuMicrosecondsPerDelivery"].keys()
        assert (each["lost"], each["outOfOrder"]) == (0, 0)
    musts = report["musts"].values()
    assert done.returncode == (not all(must["holds"] for must in musts))
