"""What goes wrong with an order (contract 3): one catalogue, and the shapes on the wire."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from schemas.lifecycle import Role, Status
from schemas.model import Wire
from schemas.times import Timestamp

__all__ = [
    "CATALOGUE",
    "Effect",
    "ExceptionCode",
    "ExceptionList",
    "ExceptionReport",
    "ExceptionState",
    "Kind",
    "OrderException",
    "Resolution",
    "ResolutionRequest",
]


class ExceptionCode(StrEnum):
    PAYMENT_TIMEOUT = "PAYMENT_TIMEOUT"
    MERCHANT_TIMEOUT = "MERCHANT_TIMEOUT"
    ITEM_SOLD_OUT = "ITEM_SOLD_OUT"
    MERCHANT_REJECTED = "MERCHANT_REJECTED"
    RIDER_TIMEOUT = "RIDER_TIMEOUT"
    RIDER_SILENT = "RIDER_SILENT"
    DELIVERY_OVERDUE = "DELIVERY_OVERDUE"
    UNDELIVERABLE = "UNDELIVERABLE"
    CUSTOMER_CANCELLED = "CUSTOMER_CANCELLED"


class ExceptionState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How an exception ended. EXPIRED is the deadline's word, no caller's."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Effect(StrEnum):
    CANCEL = "cancel"
    """The order is cancelled at once, with the code as its reason."""
    RAISE = "raise"
    """It stays open until somebody resolves it, or what it tells of is no longer so."""
    OFFER = "offer"
    """The customer is offered the rest; without any, or without an answer, it is a CANCEL."""
    DELAY = "delay"
    """As RAISE; and an `order.delayed` says so to the customer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue.

    `raised_by`: besides the platform, who may raise all, and the worker, for a deadline's.
    `statuses`: where it may be raised and stays open. `assigned`: whether there must be a rider
    (True), or must not (False). `deadlines`: the settings of the deadlines that concern it.
    """

    effect: Effect
    raised_by: frozenset[Role]
    statuses: frozenset[Status]
    assigned: bool | None = None
    deadlines: tuple[str, ...] = ()


_S = Status
_WAITING: Final = frozenset({_S.PENDING})
_AT_SHOP: Final = frozenset({_S.PENDING, _S.CONFIRMED, _S.PREPARING})
_CANCELLABLE: Final = _AT_SHOP | {_S.ON_DELIVERY}
_MERCHANT: Final = frozenset({Role.MERCHANT})
_NOBODY: Final[frozenset[Role]] = frozenset()
_C = ExceptionCode

CATALOGUE: Final = MappingProxyType(
    {
        _C.PAYMENT_TIMEOUT: Kind(Effect.CANCEL, _NOBODY, _WAITING, deadlines=("payment_timeout",)),
        _C.MERCHANT_TIMEOUT: Kind(
            Effect.RAISE, _NOBODY, _WAITING, deadlines=("merchant_warning", "merchant_timeout")
        ),
        _C.ITEM_SOLD_OUT: Kind(Effect.OFFER, _MERCHANT, _AT_SHOP, deadlines=("sold_out_timeout",)),
        _C.MERCHANT_REJECTED: Kind(Effect.CANCEL, _MERCHANT, _AT_SHOP),
        _C.RIDER_TIMEOUT: Kind(
            Effect.RAISE,
            _NOBODY,
            frozenset({_S.CONFIRMED, _S.PREPARING}),
            assigned=False,
            deadlines=("rider_timeout",),
        ),
        _C.RIDER_SILENT: Kind(
            Effect.RAISE,
            _NOBODY,
            frozenset({_S.ON_DELIVERY}),
            assigned=True,
            deadlines=("rider_silent",),
        ),
        _C.DELIVERY_OVERDUE: Kind(Effect.DELAY, _NOBODY, _CANCELLABLE, deadlines=("overdue",)),
        _C.UNDELIVERABLE: Kind(Effect.CANCEL, frozenset({Role.RIDER}), _CANCELLABLE),
        _C.CUSTOMER_CANCELLED: Kind(Effect.CANCEL, frozenset({Role.CUSTOMER}), _WAITING),
    }
)


ItemId = Annotated[str, Field(min_length=1, max_length=64)]
Detail = Annotated[str, Field(min_length=1, max_length=500)]


class ExceptionReport(Wire):
    """`items`, of ITEM_SOLD_OUT alone and needed there, are itemIds of the order."""

    code: Annotated[ExceptionCode, Field(strict=False)]
    detail: Detail | None = None
    items: Annotated[list[ItemId], Field(min_length=1, max_length=100)] | None = None


class ResolutionRequest(Wire):
    """`accepted` or `declined` answer an offer; `cancelled` cancels the order."""

    resolution: Annotated[
        Resolution,
        Field(
            strict=False,
            json_schema_extra={"enum": ["accepted", "declined", "resolved", "cancelled"]},
        ),
    ]


class OrderException(Wire):
    exception_id: str
    code: ExceptionCode
    order_id: str
    state: ExceptionState
    opened_at: Timestamp
    resolved_at: Timestamp | None = None
    resolution: Resolution | None = None
    detail: str | None = None
    items: list[str] | None = None


class ExceptionList(Wire):
    items: list[OrderException]
    next: str | None
