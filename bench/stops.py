"""How long the event loops of the hubs stood still, by their own metric."""

from collections import Counter
from collections.abc import Iterable
from math import inf
from typing import Any, Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Buckets", "loop_stops", "quantile_bound", "summary"]

_METRIC: Final = "ordercast_loop_stop_seconds"


Buckets = Counter[float]


async def loop_stops(ports: Iterable[int]) -> Buckets:
    """How many ticks of these hubs, since they began, were at most so many seconds late."""
    buckets: Buckets = Counter()
    async with aiohttp.ClientSession() as http:
        for port in ports:
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                buckets.update(_buckets(await answer.text()))
    return buckets


def summary(before: Buckets, after: Buckets) -> dict[str, Any]:
    """Of the ticks between the two."""
    between = {bound: number - before[bound] for bound, number in after.items()}
    return {
        "ticks": between.get(inf, 0),
        "p99AtMostMs": quantile_bound(between, 0.99),
        "p99.9AtMostMs": quantile_bound(between, 0.999),
    }


def _buckets(text: str) -> dict[float, float]:
    """How many were at most so many seconds late."""
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{_METRIC}_bucket"
    }


def quantile_bound(buckets: dict[float, float], share: float) -> float | None:
    """In milliseconds, the bound of the bucket that the quantile lies in; None beyond the last."""
    wanted = share * buckets.get(inf, 0.0)
    found = min((bound for bound, number in buckets.items() if number >= wanted), default=None)
    return None if found is None or found == inf else round(found * 1000, 3)
