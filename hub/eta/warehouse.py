"""Past orders from the warehouse's table `orders` (docs/warehouse.md)."""

from typing import Any, Final

from hub.errors import StartError
from hub.eta.past import Past, orders_of
from hub.eta.training import LATEST

__all__ = ["read_warehouse"]

_COLUMNS: Final = {
    "created_at": "created_at",
    "ended_at": "actual_delivery_time",
    "restaurant_id": "store_id",
    "quantity": "total_items",
    "items": "num_distinct_items",
    "subtotal_cents": "subtotal",
    "least_price_cents": "min_item_price",
    "highest_price_cents": "max_item_price",
    "distance_m": "distance_m",
}
"""Ours, and by which name `hub.eta.past` reads it."""


def read_warehouse(root: str) -> Past:
    """The last delivered orders, `LATEST` at most, below a folder, or a URL that deltalake takes.

    Raises StartError where there is no such table, or no extra to read it with.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise StartError(f"{root}: to read it takes pip install 'ordercast[warehouse]'") from None
    try:
        table = DeltaTable(f"{root.rstrip('/')}/orders").to_pyarrow_table(
            columns=list(_COLUMNS), filters=[("status", "=", "COMPLETED")]
        )
    except (DeltaError, OSError) as error:
        raise StartError(f"{root}: {str(error).partition(chr(10))[0]}") from None
    latest = table.sort_by("ended_at").slice(max(0, len(table) - LATEST))
    return orders_of(map(_row, latest.to_pylist()))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {_COLUMNS[name]: value for name, value in row.items()}
