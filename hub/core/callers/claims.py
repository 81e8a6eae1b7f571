"""Who is calling, and what that lets them see of an order."""

from dataclasses import dataclass, replace
from math import inf

from hub.core.orders.state import OrderState
from schemas.lifecycle import Role
from schemas.orders import Actor

__all__ = ["READERS", "WORKER_CLAIMS", "Claims", "concerns"]

READERS = (Role.PLATFORM, Role.MERCHANT, Role.RIDER, Role.CUSTOMER)
"""The roles that have orders to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says. `expires` is in Unix seconds."""

    role: Role
    expires: float
    sub: str | None = None
    orders: frozenset[str] = frozenset()
    restaurant: str | None = None
    partner: str = "default"

    @property
    def actor(self) -> Actor:
        return Actor(role=self.role, sub=self.sub)

    @property
    def caller(self) -> str:
        """Tells callers apart where each has a space of their own (idempotency keys)."""
        orders = ",".join(sorted(self.orders))
        return f"{self.role}:{self.partner}:{self.restaurant}:{self.sub}:{orders}"

    def is_renewal_of(self, other: "Claims") -> bool:
        """Whether only the time differs."""
        return replace(self, expires=other.expires) == other


WORKER_CLAIMS = Claims(role=Role.OPS, sub="worker", expires=inf)
"""The worker's own; no token says this."""


def concerns(state: OrderState, claims: Claims) -> bool:
    """Whether the order is one of the caller's. Another's order looks like no order at all."""
    match claims.role:
        case Role.PLATFORM:
            return True
        case Role.OPS:
            return claims is WORKER_CLAIMS
        case Role.MERCHANT:
            return claims.restaurant == state.restaurant_id
        case Role.RIDER:
            return claims.sub is not None and claims.sub == state.rider_id
        case Role.CUSTOMER:
            return state.order_id in claims.orders or (
                claims.sub is not None and claims.sub == state.customer_id
            )
        case _:
            return False
