"""Exceptions of orders: raised, resolved, fired by their deadlines, and listed while open."""

from typing import Any

from hub.core.callers.claims import WORKER_CLAIMS, Claims
from hub.core.cursor import make_cursor, read_cursor
from hub.core.orders import exceptions as core
from hub.core.orders.change import Change, Unchanged, shown
from hub.core.orders.deadlines import Durations, expire
from hub.core.orders.exceptions import Report
from hub.core.orders.state import OrderState
from hub.errors import ConflictError, NotFoundError
from hub.services.orders import Changed, Orders, new_id
from hub.store.exceptions import ExceptionIndex, Opened
from hub.store.orders import OrderStore
from schemas.exceptions import ExceptionReport, Resolution

__all__ = ["Exceptions"]

View = dict[str, Any]
"""The wire form of an `OrderException`."""


class Exceptions:
    def __init__(
        self, orders: Orders, store: OrderStore, index: ExceptionIndex, durations: Durations
    ) -> None:
        self._orders = orders
        self._store = store
        self._index = index
        self._durations = durations

    async def report(
        self, order_id: str, told: ExceptionReport, claims: Claims, operation: str
    ) -> View:
        """Raise an exception. `operation` names this request: done twice, it raises one.

        Raises as `hub.core.orders.exceptions.raise_exception`.
        """
        report = Report.of(f"exc_{operation}", told)

        def decide(state: OrderState, now: float) -> Change | Unchanged:
            if any(each.exception_id == report.exception_id for each in state.exceptions):
                return Unchanged()
            return core.raise_exception(state, report, claims.actor, now)

        try:
            changed = await self._orders.change(order_id, claims, decide)
        except ConflictError:
            before = await self._told(order_id, claims, report.exception_id)
            if before is None:
                raise
            return before
        return _view(changed, report.exception_id)

    async def resolve(
        self, order_id: str, exception_id: str, resolution: Resolution, claims: Claims
    ) -> View:
        """End an open exception; the same resolution again answers the same.

        Raises NotFoundError, ConflictError where it was resolved otherwise, and as
        `hub.core.orders.exceptions.resolve`.
        """

        def decide(state: OrderState, now: float) -> Change | Unchanged:
            for each in state.exceptions:
                if each.exception_id == exception_id:
                    return core.resolve(state, each, resolution, claims.actor, now)
            return Unchanged()

        changed = await self._orders.change(order_id, claims, decide)
        if changed.applied:
            return _view(changed, exception_id)
        before = await self._told(order_id, claims, exception_id)
        if before is None:
            raise NotFoundError(f"no exception {exception_id} of this order")
        if before["resolution"] != resolution:
            told = before["resolution"]
            raise ConflictError(f"the exception is {told} already", resolution=told)
        return before

    async def _told(self, order_id: str, claims: Claims, exception_id: str) -> View | None:
        """The exception as an event told it last."""
        events = (await self._orders.history(order_id, claims, 0)).events
        return _last(events, exception_id)

    async def hear(self, order_id: str, claims: Claims) -> None:
        """A fix of the order's rider has come."""
        await self._orders.change(
            order_id, claims, lambda state, now: core.hear(state, claims.actor, now)
        )

    async def expire(self, order_id: str, deadline: str) -> bool:
        """A deadline has come. Answers whether it did anything; not where the order is gone."""

        def decide(state: OrderState, now: float) -> Change | Unchanged:
            return expire(state, deadline, new_id("exc"), self._durations, now)

        try:
            return (await self._orders.change(order_id, WORKER_CLAIMS, decide)).applied
        except NotFoundError:
            return False

    async def open(self, limit: int, after: str | None) -> tuple[list[View], str | None]:
        """The open exceptions of all orders, oldest first, and the next cursor.

        Raises UnprocessableError for a cursor that is none.
        """
        place = read_cursor(after)
        page = await self._index.page(place and Opened(*place, ""), limit)
        states = await self._store.states({each.order_id for each in page})
        items = [
            shown(each.order_id, exception)
            for each in page
            if each.order_id in states
            for exception in states[each.order_id].exceptions
            if exception.exception_id == each.exception_id
        ]
        last = page[-1] if len(page) == limit else None
        return items, last and make_cursor(last.at, last.exception_id)


def _view(changed: Changed, exception_id: str) -> View:
    told = _last(changed.change.events if changed.change else (), exception_id)
    if told is not None:
        return told
    state = changed.state
    opened = next(each for each in state.exceptions if each.exception_id == exception_id)
    return shown(state.order_id, opened)


def _last(events: Any, exception_id: str) -> View | None:
    views = (event.get("exception") for event in reversed(events))
    return next((view for view in views if view and view["exceptionId"] == exception_id), None)
