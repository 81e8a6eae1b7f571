"""The simulated partner: its webhook endpoint is down at first, then takes everything."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from clients.partner import Delivery, PartnerReceiver
from hub.demo.records import Records

__all__ = ["CONFIRMED", "DOWN", "HOOKS", "Partner"]

HOOKS: Final = "/hooks"
"""The path of the orders' notification URL."""

CONFIRMED: Final = f"{HOOKS}/order-status"
DOWN: Final = 5.0
"""Seconds from the first webhook on for which the endpoint answers 503."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Partner:
    """An ASGI application. `clock` answers seconds."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._up_at: float | None = None
        self._refused: set[str] = set()
        self._receivers: dict[str, PartnerReceiver] = {}

    def trust(self, secret: str) -> None:
        """The secret that `GET /v1/partner` told. Each path is a lane of its own, so it has a
        receiver of its own: one may be told of an order later than the other."""
        self._receivers = {
            path: PartnerReceiver([secret], self._take) for path in (HOOKS, CONFIRMED)
        }

    @property
    def waiting(self) -> int:
        """Webhooks that were refused and have not come again yet."""
        return len(self._refused)

    @property
    def repeats(self) -> int:
        return sum(receiver.counts.repeats for receiver in self._receivers.values())

    @property
    def faults(self) -> int:
        """Late ones and those whose signature or form does not fit."""
        counts = [receiver.counts for receiver in self._receivers.values()]
        return sum(c.out_of_order + c.bad_signature + c.refused + c.failed for c in counts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        webhook_id = dict(scope["headers"]).get(b"webhook-id", b"").decode("latin-1")
        now = self._clock()
        if self._up_at is None:
            self._up_at = now + DOWN
        if now < self._up_at:
            self._refused.add(webhook_id)
            await _unavailable(send)
            return
        self._refused.discard(webhook_id)
        receiver = self._receivers.get(scope["path"], self._receivers[HOOKS])
        await receiver(scope, receive, send)

    async def _take(self, delivery: Delivery) -> None:
        order_id = delivery.order_id or ""
        self._records.webhook(order_id, delivery.path, delivery.seq or 0)


async def _unavailable(send: Send) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
