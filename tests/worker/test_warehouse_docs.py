"""docs/warehouse.md says what is so, and its examples run."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from hub.core.warehouse import TABLES
from hub.eta.past import read
from hub.worker.lake import Table

TEXT = (Path(__file__).parents[2] / "docs" / "warehouse.md").read_text()

QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.S)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tables, each with a row that has its day only."""
    root = tmp_path_factory.mktemp("warehouse")
    with duckdb.connect() as database:
        for name, columns in TABLES.items():
            Table(str(root), name).append([{**dict.fromkeys(columns), "day": 20000}], {0: 1})
            told = DeltaTable(str(root / name)).to_pyarrow_dataset()
            database.register(name, told)
        yield database


@pytest.mark.parametrize("query", QUERIES)
def test_its_queries_run(
    query: str, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every column that they name is there."""
    monkeypatch.chdir(tmp_path)
    database.execute(query).fetchall()


def test_what_it_hands_to_eta_train_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row, with all the columns that are known."""
    monkeypatch.chdir(tmp_path)
    begun = 1_795_000_000_000_000
    row = {name: 7 if kind == "whole" else None for name, kind in TABLES["orders"].items()}
    told = {"created_at": begun, "ended_at": begun + 1_800_500_000, "restaurant_id": "res_1"}
    row |= {**told, "day": 20000, "status": "COMPLETED", "partner": "acme"}
    Table(str(tmp_path), "orders").append([row], {0: 1})
    (query,) = (each for each in QUERIES if "COPY" in each)
    with duckdb.connect() as database:
        database.register("orders", DeltaTable(str(tmp_path / "orders")).to_pyarrow_dataset())
        database.execute(query)
    past = read(tmp_path / "orders.csv")
    assert {} == past.dropped
    (order,) = past.orders
    assert (1800.5, "res_1", "acme") == (
        order.seconds,
        order.features.store,
        order.features.market,
    )
    assert 7 == order.features.least_price == order.features.items


def test_its_python_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, but for the folder."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    for name in ("events", "orders"):
        Table(str(tmp_path), name).positions()
    exec(code.replace("/data/warehouse", str(tmp_path)), {})
    assert "count_star()" in capsys.readouterr().out


@pytest.mark.parametrize("table", TABLES)
def test_it_names_all_columns(table: str) -> None:
    """In the order of the table."""
    section = TEXT.split(f"### {table}\n")[1].split("##")[0]
    named = [name for row in re.findall(r"^\| (`.*?) \|", section, re.M) for name in row.split(",")]
    assert list(TABLES[table]) == [name.strip(" `") for name in named]
