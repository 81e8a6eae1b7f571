"""The cursors of lists that are ordered by time and id: where the page before ended. Pure."""

import re
from typing import Final

from hub.errors import UnprocessableError

__all__ = ["make_cursor", "read_cursor"]

_CURSOR: Final = re.compile(r"([0-9]{1,15})-([A-Za-z0-9_.:-]{1,64})")


def make_cursor(at: int, name: str) -> str:
    """`at` in Unix ms."""
    return f"{at}-{name}"


def read_cursor(text: str | None) -> tuple[int, str] | None:
    """None for the beginning. Raises UnprocessableError for what is no cursor."""
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None:
        wrong = "is no cursor of this list"
        raise UnprocessableError(f"after {wrong}", [("#/after", wrong)])
    return int(match[1]), match[2]
