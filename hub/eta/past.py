"""Orders of the past, from a table with a row each: what train and evaluate read."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final, TextIO

from msgspec import Struct

from hub.errors import StartError
from hub.eta.estimator import SHORTEST
from hub.eta.features import Features
from hub.eta.forecast import LONGEST

__all__ = ["Past", "PastOrder", "orders_of", "read"]

Row = Mapping[str, Any]

_CREATED: Final = "created_at"
_ENDS: Final = ("actual_delivery_time", "delivery_time")
"""When it was delivered, or after how many seconds: one of the two is enough."""

_STORE: Final = "store_id"
_NAMES: Final = {
    "market": "market_id",
    "category": "store_primary_category",
    "protocol": "order_protocol",
}
_NUMBERS: Final = {
    "items": "total_items",
    "distinct_items": "num_distinct_items",
    "subtotal": "subtotal",
    "least_price": "min_item_price",
    "highest_price": "max_item_price",
    "on_duty": "total_onshift_dashers",
    "busy": "total_busy_dashers",
    "open_orders": "total_outstanding_orders",
    "place_seconds": "estimated_order_place_duration",
    "drive_seconds": "estimated_store_to_consumer_driving_duration",
}
_METRES: Final = "distance_m"
"""From the store to the door; a table may do without."""

_LONGEST_NAME: Final = 64
_MISSING: Final = {"", "na", "nan", "none", "null", "nat"}


class PastOrder(Struct, frozen=True):
    features: Features
    seconds: float
    """From placing to delivery."""

    @property
    def delivered_at(self) -> float:
        return self.features.created_at + self.seconds


class Past(Struct, frozen=True):
    """In the order of their placing, and how many rows were not taken, by reason."""

    orders: list[PastOrder]
    dropped: dict[str, int]


def read(path: Path) -> Past:
    """A .csv or .csv.gz. Raises StartError, naming the file, where that cannot be."""
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            _check(path, reader.fieldnames or ())
            return orders_of(reader)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StartError(f"{path}: {reason}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"{path}: no CSV in UTF-8: {error}") from None


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check(path: Path, columns: Iterable[str]) -> None:
    there = set(columns)
    missing = [
        name
        for name in (_CREATED, _STORE, *_NAMES.values(), *_NUMBERS.values())
        if name not in there
    ]
    if not there & set(_ENDS):
        missing.append(" or ".join(_ENDS))
    if missing:
        raise StartError(f"{path}: no column {', '.join(missing)}")


def orders_of(rows: Iterable[Row]) -> Past:
    """From any table's rows, with the columns named above; values may be texts, numbers, times
    or None.
    """
    orders: list[PastOrder] = []
    dropped: Counter[str] = Counter()
    for row in rows:
        found = _order(row)
        if isinstance(found, str):
            dropped[found] += 1
        else:
            orders.append(found)
    orders.sort(key=lambda order: order.features.created_at)
    return Past(orders, dict(dropped))


def _order(row: Row) -> PastOrder | str:
    """Or why it is not taken."""
    created = _time(row.get(_CREATED))
    store = _name(row.get(_STORE))
    if created is None:
        return "no created_at"
    if store is None:
        return "no store"
    seconds = _seconds(row, created)
    if seconds is None:
        return "no delivery time"
    if seconds < SHORTEST:
        return "under a minute"
    if seconds > LONGEST:
        return "over three hours"
    known: dict[str, Any] = {ours: _name(row.get(theirs)) for ours, theirs in _NAMES.items()}
    known |= {ours: _number(row.get(theirs)) for ours, theirs in _NUMBERS.items()}
    metres = _number(row.get(_METRES))
    return PastOrder(Features(created_at=created, store=store, metres=metres, **known), seconds)


def _seconds(row: Row, created: float) -> float | None:
    at, after = (row.get(name) for name in _ENDS)
    delivered = _time(at)
    return _number(after) if delivered is None else delivered - created


def _time(value: Any) -> float | None:
    """Unix seconds; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def _name(value: Any) -> str | None:
    """`3`, `3.0` and `"3.0"` are one name."""
    number = _number(value)
    if number is not None:
        return f"{number:.15g}"
    text = "" if value is None else str(value).strip()
    return None if text.lower() in _MISSING else text[:_LONGEST_NAME]
