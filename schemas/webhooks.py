"""Webhooks (contract 6): what a partner registers and what it receives."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from schemas.exceptions import OrderException
from schemas.lifecycle import EventType
from schemas.model import Wire
from schemas.orders import OrderStatusUpdate, Url
from schemas.times import Timestamp

__all__ = [
    "Delivery",
    "DeliveryAttempt",
    "DeliveryDetail",
    "DeliveryState",
    "Endpoint",
    "EndpointBody",
    "EndpointFeedItem",
    "EndpointMode",
    "EndpointPatch",
    "EndpointPayload",
    "EndpointRequest",
    "EndpointState",
    "EndpointStats",
    "FeedAck",
    "FeedItem",
    "OrderStatusBody",
    "PartnerEventType",
    "PartnerSecret",
    "QuietHours",
    "RecoverRequest",
    "Recovered",
    "RegisteredBody",
    "StatusChangeBody",
    "StatusPayload",
    "WebhookEventType",
]


class EndpointMode(StrEnum):
    ALL = "all"
    LATEST = "latest"


class EndpointState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class PartnerEventType(StrEnum):
    """What is told of an endpoint itself, not of an order."""

    ENDPOINT_DISABLED = "endpoint.disabled"
    """To the partner's other endpoints: this one was switched off."""
    ENDPOINT_TEST = "endpoint.test"
    """To the endpoint, when its partner asks for it."""


_KINDS: Final[dict[str, EventType | PartnerEventType]] = {
    kind.value: kind for kind in (*EventType, *PartnerEventType)
}


def _kind(text: Any) -> EventType | PartnerEventType:
    kind = _KINDS.get(text) if isinstance(text, str) else None
    if kind is None:
        raise ValueError(f"must be one of {', '.join(_KINDS)}")
    return kind


WebhookEventType = Annotated[EventType | PartnerEventType, BeforeValidator(_kind)]
EventTypes = Annotated[list[WebhookEventType], Field(max_length=32)]

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Delay = Annotated[
    float, Field(ge=0, le=604_800, allow_inf_nan=False, description="seconds after the event")
]

Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,15}-[0-9]{1,15}$")]


class QuietHours(Wire):
    """Nothing is sent from `from` until `to` by the clocks of `timezone` (IANA), each day; over
    midnight where `to` is the earlier.
    """

    from_: Clock = Field(alias="from", examples=["22:00"])
    to: Clock = Field(examples=["08:00"])
    timezone: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["Asia/Shanghai"])

    @field_validator("to")
    @classmethod
    def _some_hours(cls, to: str, info: ValidationInfo) -> str:
        if to == info.data.get("from_"):
            raise ValueError("must be another time than from")
        return to


class EndpointRequest(Wire):
    """`eventTypes` empty or absent: every event."""

    url: Url
    event_types: EventTypes = Field(default_factory=list)
    mode: Annotated[EndpointMode, Field(strict=False)] = EndpointMode.ALL
    delay: Delay = 0
    quiet_hours: QuietHours | None = None


def _refused_null(schema: dict[str, Any]) -> None:
    """None is what was not told; a null is refused, and so stands in no document."""
    for name, member in schema["properties"].items():
        if name != "quietHours":
            (kind,) = [each for each in member.pop("anyOf") if each != {"type": "null"}]
            member.update(kind)


class EndpointPatch(Wire):
    model_config = ConfigDict(json_schema_extra=_refused_null)

    url: Url | None = None
    event_types: EventTypes | None = None
    mode: Annotated[EndpointMode, Field(strict=False)] | None = None
    state: Annotated[EndpointState, Field(strict=False)] | None = None
    delay: Delay | None = None
    quiet_hours: QuietHours | None = Field(default=None, description="null: none any more")

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.field_name != "quiet_hours":
            raise ValueError("must not be null")
        return value


class Endpoint(Wire):
    endpoint_id: str
    url: str
    event_types: list[WebhookEventType]
    mode: EndpointMode
    state: EndpointState
    delay: Delay | None = None
    quiet_hours: QuietHours | None = None
    reason: str | None = Field(default=None, description="why we have switched it off")
    secret: str | None = Field(default=None, description="told once, when made or rotated")


class EndpointStats(Wire):
    """How an endpoint's deliveries stand. `ackP50Ms`: from an event to its acceptance, of those
    that were accepted in this hour and the one before, to a quarter.
    """

    endpoint_id: str
    waiting: int = Field(description="orders with something waiting")
    retrying: int = Field(description="of them, those that wait for a retry, or are out just now")
    dead: int
    held: int
    oldest_waiting_at: Timestamp | None = None
    accepted: int
    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    """Done with by a newer event of the order, whose body named it."""
    DEAD = "dead"
    """Given up; can be replayed."""
    HELD = "held"
    """Kept while its target is off; can be recovered."""


class DeliveryAttempt(Wire):
    """`status` where a status line came, else `error`, a sentence. `attempt` goes on counting
    over replays.
    """

    attempt: int
    at: Timestamp
    took_ms: float
    status: int | None = None
    error: str | None = None


class Delivery(Wire):
    """One event for one target: a registered endpoint, or a callback of the order's
    `notificationUrl`. Its id is the `webhook-id` of every attempt.
    """

    delivery_id: str
    order_id: str | None = Field(default=None, description="absent where it is about an endpoint")
    seq: int
    event_type: WebhookEventType
    endpoint: str | None = Field(default=None, description="the registered endpoint's id")
    callback: Literal["onOrderConfirmed", "onStatusChange"] | None = None
    url: str | None = Field(default=None, description="of a callback")
    state: Annotated[DeliveryState, Field(strict=False)]
    attempt_count: int
    created_at: Timestamp
    first_attempt_at: Timestamp | None = None
    settled_at: Timestamp | None = None
    next_attempt_at: Timestamp | None = Field(
        default=None, description="while it waits, at the head of its lane or behind it"
    )


class DeliveryDetail(Delivery):
    attempts: list[DeliveryAttempt] = Field(description="oldest first; the last hundred are kept")


class RecoverRequest(Wire):
    """Send again what is held or dead of events since then."""

    since: Timestamp


class Recovered(Wire):
    recovered: int


class FeedAck(Wire):
    cursor: Cursor


class PartnerSecret(Wire):
    partner: str
    secret: str


class StatusPayload(OrderStatusUpdate):
    """An update as partners are told: it always names its order."""

    order_id: str


class OrderStatusBody(StatusPayload):
    """`POST {notificationUrl}/order-status`, when the order becomes CONFIRMED."""

    seq: int


class StatusChangeBody(Wire):
    """`POST {notificationUrl}`, for every event that changes the status."""

    event_type: EventType
    payload: StatusPayload
    seq: int


class RegisteredBody(Wire):
    """`POST` to a registered endpoint."""

    event_type: WebhookEventType
    payload: StatusPayload
    order_id: str
    seq: int
    timestamp: Timestamp
    exception: OrderException | None = Field(
        default=None, description="of order.exception, order.exception_resolved and order.delayed"
    )
    supersedes: list[int] | None = Field(
        default=None, description="older events of the order that this one stands for"
    )


class EndpointPayload(Wire):
    endpoint_id: str
    url: str
    reason: str
    timestamp: Timestamp


class EndpointBody(Wire):
    """`POST` to the partner's other endpoints when one was switched off."""

    event_type: Annotated[PartnerEventType, Field(strict=False)]
    payload: EndpointPayload
    endpoint_id: str
    seq: int
    timestamp: Timestamp
    supersedes: list[int] | None = None


class FeedItem(RegisteredBody):
    """An event as a registered endpoint would get it, and the cursor that acknowledges it and
    all before it.
    """

    cursor: str


class EndpointFeedItem(EndpointBody):
    """An event about one of the partner's endpoints."""

    cursor: str
