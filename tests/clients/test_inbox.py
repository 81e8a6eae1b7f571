import asyncio

import pytest

from clients.inbox import Inbox


def numbered(item: str) -> str | None:
    """Items such as `a1` replace `a0`; capitals stand alone."""
    return item[0] if item[0].islower() else None


def box(limit: int | None = None) -> Inbox[str]:
    return Inbox(numbered, lambda item: () if item[0].islower() else item[0].lower(), limit)


async def drain(inbox: Inbox[str]) -> list[str]:
    inbox.close()
    items = []
    while True:
        try:
            items.append(await inbox.get())
        except StopAsyncIteration:
            return items


async def test_newer_takes_the_place_of_older() -> None:
    """What is replaced keeps its place in the line."""
    inbox = box()
    for item in ("a0", "b0", "X", "a1", "b1"):
        inbox.put(item)

    assert await drain(inbox) == ["a1", "b1", "X"]


async def test_a_fence_is_not_passed() -> None:
    """After an item that fences a key, newer ones of that key come behind it."""
    inbox = box()
    for item in ("a0", "b0", "A", "a1", "a2", "b1"):
        inbox.put(item)

    assert await drain(inbox) == ["a0", "b1", "A", "a2"]


async def test_what_was_read_is_not_replaced() -> None:
    """An item that was read leaves its key free."""
    inbox = box()
    inbox.put("a0")

    assert await inbox.get() == "a0"
    inbox.put("a1")
    assert await drain(inbox) == ["a1"]


async def test_beyond_the_limit_the_oldest_go() -> None:
    """A full inbox forgets the oldest, and its keys with it."""
    inbox = box(limit=2)
    for item in ("a0", "X", "Y", "a1"):
        inbox.put(item)

    assert await drain(inbox) == ["Y", "a1"]


async def test_the_first_end_counts() -> None:
    """An error is raised after what waits, and closing again does not hide it."""
    inbox = box()
    inbox.put("X")
    inbox.close(LookupError("gone"))
    inbox.close()

    assert await inbox.get() == "X"
    with pytest.raises(LookupError, match="gone"):
        await inbox.get()


async def test_a_reader_waits_for_news() -> None:
    """A reader of an empty inbox gets what is put later."""
    inbox = box()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put("X")

    assert await reader == "X"
