"""Goes on with the erasures that were asked for."""

from hub.services.customers import Customers

__all__ = ["Erasing"]


class Erasing:
    """A duty that one worker should lead; with more, the same is done twice."""

    pace = 2.0

    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    async def step(self) -> None:
        await self._customers.work()
