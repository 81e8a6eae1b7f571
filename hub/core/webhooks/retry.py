"""When a failed webhook is tried again (contract 6). Pure: time and chance come in."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["GIVE_UP", "RETRY_AFTER_MAX", "pause", "retry_after", "step"]

_STEPS: Final = (1, 2, 4, 8, 15, 30, 60, 120, 300, *(600,) * 6)
_LAST_STEP: Final = 3600

GIVE_UP: Final = 86_400.0
"""Seconds after the first attempt from which on no other is made."""

RETRY_AFTER_MAX: Final = 3600.0

_SECONDS: Final = re.compile(r"[0-9]+", re.ASCII)


def step(failures: int) -> int:
    """The longest wait, in seconds, after that many failures in a row (from 1).

    Ten minutes are waited six times, then it is an hour each time.
    """
    return _STEPS[failures - 1] if failures <= len(_STEPS) else _LAST_STEP


def pause(failures: int, chance: float) -> float:
    """Seconds until the next attempt, with full jitter: anything from none to the whole step.

    `chance` is in 0..1.
    """
    return step(failures) * chance


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3), at most an hour.

    Whole seconds or an HTTP date, judged against `now` (Unix seconds); None for anything else
    and for a date gone by.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_MAX)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    wait = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    return min(wait, RETRY_AFTER_MAX) if wait > 0 else None
