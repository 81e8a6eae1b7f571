"""What the bridge counts. `kind`: callback (an order's own URL) or endpoint (a registered one)."""

from typing import Final

from prometheus_client import Counter, Gauge

__all__ = ["DEAD", "DELIVERED", "HELD", "IN_FLIGHT", "OVERDUE", "RETRIED"]

DELIVERED: Final = Counter(
    "ordercast_webhooks_delivered", "Webhooks that were answered with a 2xx.", ["kind"]
)
RETRIED: Final = Counter(
    "ordercast_webhooks_retried", "Attempts that failed and will be made again.", ["kind"]
)
DEAD: Final = Counter("ordercast_webhooks_dead", "Webhooks given up.", ["kind"])
HELD: Final = Counter(
    "ordercast_webhooks_held", "Times that a lane was held because its target is off.", ["kind"]
)
IN_FLIGHT: Final = Gauge("ordercast_webhooks_in_flight", "Attempts under way.")
OVERDUE: Final = Gauge(
    "ordercast_webhooks_oldest_waiting_seconds",
    "How long the longest due webhook of this bridge's partitions has waited for its attempt.",
)
