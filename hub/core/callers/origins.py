"""Browser origins (RFC 6454): which pages may use a hub. Pure."""

import re
from collections.abc import Collection
from typing import Final

__all__ = ["ANY", "check_origin", "is_allowed", "may_connect"]

ANY: Final = "*"
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?"
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_LAST_PORT: Final = 65_535


def check_origin(text: str) -> str:
    """As browsers write it: in small letters, without its scheme's own port; or `*`.

    Raises ValueError for what no browser ever names, as it would never match.
    """
    if text == ANY:
        return text
    found = _ORIGIN.fullmatch(text.lower())
    if found is None or int(found["port"] or 0) > _LAST_PORT:
        raise ValueError(f"{text} is no origin; it must be like https://shop.example, or *")
    if found["port"] == _DEFAULT_PORTS.get(found["scheme"]):
        return f"{found['scheme']}://{found['host']}"
    return found[0]


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Whether the operator named the page's origin. `allowed` are checked ones."""
    return ANY in allowed or origin in allowed


def may_connect(origin: str, host: str | None, allowed: Collection[str]) -> bool:
    """Whether it did, or the page is of the `Host` that it asks. Which scheme that goes by, a hub
    behind a gateway cannot see.
    """
    return is_allowed(origin, allowed) or origin in (f"https://{host}", f"http://{host}")
