"""What the two socket clients share: a task that keeps the connection, an inbox to read from."""

import asyncio
from types import TracebackType
from typing import Generic, Self, TypeVar

from clients.connection import Connection
from clients.inbox import Inbox

__all__ = ["SocketClient"]

T = TypeVar("T")


class SocketClient(Generic[T]):
    """`async with` opens and closes it; `async for` reads it, and raises what ended it."""

    def __init__(self, connection: Connection[T], inbox: Inbox[T]) -> None:
        self._connection = connection
        self._inbox = inbox
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._connection.up

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=repr(self))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the socket and end the iteration. May be called again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._ended(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._task is None:
            raise RuntimeError("open the client with `async with` first")
        return await self._inbox.get()

    async def _run(self) -> None:
        error = None
        try:
            await self._connection.run()
        except Exception as raised:  # whatever it is, it is the reader's to know
            error = raised
        finally:
            self._ended(error)

    def _ended(self, error: Exception | None) -> None:
        """Only the first call counts: closing does not hide what ended the client before."""
        self._inbox.close(error)
