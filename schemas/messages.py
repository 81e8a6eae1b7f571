"""Every message of the two WebSocket protocols (contract 4 and 5), with its direction.

What comes in is a pydantic model, checked by `read_user_message` and `read_rider_message`. What
goes out is built as a plain dict on the hot path; the models here describe it, for the exported
documents and for the tests, which check the hub's output against them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import (
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from schemas.codes import ErrorCode, NoticeCode
from schemas.exceptions import OrderException
from schemas.lifecycle import CourierState, EventType, Status
from schemas.model import Crs, Id, Place, Wire
from schemas.orders import Actor, Address, Eta, Order
from schemas.positions import MAX_FIXES, Position, Rejection, TrailPoint
from schemas.times import Timestamp

__all__ = [
    "MAX_MESSAGE",
    "MAX_SUBSCRIPTIONS",
    "RIDER_TO_HUB",
    "SUBPROTOCOLS",
    "TO_RIDER",
    "TO_USER",
    "USER_TO_HUB",
    "After",
    "Auth",
    "BadMessageError",
    "FixMessage",
    "Fixes",
    "MessageId",
    "Ping",
    "Subscribe",
    "Unsubscribe",
    "read_rider_message",
    "read_user_message",
]

MAX_MESSAGE: Final = 65_536
MAX_SUBSCRIPTIONS: Final = 128
SUBPROTOCOLS: Final = ("ordercast.v1.json", "ordercast.v1.msgpack")


def _one_error(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise PydanticCustomError(
            "message_id", "must be an integer or a string of up to 64 characters"
        ) from None


MessageId = Annotated[
    Annotated[int, Field(ge=-(2**63), le=2**64 - 1)] | Annotated[str, Field(max_length=64)],
    WrapValidator(_one_error),
]
"""Given back as it came. Integers are those that msgpack has."""


# Client to hub


class Auth(Wire):
    type: Literal["auth"]
    token: Annotated[str, Field(min_length=1, max_length=8192)]


class After(Wire):
    """The place after the last event taken. One that is nowhere on the stream is no error: it is
    not recovered.
    """

    epoch: str
    seq: Annotated[int, Field(ge=0)]


class Subscribe(Wire):
    type: Literal["subscribe"]
    id: MessageId
    order_id: Id
    after: After | None = None
    crs: Crs = "wgs84"


class Unsubscribe(Wire):
    type: Literal["unsubscribe"]
    id: MessageId
    order_id: Id


class Ping(Wire):
    type: Literal["ping"]
    id: MessageId | None = None


class FixMessage(Wire):
    """A fix beside its type; the fix itself is judged by the fix filter, alone in its batch."""

    type: Literal["fix"]
    fix: dict[str, Any]


class Fixes(Wire):
    type: Literal["fixes"]
    fixes: Annotated[list[Any], Field(min_length=1, max_length=MAX_FIXES)]


# Hub to client


class Reconnect(Wire):
    """Seconds of full jitter: come back after a random time between `min` and `max`."""

    min: float
    max: float


class Welcome(Wire):
    type: Literal["welcome"]
    hub: str
    ping: Annotated[float, Field(description="seconds between the hub's pings")]
    max_message: int
    reconnect: Reconnect


class StreamEvent(Wire):
    type: Literal["event"]
    order_id: str
    epoch: str
    seq: int
    event_type: EventType
    status: Status
    timestamp: Timestamp
    actor: Actor
    courier_state: CourierState | None = None
    estimated_time: int | None = None
    eta: Eta | None = None
    reason: str | None = None
    exception: OrderException | None = None
    erased: Literal[True] | None = None


class Snapshot(Order):
    """The order now, as of `epoch` and `seq`; where its rider is, if the audience may see it."""

    estimated_time: int | None = None
    eta: Eta | None = None
    position: Position | None = None
    trail: list[TrailPoint] | None = None


class Subscribed(Wire):
    """`id` is that of `subscribe`; over Server-Sent Events there is none."""

    type: Literal["subscribed"]
    id: MessageId | None = None
    order_id: str
    recovered: bool
    snapshot: Snapshot
    events: list[StreamEvent]


class PositionMessage(Position):
    type: Literal["position"]


class EstimateMessage(Wire):
    type: Literal["estimate"]
    order_id: str
    estimated_time: int
    eta: Eta


class Unsubscribed(Wire):
    type: Literal["unsubscribed"]
    id: MessageId | None = None
    order_id: str
    reason: Literal["finished", "forbidden", "lost"] | None = None


class Pong(Wire):
    type: Literal["pong"]
    id: MessageId | None = None


class Error(Wire):
    type: Literal["error"]
    id: MessageId | None = None
    code: ErrorCode
    message: str


class Notice(Wire):
    type: Literal["notice"]
    code: NoticeCode
    reconnect: Reconnect | None = None


# Hub to rider


class RiderOrder(Wire):
    order_id: str
    status: Status
    pickup: Place | None = None
    address: Address


class Orders(Wire):
    type: Literal["orders"]
    orders: list[RiderOrder]


class Cadence(Wire):
    """How often the rider should send a fix."""

    type: Literal["cadence"]
    seconds: float
    reason: Literal["near", "watched", "unwatched", "idle"]


class Ack(Wire):
    type: Literal["ack"]
    seq: int


class Rejected(Wire):
    type: Literal["rejected"]
    seq: int | None = None
    reason: Rejection


class Superseded(Wire):
    type: Literal["superseded"]


USER_TO_HUB: Final = (Auth, Subscribe, Unsubscribe, Ping)
RIDER_TO_HUB: Final = (Auth, FixMessage, Fixes, Ping)
TO_USER: Final = (
    Welcome,
    Subscribed,
    StreamEvent,
    PositionMessage,
    EstimateMessage,
    Unsubscribed,
    Pong,
    Error,
    Notice,
)
TO_RIDER: Final = (
    Welcome,
    Orders,
    Cadence,
    Ack,
    Rejected,
    Superseded,
    Pong,
    Error,
    Notice,
)


class BadMessageError(Exception):
    """A message of the right shape for its codec that the protocol does not take."""

    def __init__(self, code: ErrorCode, message: str, echo: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.echo = echo
        """The message's `id`, where it had a valid one."""


_ID: Final[TypeAdapter[Any]] = TypeAdapter(MessageId)
_USER: Final[dict[str, type[Wire]]] = {
    "auth": Auth,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}
_RIDER: Final[dict[str, type[Wire]]] = {"auth": Auth, "fixes": Fixes, "ping": Ping}


def _echo(data: dict[str, Any]) -> Any:
    """The message's id if it is one, to be given back in an error."""
    try:
        return _ID.validate_python(data.get("id"), strict=True)
    except ValidationError:
        return None


def _read(models: dict[str, type[Wire]], data: dict[str, Any]) -> Any:
    model = models.get(data["type"])
    if model is None:
        kind = str(data["type"])[:64]
        raise BadMessageError(ErrorCode.UNKNOWN_TYPE, f"unknown message type {kind!r}", _echo(data))
    try:
        return model.read(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BadMessageError(
            ErrorCode.BAD_REQUEST, f"{where}: {first['msg']}", _echo(data)
        ) from None


def read_user_message(data: dict[str, Any]) -> Auth | Subscribe | Unsubscribe | Ping:
    """A decoded message of a stream's client. Raises BadMessageError."""
    message: Auth | Subscribe | Unsubscribe | Ping = _read(_USER, data)
    return message


def read_rider_message(data: dict[str, Any]) -> Auth | FixMessage | Fixes | Ping:
    """A decoded message of a rider. Raises BadMessageError, but never for what is inside a fix."""
    if data["type"] == "fix":
        fix = {name: value for name, value in data.items() if name != "type"}
        return FixMessage(type="fix", fix=fix)
    message: Auth | Fixes | Ping = _read(_RIDER, data)
    return message
