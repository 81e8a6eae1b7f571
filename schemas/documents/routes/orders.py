"""Orders, their couriers and their payment (contract 2)."""

from typing import Final

from schemas.documents.routes.route import (
    CACHED,
    CHANGE,
    KEY,
    NOT_MODIFIED,
    PARTIES,
    READ,
    REPLAYED,
    SEEN,
    Answer,
    Route,
)
from schemas.lifecycle import Role

__all__ = ["ORDERS"]

_PLATFORM: Final = (Role.PLATFORM,)

ORDERS: Final = (
    Route(
        "post",
        "/v1/orders",
        "createOrder",
        "orders",
        "Place an order",
        _PLATFORM,
        (
            Answer(
                201,
                "Placed; `streamToken` lets its customer watch it.",
                "OrderPlaced",
                ("Location", "ETag", "Idempotent-Replayed"),
            ),
            Answer(
                200,
                "The order that was placed under this `externalId` with this body before, with a "
                "fresh `streamToken`.",
                "OrderPlaced",
                ("Location", "ETag", "Idempotent-Replayed"),
            ),
        ),
        (400, 401, 403, 409, 413, 422, 503),
        KEY,
        ("OrderRequest",),
        callbacks=True,
    ),
    Route(
        "get",
        "/v1/orders/{orderId}",
        "getOrder",
        "orders",
        "Show an order",
        PARTIES,
        (Answer(200, "The order now.", "Order", CACHED), NOT_MODIFIED),
        READ,
        ("ifNoneMatch", "crs"),
        description=(
            "An order under way answers `Cache-Control: private, no-cache`, a final one `private, "
            "max-age=3600`. Position, trail and running estimate are in the stream's snapshot."
        ),
    ),
    Route(
        "post",
        "/v1/orders/{orderId}/status",
        "updateOrderStatus",
        "orders",
        "Move an order to a status",
        PARTIES,
        (Answer(200, "Moved, or nothing to do (`applied: false`).", "StatusResult", REPLAYED),),
        CHANGE,
        KEY,
        ("OrderStatusUpdate",),
        description=(
            "`orderId` may be left out of the body; another than the path's is 422, and so is "
            "CANCELLED without `reason`. The merchant may go up to PREPARING and cancel, the rider "
            "may say ON_DELIVERY, COMPLETED and RETURNING, the customer may cancel while PENDING. "
            "Repeating the current status, or a status already passed with an older `timestamp` "
            "(`late: true`), changes nothing. A step that may not follow is 409 with `allowed`."
        ),
    ),
    Route(
        "post",
        "/v1/orders/{orderId}/payment",
        "updatePayment",
        "orders",
        "Tell how the payment went",
        _PLATFORM,
        (Answer(200, "Noted.", "Payment", REPLAYED),),
        CHANGE,
        KEY,
        ("PaymentUpdate",),
        description="WECHAT and ALIPAY orders must be PAID before they can be CONFIRMED.",
    ),
    Route(
        "get",
        "/v1/orders/{orderId}/payment",
        "getPayment",
        "orders",
        "Show the payment's state",
        PARTIES,
        (Answer(200, "The payment now.", "Payment"),),
        SEEN,
    ),
    Route(
        "put",
        "/v1/orders/{orderId}/rider",
        "assignRider",
        "courier",
        "Assign or reassign the rider",
        _PLATFORM,
        (Answer(200, "Assigned; an earlier rider sees the order no more.", "CourierStateResult"),),
        CHANGE,
        request=("RiderAssignment",),
    ),
    Route(
        "delete",
        "/v1/orders/{orderId}/rider",
        "unassignRider",
        "courier",
        "Take the rider off the order",
        _PLATFORM,
        (Answer(200, "Unassigned; the order's status stays.", "CourierStateResult"),),
        (*SEEN, 409),
    ),
    Route(
        "post",
        "/v1/orders/{orderId}/courier-state",
        "updateCourierState",
        "courier",
        "Tell where the rider is on his way",
        (Role.RIDER,),
        (Answer(200, "Noted, or nothing to do.", "CourierStateResult", REPLAYED),),
        CHANGE,
        KEY,
        ("CourierStateUpdate",),
        description="PICKED_UP moves the order to ON_DELIVERY; UNASSIGNED: the rider drops out.",
    ),
    Route(
        "post",
        "/v1/orders/{orderId}/ready",
        "markReady",
        "orders",
        "Say that the food is ready",
        (Role.MERCHANT,),
        (Answer(200, "Noted, or nothing to do.", "Result", REPLAYED),),
        (*READ, 409, 413),
        KEY,
    ),
    Route(
        "get",
        "/v1/orders/{orderId}/events",
        "listEvents",
        "orders",
        "List an order's events, oldest first",
        PARTIES,
        (Answer(200, "Every event after `after`, chained by hash.", "EventList"),),
        READ,
        ("afterSeq",),
    ),
    Route(
        "get",
        "/v1/orders/{orderId}/stream",
        "streamOrder",
        "orders",
        "Watch an order by Server-Sent Events",
        PARTIES,
        (
            Answer(200, "Goes on until the order ends.", media="text/event-stream"),
            Answer(204, "The order is finished, and `Last-Event-ID` names its end: stop."),
        ),
        READ,
        ("lastEventId", "accessToken", "crs"),
        description=(
            "First one `subscribed` message, which carries what was missed; then the messages of "
            "the WebSocket (see asyncapi.json), one a `data:` line. `event` and `subscribed` "
            "messages have `id: epoch-seq`; positions and estimates have none. The stream of a "
            "finished order ends after `unsubscribed`. A Last-Event-ID that names no place is "
            "as none."
        ),
    ),
)
