"""What the bridge counts. `endpoint`: a registered one's id, or `callback` for all orders' own
URLs together.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "ACKED",
    "CIRCUITS_OPEN",
    "CONNECTIONS",
    "DEAD",
    "DELIVERED",
    "HELD",
    "IN_FLIGHT",
    "OVERDUE",
    "RETRIED",
]

DELIVERED: Final = Counter(
    "ordercast_webhooks_delivered", "Webhooks that were answered with a 2xx.", ["endpoint"]
)
RETRIED: Final = Counter(
    "ordercast_webhooks_retried", "Attempts that failed and will be made again.", ["endpoint"]
)
DEAD: Final = Counter("ordercast_webhooks_dead", "Webhooks given up.", ["endpoint"])
HELD: Final = Counter(
    "ordercast_webhooks_held", "Times that a lane was held because its target is off.", ["endpoint"]
)
ACKED: Final = Histogram(
    "ordercast_webhook_ack_seconds",
    "From the event to the 2xx that accepted it.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400),
)
CIRCUITS_OPEN: Final = Gauge(
    "ordercast_webhook_circuits_open", "Origins that are not reached and left alone for a while."
)
IN_FLIGHT: Final = Gauge("ordercast_webhooks_in_flight", "Attempts under way.")
OVERDUE: Final = Gauge(
    "ordercast_webhooks_oldest_waiting_seconds",
    "How long the longest due webhook of this bridge's partitions has waited for its attempt.",
)
CONNECTIONS: Final = Counter(
    "ordercast_webhook_connections",
    "Connections that attempts were made on: opened for one, or reused.",
    ["how"],
)
