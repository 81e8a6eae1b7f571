"""Commands to the store, those of one tick in one write: one link for each server, by need."""

import asyncio
from typing import Any

from hub.store.link import Address, Link, connect

__all__ = ["Pipes"]


class Pipes:
    """Links that are made when the first command needs them, and again after they are lost."""

    def __init__(self, credentials: tuple[str, ...]) -> None:
        self._credentials = credentials
        self._links: dict[Address, Link] = {}
        self._connecting: dict[Address, asyncio.Task[Link]] = {}
        self._retired: list[Link] = []

    async def ask(self, address: Address, *command: Any) -> Any:
        """The answer, which may be a hiredis.ReplyError. Raises UnavailableError."""
        link = self._links.get(address)
        if link is None or not link.up:
            link = await self._link(address)
        return await link.ask(*command)

    async def _link(self, address: Address) -> Link:
        connecting = self._connecting.get(address)
        if connecting is None:
            connecting = asyncio.create_task(connect(address, self._credentials))
            self._connecting[address] = connecting
            connecting.add_done_callback(lambda task: self._connected(address, task))
        return await asyncio.shield(connecting)

    def adopt(self, address: Address, link: Link) -> None:
        """Commands to the address go by this link from now on, in order with its subscriptions."""
        former = self._links.get(address)
        if former is not None:
            self._retire(former)
        self._links[address] = link

    def _connected(self, address: Address, task: asyncio.Task[Link]) -> None:
        del self._connecting[address]
        if task.cancelled() or task.exception() is not None:
            return
        present = self._links.get(address)
        if present is not None and present.up:  # adopted meanwhile
            self._retire(task.result())
        else:
            self.adopt(address, task.result())

    def _retire(self, link: Link) -> None:
        self._retired = [each for each in self._retired if each.up] + [link]
        link.retire()

    def close(self) -> None:
        for task in self._connecting.values():
            task.cancel()
        for link in (*self._links.values(), *self._retired):
            link.close()
