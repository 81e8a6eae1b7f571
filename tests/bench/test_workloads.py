"""How the bench finds a limit, what it counts, and that it runs at all."""

import json
import re
import subprocess
import sys
from math import inf
from typing import Any, cast

import pytest

from bench.generator import age, stamp
from bench.relay import Relay
from bench.report import filled
from bench.stops import quantile_bound
from bench.workloads.orders import best, passed, search


class Made:
    """A relay whose servers take so many messages a second."""

    lost = 0

    def __init__(self, limit: float) -> None:
        self.limit = limit

    async def load(self, rate: float, seconds: float) -> dict[str, Any]:
        late = 20.0 if rate <= self.limit else 900.0
        return {
            "rate": rate,
            "sent": rate * seconds,
            "lost": 0,
            "socketsLost": 0,
            "deliveriesPerSecond": min(rate, self.limit),
            "ms": {"p99": late},
        }


@pytest.mark.parametrize("limit", [4_000, 23_000, 64_000, 100_001])
async def test_the_limit_is_found_to_an_eighth(limit: float) -> None:
    """By doubling, then by halving the gap three times."""
    steps = await search(cast("Relay", Made(limit)), 1.0, 4_000)
    found = best(steps)
    assert found is not None
    assert limit * 7 / 8 <= found["rate"] <= limit


async def test_who_passes_nothing_has_no_best() -> None:
    """The first step is the last."""
    steps = await search(cast("Relay", Made(10)), 1.0, 4_000)
    assert 1 == len(steps)
    assert best(steps) is None


@pytest.mark.parametrize(
    "fault", [{"lost": 1}, {"socketsLost": 1}, {"ms": {"p99": 100.0}}, {"ms": {}}, {"sent": 3_800}]
)
def test_a_step_fails(fault: dict[str, Any]) -> None:
    """By a lost message or socket, by lag, or because the generator was too slow."""
    sound = {"rate": 4_000, "sent": 4_000, "lost": 0, "socketsLost": 0, "ms": {"p99": 9.0}}
    assert passed(sound, 1.0)
    assert not passed({**sound, **fault}, 1.0)


def test_a_stamp_tells_its_age() -> None:
    """Wherever it stands in the message; a message without one has none."""
    for after in ("}", ',"speed":1}'):
        seconds = age(f'{{"heading":{stamp()}{after}'.encode())
        assert seconds is not None
        assert 0 <= seconds < 10
    assert age(b'{"type":"ack"}') is None


def test_a_quantile_is_told_by_its_bucket() -> None:
    """The smallest bound that enough values are under; none if that is no bound."""
    buckets = {0.001: 90.0, 0.01: 99.0, inf: 100.0}
    assert [1.0, 10.0, None] == [quantile_bound(buckets, each) for each in (0.9, 0.99, 0.999)]


def test_a_table_takes_its_place() -> None:
    """What stood there before is gone, what stands around it stays."""
    page = "before\n<!-- a -->\nold\n<!-- end -->\nbetween\n<!-- b -->\n<!-- end -->\n"
    once = filled(page, {"a": "new", "b": "other"})
    assert "before\n<!-- a -->\n\nnew\n\n<!-- end -->\nbetween" in once
    assert "<!-- b -->\n\nother\n\n<!-- end -->\n" in once
    assert once == filled(once, {"a": "new", "b": "other"})


@pytest.mark.parametrize("workload", ["orders", "connect", "change", "idle"])
def test_it_runs(workload: str) -> None:
    """Small, on real hubs: nothing is lost, and the CPU of every part is told."""
    sizes = ("--orders", "40", "--sockets", "40", "--seconds", "0.2", "--hold", "0.1")
    command = (sys.executable, "-m", "bench", workload, "--rounds", "1", "--json", *sizes)
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    (result,) = json.loads(done.stdout)["results"]
    told = result.get("quiet") or result.get("fresh") or result
    (cost,) = [value for name, value in told.items() if re.match("cpu.*Per[A-Z][a-z]+$", name)]
    assert {"hubA", "hubB", "store", "all"} == set(cost)
    assert not told.get("lost")
