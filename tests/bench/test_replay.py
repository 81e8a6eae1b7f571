import gzip
from pathlib import Path

import pytest

from bench.meters import percentiles
from bench.replay.__main__ import main
from bench.replay.lives import grouped, shrunk
from bench.replay.trace import DataError, densest, load


def write(path: Path, *lines: str) -> None:
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def test_the_densest_run_of_arrivals_is_chosen() -> None:
    """With its true spacing, from 0 on."""
    assert [0.0, 2.0, 3.0] == densest([0.0, 10.0, 50.0, 52.0, 53.0, 70.0], 3)


def test_more_orders_than_recorded_cannot_be_had() -> None:
    """The recording is not stretched."""
    with pytest.raises(DataError, match="there are 2 arrivals, not 3"):
        densest([0.0, 1.0], 3)


def test_a_trace_is_read_from_the_recordings(tmp_path: Path) -> None:
    """Arrivals keep their spacing; a trip too short for a delivery is left out."""
    arrivals = ["2015-02-14 02:00:00", "2015-02-14 02:00:07"]
    write(tmp_path / "order_arrivals.csv.gz", "created_at,store_id", *(f"{a},1" for a in arrivals))
    points = [f"-10.{i:02d},-37.5,1,2014-09-13 07:{i:02d}:10" for i in range(30)]
    short = ["-10.5,-37.5,2,2014-09-13 07:24:32"]
    write(tmp_path / "gps_trips.csv.gz", "latitude,longitude,track_id,time", *points, *short)

    traces = load(tmp_path, 2, seed=1)

    assert [0.0, 7.0] == [trace.at for trace in traces]
    assert {30} == {len(trace.trip) for trace in traces}
    assert (60.0, -10.01, -37.5) == traces[0].trip[1]


def test_absent_data_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says which file is wanted and how to say where it is."""
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(tmp_path)])

    assert "order_arrivals.csv.gz: No such file" in str(ended.value.code)
    assert "--data" in str(ended.value.code)


def test_fixes_close_together_go_as_one_message() -> None:
    """Each fix once, in order, and messages no closer than asked for."""
    trip = [(float(at), 0.0, 0.0) for at in (0, 5, 10, 15, 40)]

    assert [[0, 5, 10], [15], [40]] == [[p[0] for p in group] for group in grouped(trip, 15.0)]


def test_a_shrunk_trip_keeps_its_speed_on_the_ground() -> None:
    """A tenth of the time for a tenth of the way."""
    assert [(0.0, 10.0, 20.0), (100.0, 10.5, 19.0)] == shrunk(
        [(0.0, 10.0, 20.0), (100.0, 15.0, 10.0)], 10.0
    )


def test_percentiles_are_told_in_milliseconds() -> None:
    """Of values that were measured, and none of nothing."""
    found = percentiles([n / 1000 for n in range(1, 101)])

    assert {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0} == found
    assert {} == percentiles([])
