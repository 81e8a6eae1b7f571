"""The warehouse's tables, by Delta Lake (delta.io): appended to exactly once.

A table keeps, in the same commit as the rows, how far it has come in each partition of its
stream: as Delta's own application transactions, `p000` to `p127`. A commit fails where another one
since our reading has moved any of the same, so whoever writes, and how many do, each entry is in
the table once.

All of this blocks: call it from a thread. What goes wrong is raised as LakeError.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from hub.core.warehouse import TABLES, Row
from hub.errors import StartError
from hub.store.keys import PARTITIONS

if TYPE_CHECKING:  # an extra, and too slow to import for those who need none of it
    import pyarrow as pa
    from deltalake import DeltaTable

__all__ = ["LakeError", "OutrunError", "Table", "check_extra"]

_CONFIGURATION: Final = {
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}
_PIECE: Final = 1000
"""Rows that Arrow is given at a time: meanwhile no other thread runs, deadlines' neither."""

_EPOCH: Final = date(1970, 1, 1)

_TIDIED: Final = "tidied"
"""The application transaction by which a day's compaction is claimed."""

_PACKAGES: Final = ("deltalake", "pyarrow")


class LakeError(Exception):
    """The warehouse cannot be reached or written; nothing was committed, or all of it."""


class OutrunError(LakeError):
    """Another worker has written what we were about to."""


def check_extra() -> None:
    """Raises StartError where what the warehouse is written with is not installed."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise StartError(
            f"ORDERCAST_WAREHOUSE: needs {' and '.join(missing)}; "
            "pip install 'ordercast[warehouse]'"
        )


class Table:
    """One of `TABLES`, in the folder of its name below `root`: a path, or a URL that deltalake
    takes.
    """

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        self._uri = f"{root.rstrip('/')}/{name}"
        self._open: DeltaTable | None = None

    def positions(self) -> dict[int, int]:
        """How far the table has come in each partition, now; 0 where it has not begun."""
        with _mapped():
            table = self._table()
            table.update_incremental()
            return {each: table.transaction_version(_app(each)) or 0 for each in range(PARTITIONS)}

    def append(self, rows: Sequence[Row], positions: Mapping[int, int]) -> None:
        """Add rows, and with them how far they bring us. Raises OutrunError where another worker
        has gone further since `positions` was asked for: then nothing is added.
        """
        with _mapped():
            self._commit(rows, {_app(each): position for each, position in positions.items()})

    def change(self, where: str, values: Mapping[str, str]) -> int:
        """Set columns to SQL expressions in the rows that fit; answers how many did."""
        with _mapped():
            table = self._table()
            table.update_incremental()
            return int(table.update(dict(values), predicate=where)["num_updated_rows"])

    def find(self, where: Sequence[tuple[str, str, str]], column: str) -> list[Any]:
        """One column of the rows that fit."""
        with _mapped():
            table = self._table()
            table.update_incremental()
            found = table.to_pyarrow_table(columns=[column], filters=list(where))
            return list(found.column(column).to_pylist())

    def expire(self, day: int) -> int:
        """Take out all days before this one (since 1970), each with its files; answers how many
        rows they had. Readers of an older version have the files for another week: see `tidy`.
        """
        first = (_EPOCH + timedelta(days=day)).isoformat()
        with _mapped():
            table = self._table()
            table.update_incremental()
            return int(table.delete(f"day < DATE '{first}'")["num_deleted_rows"])

    def tidy(self, day: int) -> None:
        """Few large files in the place of many small ones, and gone what nobody reads any more;
        once in each `day` (since 1970), whoever asks.

        Two compactions beside each other would leave every row there twice: deltalake (1.6) checks
        none against the other, and leaves out what `CommitProperties` say. So the day is claimed
        first, by a commit that only one can make. A worker that dies then leaves that day's undone.
        """
        with _mapped():
            table = self._table()
            table.update_incremental()
            if (table.transaction_version(_TIDIED) or 0) >= day:
                return
            self._commit([], {_TIDIED: day})
            table.optimize.compact()
            table.vacuum(dry_run=False)

    def _commit(self, rows: Sequence[Row], reached: Mapping[str, int]) -> None:
        from deltalake import CommitProperties, Transaction, write_deltalake

        transactions = [Transaction(app, version) for app, version in reached.items()]
        write_deltalake(
            self._table(),
            self._arrow(rows),
            mode="append",
            commit_properties=CommitProperties(app_transactions=transactions),
        )

    def _table(self) -> "DeltaTable":
        from deltalake import DeltaTable

        if self._open is None:
            self._open = DeltaTable.create(
                self._uri,
                schema=_schema(self.name),
                name=self.name,
                partition_by=["day"],
                configuration=_CONFIGURATION,
                mode="ignore",
            )
        return self._open

    def _arrow(self, rows: Sequence[Row]) -> "pa.Table":
        import pyarrow as pa

        schema = _schema(self.name)

        def piece(some: Sequence[Row]) -> pa.Table:
            columns = {name: [row[name] for row in some] for name in schema.names}
            return pa.Table.from_pydict(columns, schema=schema)

        starts = range(0, max(1, len(rows)), _PIECE)
        return pa.concat_tables(piece(rows[start : start + _PIECE]) for start in starts)


def _app(partition: int) -> str:
    return f"p{partition:03d}"


def _schema(name: str) -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "time": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
    }
    columns = TABLES[name].items()
    return pa.schema([pa.field(column, kinds[kind], column != "day") for column, kind in columns])


@contextmanager
def _mapped() -> Iterator[None]:
    """deltalake's errors, and Arrow's, turned into ours."""
    from deltalake.exceptions import CommitFailedError, DeltaError
    from pyarrow import ArrowException

    try:
        yield
    except CommitFailedError as error:
        raise OutrunError(_first_line(error)) from error
    except (DeltaError, ArrowException, OSError) as error:
        raise LakeError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
