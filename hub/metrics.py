"""Prometheus metrics. Labels are bounded: never an order, a rider or a URL."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

__all__ = [
    "CLOSED",
    "EVENTS",
    "EVENT_LAG",
    "FEEDS",
    "FIXES",
    "FIXES_REJECTED",
    "LOOP_STOPS",
    "POSITIONS_CONFLATED",
    "PROBE_AGE",
    "REQUESTS",
    "SOCKETS",
    "STORE_UP",
]


class Count(Collector):
    """A counter of one thread, raised by `value += 1`: a tenth of what a locked one costs."""

    def __init__(self, name: str, documentation: str) -> None:
        self.value = 0
        self._about = name, documentation
        REGISTRY.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(*self._about, value=self.value)


_LAG: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15)

SOCKETS = Gauge("ordercast_sockets", "Open sockets", ["kind"])
FEEDS = Gauge("ordercast_feeds", "Orders watched here")
CLOSED = Counter("ordercast_sockets_closed_total", "Sockets closed by the hub", ["code"])
EVENTS = Count("ordercast_events_sent_total", "Events written to sockets and SSE")
FIXES = Count("ordercast_fixes_taken_total", "Riders' fixes taken")
FIXES_REJECTED = Counter("ordercast_fixes_rejected_total", "Riders' fixes not taken", ["reason"])
POSITIONS_CONFLATED = Count(
    "ordercast_positions_conflated_total", "Positions replaced by newer ones for a slow reader"
)
EVENT_LAG = Histogram(
    "ordercast_event_lag_seconds", "From the change to the socket write", buckets=_LAG
)
REQUESTS = Histogram("ordercast_http_seconds", "HTTP requests", ["route", "status"], buckets=_LAG)
STORE_UP = Gauge("ordercast_store_up", "Whether the bus is connected")
LOOP_STOPS = Histogram(
    "ordercast_loop_stop_seconds",
    "How late the event loop came to what was due",
    buckets=(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.05, 0.1, 0.5, 2),
)
PROBE_AGE = Gauge("ordercast_probe_age_seconds", "Since the bus last delivered our own probe")
