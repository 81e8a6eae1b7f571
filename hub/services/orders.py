"""Placing and changing orders: read, decide, commit, and again if outrun."""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from hub.core.callers.claims import Claims, concerns
from hub.core.orders import order as core
from hub.core.orders.change import Change, Unchanged
from hub.core.orders.deadlines import Durations, deadlines
from hub.core.orders.estimate import Outlook
from hub.core.orders.state import OrderState
from hub.errors import ConflictError, NotFoundError, UnavailableError, UnprocessableError
from hub.metrics import EXCEPTIONS, HANDLING
from hub.store.index import OrderIndex
from hub.store.once import Begin, Differs, Once
from hub.store.orders import OrderStore, Reading, Stored
from hub.store.restaurants import RestaurantStore
from hub.store.riders import RiderIndex
from schemas.lifecycle import CourierState, PaymentState
from schemas.orders import OrderRequest, OrderStatusUpdate
from schemas.times import format_time
from schemas.wire import dumps

__all__ = ["Changed", "Orders", "new_id"]

_EPOCH_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_ATTEMPTS: Final = 20

CheckUrl = Callable[[str], Awaitable[str | None]]
Look = Callable[[dict[str, Any], float], Outlook]
Decide = Callable[[OrderState, float], Change | Unchanged]


def new_id(prefix: str) -> str:
    """Unguessable, and in the alphabet of ids."""
    return f"{prefix}_{secrets.token_hex(10)}"


@dataclass(frozen=True, slots=True)
class Changed:
    """An order after a command. `change` is None where nothing had to change."""

    state: OrderState
    change: Change | None = None
    late: bool = False

    @property
    def applied(self) -> bool:
        return self.change is not None


class Orders:
    """`check_url` answers why a notification URL is refused, or None; `outlook` what is forecast
    of a request at a moment.
    """

    def __init__(
        self,
        store: OrderStore,
        index: OrderIndex,
        once: Once,
        riders: RiderIndex,
        restaurants: RestaurantStore,
        durations: Durations,
        check_url: CheckUrl,
        outlook: Look,
        retention: int,
    ) -> None:
        self._store = store
        self._index = index
        self._once = once
        self._riders = riders
        self._restaurants = restaurants
        self._durations = durations
        self._check_url = check_url
        self._outlook = outlook
        self._retention = retention

    async def place(self, request: OrderRequest, claims: Claims, operation: str) -> Changed:
        """Place an order. `operation` names this request: done twice, it makes one order.

        Raises ConflictError for an `externalId` that another body has taken, and
        UnprocessableError for a notification URL that must not be called.
        """
        await self._check_notification(request)
        order_id = await self._order_id(request, claims, operation)
        body = request.dump()
        if request.pickup is None:
            pickup = await self._restaurants.place_of(request.restaurant_id)
            body |= {"pickup": pickup} if pickup else {}
        epoch = "".join(secrets.choice(_EPOCH_LETTERS) for _ in range(8))
        now = time.time()
        outlook = self._outlook(body, now)
        change = core.place(order_id, epoch, body, claims.partner, claims.actor, now, outlook)
        if await self._commit(0, None, change) is not None:
            return Changed(change.state, change)
        stored = await self._store.load(order_id)
        if stored is None:
            raise UnavailableError("the order vanished while it was placed")
        return Changed(stored.state)

    async def _check_notification(self, request: OrderRequest) -> None:
        if request.notification_url is not None:
            refused = await self._check_url(request.notification_url)
            if refused is not None:
                raise UnprocessableError(refused, [("#/notificationUrl", refused)])

    async def _order_id(self, request: OrderRequest, claims: Claims, operation: str) -> str:
        """The operation's id, or the one that the external number was given first."""
        order_id = f"ord_{operation}"
        if request.external_id is None:
            return order_id
        digest = sha256(dumps([claims.partner, request.external_id])).hexdigest()
        fingerprint = sha256(dumps(request.dump())).hexdigest()
        answer = await self._once.begin(
            "external", digest, fingerprint, order_id, time.time(), self._retention, lease=0
        )
        if isinstance(answer, Differs):
            raise ConflictError(
                f"externalId {request.external_id} belongs to another order",
                orderId=answer.operation,
            )
        assert isinstance(answer, Begin)
        await self._index.note_external(request.external_id, answer.operation)
        return answer.operation

    async def get(self, order_id: str, claims: Claims) -> OrderState:
        """Raises NotFoundError for an unknown order and for somebody else's alike."""
        return (await self._load(order_id, claims)).state

    async def history(self, order_id: str, claims: Claims, after: int) -> Reading:
        """The order with its events after `after`."""
        state = await self.get(order_id, claims)
        reading = await self._store.read(order_id, state.epoch, after)
        if reading is None:
            raise NotFoundError(f"no order {order_id}")
        return reading

    async def change_status(
        self, order_id: str, update: OrderStatusUpdate, claims: Claims
    ) -> Changed:
        def decide(state: OrderState, now: float) -> Change | Unchanged:
            return core.change_status(state, update, claims.actor, now)

        operation = {"status": update.status.value, "timestamp": format_time(update.timestamp)}
        return await self.change(order_id, claims, decide, operation)

    async def pay(self, order_id: str, told: PaymentState, claims: Claims) -> Changed:
        return await self.change(order_id, claims, lambda state, now: core.pay(state, told, now))

    async def mark_ready(self, order_id: str, claims: Claims) -> Changed:
        return await self.change(
            order_id, claims, lambda state, now: core.mark_ready(state, claims.actor, now)
        )

    async def move_courier(self, order_id: str, target: CourierState, claims: Claims) -> Changed:
        return await self.change(
            order_id, claims, lambda state, now: core.move_courier(state, target, claims.actor, now)
        )

    async def approach(self, order_id: str, target: CourierState, claims: Claims) -> OrderState:
        """A geofence says where the order's rider is; answers the order then."""
        changed = await self.change(
            order_id, claims, lambda state, now: core.approach(state, target, claims.actor, now)
        )
        return changed.state

    async def assign_rider(self, order_id: str, rider_id: str, claims: Claims) -> Changed:
        """Give the order to a rider.

        The rider's index may name an order too many, never one too few. So the order is added
        before the commit, for a crash in between, and after it, for a hub that found it not to be
        the rider's yet and struck it off.
        """
        await self._load(order_id, claims)
        await self._riders.add(rider_id, order_id)
        changed = await self.change(
            order_id,
            claims,
            lambda state, now: core.assign_rider(state, rider_id, claims.actor, now),
        )
        await self._riders.add(rider_id, order_id)
        await self._riders.tell(rider_id)
        return changed

    async def unassign_rider(self, order_id: str, claims: Claims) -> Changed:
        return await self.change(
            order_id, claims, lambda state, now: core.unassign_rider(state, claims.actor, now)
        )

    async def _load(self, order_id: str, claims: Claims) -> Stored:
        stored = await self._store.load(order_id)
        if stored is None or not concerns(stored.state, claims):
            raise NotFoundError(f"no order {order_id}")
        return stored

    async def change(
        self,
        order_id: str,
        claims: Claims,
        decide: Decide,
        operation: dict[str, Any] | None = None,
    ) -> Changed:
        """Read the order, decide, commit; and again where another change was first.

        `operation` is kept where it comes late. Raises NotFoundError, and what `decide` raises.
        """
        for _ in range(_ATTEMPTS):
            stored = await self._load(order_id, claims)
            # An order's time does not go back where the last hub's clock is ahead of ours.
            now = max(time.time(), stored.state.updated_at)
            decision = decide(stored.state, now)
            if isinstance(decision, Unchanged):
                if decision.late:
                    await self._note_late(stored, claims, operation or {}, now)
                return Changed(stored.state, late=decision.late)
            if await self._commit(stored.rev, stored.state, decision) is not None:
                await self._tell_riders(stored.state, decision.state)
                return Changed(decision.state, decision)
        raise UnavailableError("the order changes faster than this request can")

    async def _note_late(
        self, stored: Stored, claims: Claims, operation: dict[str, Any], now: float
    ) -> None:
        """Keep what came late in the order's operations; a lost race only loses the order."""
        record = {**operation, "late": True, "actor": claims.actor.dump(), "at": format_time(now)}
        await self._store.note(stored.state.order_id, record)

    async def _commit(self, rev: int, before: OrderState | None, change: Change) -> Stored | None:
        running = deadlines(before, self._durations) if before else {}
        wanted = deadlines(change.state, self._durations)
        # One that ran before may have been put off meanwhile: only what is new is set.
        due = {name: at for name, at in wanted.items() if running.get(name) != at}
        cleared = [name for name in running if name not in wanted]
        stored = await self._store.commit(rev, before, change, due, cleared)
        if stored is not None:
            _count(change)
        return stored

    async def _tell_riders(self, before: OrderState, after: OrderState) -> None:
        """Word to the hub that holds a rider who lost the order; what gets lost on the way is
        found by the feeds. Only a finished order leaves the index here: it cannot come back.
        """
        if before.rider_id is None:
            return
        if after.final:
            await self._riders.remove(before.rider_id, after.order_id)
        elif before.rider_id != after.rider_id:
            await self._riders.tell(before.rider_id)


def _count(change: Change) -> None:
    for opened in change.opened:
        EXCEPTIONS.labels(opened.code.value).inc()
    for closed in change.closed:
        took = closed.at - closed.exception.opened_at
        HANDLING.labels(closed.exception.code.value).observe(took)
