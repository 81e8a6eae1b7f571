"""Webhooks (contract 6): what a partner registers and what it receives."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.lifecycle import EventType
from schemas.model import Wire
from schemas.orders import OrderStatusUpdate, Url
from schemas.times import Timestamp

__all__ = [
    "Endpoint",
    "EndpointMode",
    "EndpointPatch",
    "EndpointRequest",
    "EndpointState",
    "OrderStatusBody",
    "PartnerSecret",
    "RegisteredBody",
    "StatusChangeBody",
    "StatusPayload",
]


class EndpointMode(StrEnum):
    ALL = "all"
    LATEST = "latest"


class EndpointState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


EventTypes = Annotated[list[Annotated[EventType, Field(strict=False)]], Field(max_length=32)]


class EndpointRequest(Wire):
    """`eventTypes` empty or absent: every event."""

    url: Url
    event_types: EventTypes = Field(default_factory=list)
    mode: Annotated[EndpointMode, Field(strict=False)] = EndpointMode.ALL


class EndpointPatch(Wire):
    url: Url | None = None
    event_types: EventTypes | None = None
    mode: Annotated[EndpointMode, Field(strict=False)] | None = None
    state: Annotated[EndpointState, Field(strict=False)] | None = None


class Endpoint(Wire):
    endpoint_id: str
    url: str
    event_types: list[EventType]
    mode: EndpointMode
    state: EndpointState
    secret: str | None = Field(default=None, description="told once, when made or rotated")


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

    event_type: EventType
    payload: StatusPayload
    order_id: str
    seq: int
    timestamp: Timestamp
    supersedes: list[int] | None = None
