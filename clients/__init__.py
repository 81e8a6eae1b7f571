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
from clients.user import UserClient

__all__ = [
    "ClientError",
    "ClosedError",
    "Cursor",
    "Delivery",
    "HubMessageError",
    "PartnerReceiver",
    "PlatformClient",
    "ProblemError",
    "RefusedError",
    "RiderClient",
    "UnreachableError",
    "UserClient",
]
