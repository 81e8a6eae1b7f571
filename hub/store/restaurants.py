"""Restaurants: what the platform told of them."""

import json
from typing import Any

from hub.store.connection import Connection
from hub.store.keys import restaurant
from schemas.wire import dumps

__all__ = ["RestaurantStore"]


class RestaurantStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, restaurant_id: str, told: dict[str, Any]) -> None:
        async with self._connection.mapped() as client:
            await client.set(restaurant(restaurant_id), dumps(told))

    async def get(self, restaurant_id: str) -> dict[str, Any] | None:
        async with self._connection.mapped() as client:
            told = await client.get(restaurant(restaurant_id))
        return None if told is None else json.loads(told)

    async def place_of(self, restaurant_id: str) -> dict[str, float] | None:
        """Its `lat` and `lng`, if known."""
        told = await self.get(restaurant_id)
        return told.get("location") if told else None
