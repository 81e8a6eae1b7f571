"""Orders as the HTTP API takes and shows them (contract 2)."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from schemas.exceptions import OrderException
from schemas.lifecycle import CourierState, EventType, PaymentMethod, PaymentState, Role, Status
from schemas.model import Id, Place, Point, Wire
from schemas.times import Timestamp

__all__ = [
    "Actor",
    "Address",
    "CourierStateResult",
    "CourierStateUpdate",
    "Eta",
    "Event",
    "EventList",
    "Item",
    "Order",
    "OrderPlaced",
    "OrderRequest",
    "OrderStatusUpdate",
    "Payment",
    "PaymentUpdate",
    "Restaurant",
    "RestaurantUpdate",
    "Result",
    "RiderAssignment",
    "StatusResult",
    "Url",
]

Reason = Annotated[str, Field(min_length=1, max_length=500)]
Minutes = Annotated[int, Field(ge=0, le=1440, description="whole minutes until hand-over")]
Url = Annotated[str, Field(min_length=1, max_length=2048, json_schema_extra={"format": "uri"})]


class Item(Wire):
    item_id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1, le=99)]
    unit_price_cents: Annotated[int, Field(ge=0, le=100_000_000)]


class Address(Point):
    """Where an order goes."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    contact: Annotated[str, Field(max_length=200)] | None = None


class OrderRequest(Wire):
    restaurant_id: Id = Field(examples=["res_12345"])
    items: Annotated[list[Item], Field(min_length=1, max_length=100)]
    address: Address
    payment_method: Annotated[PaymentMethod, Field(strict=False)]
    notification_url: Url | None = Field(
        default=None, examples=["https://user-app.com/notifications"]
    )
    external_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    customer_id: Id | None = None
    pickup: Place | None = None


class OrderStatusUpdate(Wire):
    """The seed's update: asked of the hub, and told to callback URLs."""

    order_id: Id | None = Field(default=None, examples=["ord_98765"])
    status: Annotated[Status, Field(strict=False)]
    timestamp: Timestamp
    estimated_time: Minutes | None = None
    reason: Reason | None = None


class StatusResult(Wire):
    """`applied` is false when nothing changed; `late` when the update came after its time."""

    order_id: str
    status: Status
    seq: int
    applied: bool
    late: bool | None = None


class PaymentUpdate(Wire):
    state: Annotated[
        PaymentState, Field(strict=False, json_schema_extra={"enum": ["PAID", "FAILED"]})
    ]

    @field_validator("state", mode="before")
    @classmethod
    def _told(cls, state: Any) -> Any:
        if state not in (PaymentState.PAID, PaymentState.FAILED):
            raise ValueError("must be PAID or FAILED")
        return state


class Payment(Wire):
    order_id: str
    payment_state: PaymentState
    applied: bool | None = None


class RiderAssignment(Wire):
    rider_id: Id


class CourierStateUpdate(Wire):
    state: Annotated[CourierState, Field(strict=False)]


class CourierStateResult(Wire):
    order_id: str
    courier_state: CourierState
    status: Status
    seq: int
    applied: bool
    rider_id: str | None = None


class Result(Wire):
    """The answer to a change that has no status of its own to report."""

    order_id: str
    seq: int
    applied: bool
    ready: bool | None = None


class Order(Wire):
    order_id: str
    epoch: str
    seq: int
    status: Status
    courier_state: CourierState
    ready: bool
    ready_at: Timestamp | None = None
    created_at: Timestamp
    updated_at: Timestamp
    restaurant_id: str
    items: list[Item]
    total_cents: int
    address: Address
    pickup: Place | None = None
    payment_method: PaymentMethod
    notification_url: str | None = None
    external_id: str | None = None
    customer_id: str | None = None
    rider_id: str | None = None
    reason: str | None = None
    exceptions: list[OrderException] | None = Field(
        default=None, description="those that are open, oldest first"
    )
    erased: Literal[True] | None = Field(
        default=None, description="the customer's personal data is gone from it"
    )


class OrderPlaced(Order):
    stream_token: str = Field(description="a customer token bound to this one order")


class Actor(Wire):
    """Who did it. The worker acts as role `ops`, subject `worker`."""

    role: Role
    sub: str | None = None


class Eta(Wire):
    p10: Timestamp
    p50: Timestamp
    p90: Timestamp


class Event(Wire):
    """One numbered fact of an order, as `GET /v1/orders/{id}/events` lists it.

    `hash` is SHA-256, in hex, over the canonical JSON (RFC 8785) of the event without `hash`;
    `prevHash`, the hash of the event before it, is part of that JSON. It is empty at seq 1.
    `erased`: something personal was taken out, so that the hash is no longer that of what is left.
    """

    order_id: str
    epoch: str
    seq: int
    event_type: EventType
    status: Status
    timestamp: Timestamp
    actor: Actor
    courier_state: CourierState | None = None
    estimated_time: Minutes | None = None
    eta: Eta | None = None
    reason: str | None = None
    exception: OrderException | None = None
    prev_hash: str
    hash: str
    erased: Literal[True] | None = None


class EventList(Wire):
    order_id: str
    epoch: str
    events: list[Event]


class RestaurantUpdate(Wire):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    location: Place | None = None
    address: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    opening_hours: Annotated[str, Field(max_length=200)] | None = None


class Restaurant(RestaurantUpdate):
    restaurant_id: str
