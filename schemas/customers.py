"""What a platform may ask about a customer's personal data."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.model import Wire
from schemas.times import Timestamp

__all__ = ["Erasure", "ErasureState", "ErasureWait"]


class ErasureState(StrEnum):
    PENDING = "pending"
    DONE = "done"


class ErasureWait(StrEnum):
    """What an erasure waits for: that a worker begins; that all who read the event log have come
    past the orders' entries; that the orders' webhooks are accepted or given up; that what happened
    before is in the warehouse, to be erased there.
    """

    WORKER = "worker"
    LOG = "log"
    WEBHOOKS = "webhooks"
    WAREHOUSE = "warehouse"


class Erasure(Wire):
    """An erasure, and how much it concerns; the counts are final when it is `done`."""

    customer_id: str
    state: Annotated[ErasureState, Field(strict=False)]
    waiting_for: list[Annotated[ErasureWait, Field(strict=False)]] = Field(
        description="what is yet to happen first; empty when it is `done`"
    )
    requested_at: Timestamp
    done_at: Timestamp | None = None
    orders: int = Field(description="orders that the store had of the customer")
    events: int = Field(description="events of them that told something personal")
    rows: int = Field(description="rows of the warehouse that were changed")
