"""What a hub says, typed. Times are Unix seconds, positions WGS 84 unless asked for otherwise.

Unlike the models in `schemas`, these take what a newer hub may add: unknown fields are left
aside and an unknown `event_type` or `status` stays the string it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from clients.errors import HubMessageError
from schemas.times import parse_time

__all__ = [
    "Acked",
    "Cadence",
    "Estimate",
    "Eta",
    "Event",
    "Finished",
    "Notice",
    "Orders",
    "Position",
    "Refused",
    "Rejected",
    "RiderMessage",
    "RiderOrder",
    "Snapshot",
    "TrailPoint",
    "Update",
    "read",
]

Message = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Eta:
    p10: float
    p50: float
    p90: float

    @classmethod
    def of(cls, data: Message) -> "Eta":
        return cls(*(parse_time(data[name]) for name in ("p10", "p50", "p90")))


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered fact: within an `epoch`, `seq` follows on `seq` with no hole and no repeat."""

    order_id: str
    epoch: str
    seq: int
    event_type: str
    status: str
    timestamp: float
    actor: Message | None = None
    courier_state: str | None = None
    estimated_time: int | None = None
    eta: Eta | None = None
    reason: str | None = None
    exception: Message | None = None

    @classmethod
    def of(cls, data: Message) -> "Event":
        return cls(
            order_id=data["orderId"],
            epoch=data["epoch"],
            seq=_whole(data["seq"]),
            event_type=data["eventType"],
            status=data["status"],
            timestamp=parse_time(data["timestamp"]),
            actor=data.get("actor"),
            courier_state=data.get("courierState"),
            estimated_time=data.get("estimatedTime"),
            eta=_maybe(Eta.of, data.get("eta")),
            reason=data.get("reason"),
            exception=data.get("exception"),
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Where the rider was at `at`. Newest wins; some are left out on purpose."""

    order_id: str
    at: float
    lat: float
    lng: float
    freshness: str
    heading: float | None = None
    speed: float | None = None
    accuracy: float | None = None
    estimated_time: int | None = None
    rider_id: str | None = None
    battery: float | None = None

    @classmethod
    def of(cls, data: Message) -> "Position":
        return cls(
            order_id=data["orderId"],
            at=parse_time(data["at"]),
            lat=float(data["lat"]),
            lng=float(data["lng"]),
            freshness=data["freshness"],
            heading=data.get("heading"),
            speed=data.get("speed"),
            accuracy=data.get("accuracy"),
            estimated_time=data.get("estimatedTime"),
            rider_id=data.get("riderId"),
            battery=data.get("battery"),
        )


@dataclass(frozen=True, slots=True)
class TrailPoint:
    at: float
    lat: float
    lng: float

    @classmethod
    def of(cls, data: Message) -> "TrailPoint":
        return cls(parse_time(data["at"]), float(data["lat"]), float(data["lng"]))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The order as of `seq`; the next event is `seq + 1`.

    `recovered` says that every event up to it was told before: nothing was missed. Otherwise
    the snapshot is the new truth, and what was known before is to be forgotten.
    """

    order_id: str
    epoch: str
    seq: int
    status: str
    recovered: bool
    courier_state: str | None = None
    estimated_time: int | None = None
    eta: Eta | None = None
    position: Position | None = None
    trail: tuple[TrailPoint, ...] = ()
    order: Message | None = None
    """All of it, with the names of the wire."""

    @classmethod
    def of(cls, data: Message, recovered: bool) -> "Snapshot":
        return cls(
            order_id=data["orderId"],
            epoch=data["epoch"],
            seq=_whole(data["seq"]),
            status=data["status"],
            recovered=recovered,
            courier_state=data.get("courierState"),
            estimated_time=data.get("estimatedTime"),
            eta=_maybe(Eta.of, data.get("eta")),
            position=_maybe(Position.of, data.get("position")),
            trail=tuple(TrailPoint.of(point) for point in data.get("trail") or ()),
            order=data,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    order_id: str
    estimated_time: int
    eta: Eta

    @classmethod
    def of(cls, data: Message) -> "Estimate":
        return cls(data["orderId"], _whole(data["estimatedTime"]), Eta.of(data["eta"]))


@dataclass(frozen=True, slots=True)
class Finished:
    """The order's stream ended with its final event; nothing more will come of it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This order is not to be had: `not_found`, `forbidden`, `too_many_subscriptions`, ..."""

    order_id: str
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """`degraded`, `recovered`, `draining`, or the code of an error that concerns no one order."""

    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class RiderOrder:
    """`pickup` and `address` have the names of the wire: `lat`, `lng`, `text`, `contact`."""

    order_id: str
    status: str
    address: Message
    pickup: Message | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """All the orders that the rider carries now."""

    orders: tuple[RiderOrder, ...]

    @classmethod
    def of(cls, data: Message) -> "Orders":
        return cls(
            tuple(
                RiderOrder(one["orderId"], one["status"], one["address"], one.get("pickup"))
                for one in data["orders"]
            )
        )


@dataclass(frozen=True, slots=True)
class Cadence:
    """Send a fix every `seconds`; `reason` is near, watched, unwatched or idle."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Acked:
    """The hub has taken the fixes up to `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The fix `seq` was not taken and is not sent again. None: the hub could not read its seq."""

    seq: int | None
    reason: str


Update = Event | Position | Snapshot | Estimate | Finished | Refused | Notice
RiderMessage = Orders | Cadence | Acked | Rejected | Notice


def read(reader: Callable[[], T]) -> T:
    """What `reader` makes of a message. Raises HubMessageError for whatever is wrong with it."""
    try:
        return reader()
    except KeyError as error:
        raise HubMessageError(f"a message of the hub lacks {error}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise HubMessageError(f"a message of the hub does not fit: {error}") from None


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _maybe(reader: Callable[[Message], T], data: Message | None) -> T | None:
    return None if data is None else reader(data)
