"""Prometheus metrics. Labels are bounded: never an order, a rider or a URL."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = [
    "AUDIT_FAULTS",
    "AUDIT_HEAD",
    "AUDIT_SIZE",
    "CLOSED",
    "ETA_ACTUALS",
    "ETA_ERROR",
    "EVENTS",
    "EVENT_LAG",
    "EXCEPTIONS",
    "FEEDS",
    "FIXES",
    "FIXES_REJECTED",
    "HANDLING",
    "LOOP_STOPS",
    "POSITIONS_CONFLATED",
    "PROBE_AGE",
    "QUARANTINES",
    "REQUESTS",
    "SOCKETS",
    "STORE_UP",
    "WITNESS_FAILURES",
    "WITNESS_WAITING",
    "event_lag_counts",
]


class Count:
    """A number of one thread, changed by `value += 1`: a tenth of what a locked one costs."""

    def __init__(self) -> None:
        self.value = 0


def _counter(name: str, documentation: str) -> Count:
    """A Count that is shown as a counter of this name."""
    count = Count()
    _Shown(lambda: CounterMetricFamily(name, documentation, value=count.value))
    return count


class _Shown(Collector):
    def __init__(self, family: Callable[[], Metric]) -> None:
        self._family = family
        REGISTRY.register(self)

    def collect(self) -> Iterator[Metric]:
        yield self._family()


_LAG: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15)

SOCKETS: Final = {"stream": Count(), "rider": Count(), "sse": Count()}
"""Open sockets by kind."""

FEEDS = Gauge("ordercast_feeds", "Orders watched here")
CLOSED = Counter("ordercast_sockets_closed_total", "Sockets closed by the hub", ["code"])
EVENTS = _counter("ordercast_events_sent_total", "Events written to sockets and SSE")
FIXES = _counter("ordercast_fixes_taken_total", "Riders' fixes taken")
FIXES_REJECTED = Counter("ordercast_fixes_rejected_total", "Riders' fixes not taken", ["reason"])
QUARANTINES = _counter(
    "ordercast_riders_quarantined_total", "Times a rider was too fast for too long to be believed"
)
POSITIONS_CONFLATED = _counter(
    "ordercast_positions_conflated_total", "Positions replaced by newer ones for a slow reader"
)
EVENT_LAG = Histogram(
    "ordercast_event_lag_seconds", "From the change to the socket write", buckets=_LAG
)
EXCEPTIONS = Counter("ordercast_exceptions_total", "Exceptions raised", ["code"])
HANDLING = Histogram(
    "ordercast_exception_handling_seconds",
    "From an exception's opening to its end",
    ["code"],
    buckets=(1, 10, 30, 60, 120, 180, 300, 600, 900, 1800, 3600),
)
REQUESTS = Histogram("ordercast_http_seconds", "HTTP requests", ["route", "status"], buckets=_LAG)
ETA_ACTUALS = Counter(
    "ordercast_eta_actuals_total", "Deliveries, by where they lay in the first estimate", ["band"]
)
"""`hub.eta.scores.band`: the middle two should be four fifths of all."""

ETA_ERROR = Histogram(
    "ordercast_eta_error_seconds",
    "By how much deliveries came after the first p50",
    buckets=(-1800, -900, -600, -300, -120, 0, 120, 300, 600, 900, 1800, 3600),
)
STORE_UP = Gauge("ordercast_store_up", "Whether the bus is connected")
LOOP_STOPS = Histogram(
    "ordercast_loop_stop_seconds",
    "How late the event loop came to what was due",
    buckets=(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.05, 0.1, 0.5, 2),
)
AUDIT_SIZE = Gauge("ordercast_audit_size", "Events in the audit log")
AUDIT_HEAD = Gauge("ordercast_audit_head_time_seconds", "Unix time of the newest head seen here")
AUDIT_FAULTS = Counter(
    "ordercast_audit_faults_total",
    "Entries passed over (unreadable), and heads not signed (key, inconsistent, lost)",
    ["kind"],
)
WITNESS_FAILURES = Counter(
    "ordercast_witness_failures_total", "Attempts to tell the witness of heads that failed"
)
WITNESS_WAITING = Gauge("ordercast_witness_waiting", "Heads that the witness does not have yet")
PROBE_AGE = Gauge("ordercast_probe_age_seconds", "Since the bus last delivered our own probe")


def event_lag_counts() -> list[tuple[float, float]]:
    """Bounds in seconds, the last infinite, and how many events so far came within each."""
    (family,) = EVENT_LAG.collect()
    samples = (each for each in family.samples if each.name.endswith("_bucket"))
    return [(float(each.labels["le"]), each.value) for each in samples]


def _sockets() -> Metric:
    family = GaugeMetricFamily("ordercast_sockets", "Open sockets", labels=["kind"])
    for kind, count in SOCKETS.items():
        family.add_metric([kind], count.value)
    return family


_Shown(_sockets)
