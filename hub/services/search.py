"""Finding orders: those under way, newest first, and single ones by their numbers."""

import asyncio
import re
from collections.abc import Iterable
from typing import Final

from hub.core.cursor import make_cursor, read_cursor
from hub.core.orders.state import OrderState
from hub.store.index import LIVE, OrderIndex, Placed
from hub.store.orders import OrderStore
from hub.store.riders import RiderIndex
from schemas.lifecycle import Status

__all__ = ["Search"]

_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Search:
    """Raises UnavailableError."""

    def __init__(self, store: OrderStore, index: OrderIndex, riders: RiderIndex) -> None:
        self._store = store
        self._index = index
        self._riders = riders

    async def live(
        self, status: Status | None, limit: int, after: str | None
    ) -> tuple[list[OrderState], str | None]:
        """Orders under way, those placed last first, and the next cursor.

        Raises UnprocessableError for a cursor that is none.
        """
        statuses = LIVE if status is None else (status,)
        place = read_cursor(after)
        page = await self._index.page(statuses, place and Placed(*place), limit)
        states = await self._states(each.order_id for each in page)
        last = page[-1] if len(page) == limit else None
        found = [each for each in states if each.status in statuses]
        return found, last and make_cursor(last.at, last.order_id)

    async def find(self, text: str, status: Status | None) -> list[OrderState]:
        """The order of that id, those placed with it as `externalId`, and those under way of the
        rider of that id; newest first.
        """
        by_external = self._index.by_external(text)
        if _ID.fullmatch(text):
            numbered, (_, ridden) = await asyncio.gather(by_external, self._riders.look(text))
            states = await self._states({text, *numbered, *ridden})
            known = {text, *numbered}
            states = [each for each in states if each.order_id in known or each.rider_id == text]
        else:
            states = await self._states(await by_external)
        found = (each for each in states if status in (None, each.status))
        return sorted(found, key=lambda each: each.created_at, reverse=True)

    async def _states(self, order_ids: Iterable[str]) -> list[OrderState]:
        """In their order; those that are gone are left out."""
        return list((await self._store.states(order_ids)).values())
