"""What is made of a file of past orders, good rows and bad."""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.errors import StartError
from hub.eta.past import orders_of, read
from tests.eta.making import START, row, town

GOOD = row(town(0.1)[0])


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_a_file_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    """Packed or not; in the order of placing, whatever the file's."""
    orders = town(0.3)
    past = read(written(tmp_path / name, [row(order) for order in reversed(orders)]))
    assert past.dropped == {}
    assert len(past.orders) == len(orders)
    first, made = past.orders[0].features, orders[0].features
    assert (first.store, first.market, first.category) == (made.store, made.market, made.category)
    assert (first.on_duty, first.items) == (made.on_duty, made.items)
    assert abs(past.orders[0].seconds - orders[0].seconds) <= 1.0
    times = [order.features.created_at for order in past.orders]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created_at": ""}, "no created_at"),
        ({"created_at": "yesterday"}, "no created_at"),
        ({"store_id": ""}, "no store"),
        ({"actual_delivery_time": "", "delivery_time": ""}, "no delivery time"),
        ({"actual_delivery_time": "NaT", "delivery_time": "nan"}, "no delivery time"),
        ({"actual_delivery_time": "2014-01-01 00:00:00"}, "under a minute"),
        ({"actual_delivery_time": "2016-01-01 00:00:00"}, "over three hours"),
    ],
)
def test_a_row_that_tells_no_delivery_is_counted(changes: dict[str, str], reason: str) -> None:
    past = orders_of([{**GOOD, **changes}, GOOD])
    assert past.dropped == {reason: 1}
    assert len(past.orders) == 1


@pytest.mark.parametrize("value", ["", "NaN", "inf", "-3", "many", None])
def test_a_bad_number_does_not_cost_the_row(value: str | None) -> None:
    past = orders_of([{**GOOD, "total_onshift_dashers": value, "subtotal": value}])
    assert past.dropped == {}
    assert past.orders[0].features.on_duty in (None, -3.0)


def test_either_label_is_enough() -> None:
    by_time = orders_of([{**GOOD, "delivery_time": ""}]).orders[0]
    by_seconds = orders_of([{**GOOD, "actual_delivery_time": ""}]).orders[0]
    assert abs(by_time.seconds - by_seconds.seconds) <= 1.0


def test_names_are_the_same_however_they_are_written() -> None:
    past = orders_of([{**GOOD, "store_id": text} for text in ("7", "7.0", " 7 ")])
    assert {order.features.store for order in past.orders} == {"7"}
    assert orders_of([{**GOOD, "market_id": "nan"}]).orders[0].features.market is None


def test_rows_of_a_table_may_hold_values_of_its_types() -> None:
    at = datetime.fromtimestamp(START, UTC)
    row = {"created_at": at, "store_id": 7, "delivery_time": 2_400, "total_items": 3}
    order = orders_of([row]).orders[0]
    assert (order.features.created_at, order.features.store) == (START, "7")
    assert (order.seconds, order.features.items, order.features.subtotal) == (2_400.0, 3.0, None)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    rows = [{name: value for name, value in GOOD.items() if name not in ("store_id", "subtotal")}]
    with pytest.raises(StartError, match=r"no column store_id, subtotal$"):
        read(written(tmp_path / "a.csv", rows))


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    gone = ("delivery_time", "actual_delivery_time")
    rows = [{name: value for name, value in GOOD.items() if name not in gone}]
    with pytest.raises(StartError, match="no column actual_delivery_time or delivery_time"):
        read(written(tmp_path / "a.csv", rows))


@pytest.mark.parametrize("content", [b"\x1f\x8b not gzip", b"", b"\xff\xfe\x00"])
def test_what_is_no_such_file_is_said(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.csv.gz"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(StartError, match=r"a\.csv"):
            read(path)
    with pytest.raises(StartError, match="No such file"):
        read(tmp_path / "nothing.csv")
