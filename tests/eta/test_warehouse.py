"""Training from the warehouse's own table."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from hub.core.warehouse import TABLES
from hub.errors import StartError
from hub.eta import warehouse
from hub.eta.warehouse import read_warehouse

PLACED = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)


def ended(status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    """What training needs of a row of `orders`."""
    row = {
        "status": status,
        "created_at": PLACED,
        "ended_at": PLACED + timedelta(minutes=40),
        "restaurant_id": "res_1",
        "quantity": 3,
        "items": 2,
        "subtotal_cents": 4200,
        "least_price_cents": 800,
        "highest_price_cents": 1700,
        "distance_m": 1234.5,
    }
    return {**row, **changes}


def write(root: Path, *rows: dict[str, Any]) -> str:
    write_deltalake(str(root / "orders"), pa.Table.from_pylist(list(rows)))
    return str(root)


def test_delivered_orders_are_learned_from(tmp_path: Path) -> None:
    """Others are left out, and what is not known stays unknown."""
    rows = [ended(), ended("CANCELLED"), ended(created_at=PLACED + timedelta(1), distance_m=None)]
    past = read_warehouse(write(tmp_path, *rows))
    assert [order.seconds for order in past.orders] == [2400.0]
    (order,) = past.orders
    features = order.features
    assert (features.created_at, features.store) == (PLACED.timestamp(), "res_1")
    assert (features.items, features.distinct_items, features.subtotal) == (3.0, 2.0, 4200.0)
    assert (features.least_price, features.highest_price) == (800.0, 1700.0)
    assert features.metres == 1234.5
    assert past.dropped == {"under a minute": 1}


def test_of_many_orders_the_last_are_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they are in the table."""
    monkeypatch.setattr(warehouse, "LATEST", 2)
    moments = [PLACED + timedelta(hours=hours) for hours in (2, 0, 3, 1)]
    rows = [ended(created_at=at, ended_at=at + timedelta(minutes=40)) for at in moments]
    placed = [each.features.created_at for each in read_warehouse(write(tmp_path, *rows)).orders]
    assert placed == [moments[0].timestamp(), moments[2].timestamp()]


def test_the_columns_are_the_warehouses() -> None:
    assert set(ended()) <= set(TABLES["orders"])


def test_no_warehouse_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=str(tmp_path)):
        read_warehouse(str(tmp_path))
