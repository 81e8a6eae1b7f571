"""Times: Unix seconds inside, RFC 3339 UTC with milliseconds on the wire. Converted here only."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

__all__ = ["Timestamp", "format_time", "parse_time"]

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

_WRONG: Final = "must be an RFC 3339 time with a zone, such as 2026-11-22T19:05:43.120Z"

# Years 1 to 9999. A zone can lead out of them: 0001-01-01T00:00:00+08:00.
_FIRST: Final = -62_135_596_800.0
_LAST: Final = 253_402_300_800.0


def format_time(seconds: float) -> str:
    """`1795374343.12` -> `2026-11-22T19:05:43.120Z`."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{_text_of(whole)}{milliseconds:03d}Z"


@lru_cache(maxsize=512)
def _text_of(second: int) -> str:
    """Most times that are told lie within the same few seconds."""
    return f"{datetime.fromtimestamp(second, UTC).isoformat()[:19]}."


def parse_time(text: Any) -> float:
    """An RFC 3339 date-time with zone as Unix seconds, to the millisecond.

    Raises ValueError for anything else, a bare number or a local time included.
    """
    if not isinstance(text, str):
        raise ValueError(_WRONG)
    milliseconds = text[20:23]
    if len(text) == 24 and text[23] == "Z" and milliseconds.isdecimal() and text.isascii():
        return _second_of(text[:20]) + int(milliseconds) / 1000
    return _parse(text)


@lru_cache(maxsize=512)
def _second_of(head: str) -> float:
    return _parse(head + "0Z")


def _parse(text: str) -> float:
    if not _RFC3339.fullmatch(text):
        raise ValueError(_WRONG)
    try:
        seconds = round(datetime.fromisoformat(text.upper()).timestamp(), 3)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None
    if not _FIRST <= seconds < _LAST:
        raise ValueError("is not a time that can be told in UTC")
    return seconds


def _validate(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, float) and info.context is None:  # built in Python, not by `Wire.read`
        return value
    return parse_time(value)


Timestamp = Annotated[
    float,
    BeforeValidator(_validate),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-22T19:05:43.120Z"]}
    ),
]
