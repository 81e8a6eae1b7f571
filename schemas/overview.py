"""How everything stands, for those who run it and those who dispatch."""

from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.model import Wire
from schemas.orders import Order
from schemas.times import Timestamp
from schemas.webhooks import EndpointState

__all__ = [
    "BridgeInstance",
    "DeliveryCounts",
    "EndpointHealth",
    "EventLag",
    "ExceptionCounts",
    "HubInstance",
    "OrderCounts",
    "OrderList",
    "Overview",
    "WebhookHealth",
    "WorkerInstance",
]

Count = Annotated[int, Field(ge=0)]


class EventLag(Wire):
    """From a change to the sockets that watch it, of events of the last minute."""

    events: Count
    p50_ms: float | None = None
    p99_ms: float | None = None


class HubInstance(Wire):
    """A live hub. Further members may say more of it."""

    model_config = ConfigDict(extra="allow")

    hub: str
    address: str = Field(description="HOST:PORT by which a gateway reaches it")
    seen_at: Timestamp
    sockets: Count | None = None
    feeds: Count | None = Field(default=None, description="orders that somebody watches there")
    event_lag: EventLag | None = None


class WorkerInstance(Wire):
    worker: str
    seen_at: Timestamp


class BridgeInstance(Wire):
    bridge: str


class OrderCounts(Wire):
    """`entered`: how many orders have entered each status since `since`, an hour and up to five
    minutes ago; those that entered PENDING were placed.
    """

    live: dict[str, Count] = Field(description="now in each status that is not final")
    entered: dict[str, Count]
    since: Timestamp


class ExceptionCounts(Wire):
    open: Count
    by_code: dict[str, Count]
    oldest_at: Timestamp | None = None


class DeliveryCounts(Wire):
    waiting: Count = Field(description="orders with something waiting")
    retrying: Count = Field(description="of them, those that wait for a retry, or are out just now")
    dead: Count
    held: Count


class EndpointHealth(DeliveryCounts):
    partner: str
    endpoint_id: str
    origin: str = Field(description="of its URL")
    state: EndpointState


class WebhookHealth(Wire):
    """`endpoints` names at most 100, those with the most dead and waiting first, of `registered`;
    `callbacks` are those of all orders' notification URLs together.
    """

    registered: Count
    endpoints: list[EndpointHealth]
    callbacks: DeliveryCounts
    unreached: list[str] = Field(description="origins that are left alone for a while")


class Overview(Wire):
    """As of some seconds ago at most."""

    at: Timestamp
    orders: OrderCounts
    exceptions: ExceptionCounts
    webhooks: WebhookHealth
    hubs: list[HubInstance]
    bridges: list[BridgeInstance]
    workers: list[WorkerInstance]


class OrderList(Wire):
    items: list[Order]
    next: Annotated[str | None, Field(description="give it as `after`; null at the end")]
