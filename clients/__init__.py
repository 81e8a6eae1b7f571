"""Clients of Ordercast for Python: watch orders, tell positions, place orders, take webhooks."""

from clients.errors import (
    ClientError,
    ClosedError,
    HubMessageError,
    ProblemError,
    RefusedError,
    UnreachableError,
)
from clients.partner import Delivery, PartnerReceiver
from clients.platform import PlatformClient
from clients.rider import RiderClient
from clients.session import Cursor
from clients.updates import (
    Acked,
    Cadence,
    Estimate,
    Eta,
    Event,
    Finished,
    Notice,
    Orders,
    Position,
    Refused,
    Rejected,
    RiderOrder,
    Snapshot,
    TrailPoint,
)
from clients.user import UserClient

__all__ = [
    "Acked",
    "Cadence",
    "ClientError",
    "ClosedError",
    "Cursor",
    "Delivery",
    "Estimate",
    "Eta",
    "Event",
    "Finished",
    "HubMessageError",
    "Notice",
    "Orders",
    "PartnerReceiver",
    "PlatformClient",
    "Position",
    "ProblemError",
    "Refused",
    "RefusedError",
    "Rejected",
    "RiderClient",
    "RiderOrder",
    "Snapshot",
    "TrailPoint",
    "UnreachableError",
    "UserClient",
]
