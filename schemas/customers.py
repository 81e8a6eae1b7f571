"""What a platform may ask about a customer's personal data."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.model import Wire
from schemas.times import Timestamp

__all__ = ["Erasure", "ErasureState"]


class ErasureState(StrEnum):
    PENDING = "pending"
    DONE = "done"


class Erasure(Wire):
    """An erasure, and how much it concerns; the counts are final when it is `done`."""

    customer_id: str
    state: Annotated[ErasureState, Field(strict=False)]
    requested_at: Timestamp
    done_at: Timestamp | None = None
    orders: int = Field(description="orders that the store had of the customer")
    events: int = Field(description="events of them that told something personal")
    rows: int = Field(description="rows of the warehouse that were changed")
