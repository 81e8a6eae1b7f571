"""Made-up orders: a town whose evenings are slow, with stores of their own pace."""

from datetime import UTC, datetime
from random import Random

from hub.eta.features import Features
from hub.eta.past import PastOrder

START = 1_420_070_400.0  # 2015-01-01, a midnight
DAY = 86_400.0


def features(at: float = START, **changes: object) -> Features:
    known: dict[str, object] = {
        "created_at": at,
        "store": "s1",
        "market": "1",
        "category": "pizza",
        "items": 2.0,
        "subtotal": 2_400.0,
        "on_duty": 20.0,
        "busy": 15.0,
        "open_orders": 24.0,
        "drive_seconds": 500.0,
    }
    return Features(**{**known, **changes})  # type: ignore[arg-type]


def town(days: float, per_day: int = 300, seed: int = 1) -> list[PastOrder]:
    """In the order of their placing. Longer under load, and by lognormal chance."""
    chance = Random(seed)
    times = sorted(START + chance.random() * days * DAY for _ in range(int(days * per_day)))
    return [_order(at, chance) for at in times]


def _order(at: float, chance: Random) -> PastOrder:
    store = chance.randrange(20)
    evening = 0.5 if at % DAY > 0.7 * DAY else 0.0
    load = chance.uniform(0.5, 2.0) + evening
    mean = 2_100.0 * (1.0 + 0.3 * load) * (0.8 + 0.02 * store)
    placed = features(
        at,
        store=f"s{store}",
        market=str(store % 3),
        on_duty=20.0,
        open_orders=20.0 * load,
        items=float(chance.randrange(1, 6)),
    )
    return PastOrder(placed, min(mean * chance.lognormvariate(0.0, 0.2), 10_000.0))


def row(order: PastOrder) -> dict[str, str]:
    """As a row of the file that `ordercast eta` reads."""
    made = order.features

    def clock(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")

    return {
        "market_id": f"{made.market}.0",
        "created_at": clock(made.created_at),
        "actual_delivery_time": clock(order.delivered_at),
        "store_id": made.store,
        "store_primary_category": str(made.category),
        "order_protocol": "1.0",
        "total_items": f"{made.items:g}",
        "subtotal": f"{made.subtotal:g}",
        "num_distinct_items": "2",
        "min_item_price": "600",
        "max_item_price": "1200",
        "total_onshift_dashers": f"{made.on_duty}",
        "total_busy_dashers": f"{made.busy}",
        "total_outstanding_orders": f"{made.open_orders}",
        "estimated_order_place_duration": "251",
        "estimated_store_to_consumer_driving_duration": f"{made.drive_seconds}",
        "delivery_time": f"{order.seconds}",
    }
