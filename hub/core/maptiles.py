"""Map tiles: the template of their addresses, and what a browser must be allowed to fetch. Pure."""

import re
from typing import Final

__all__ = ["check_tiles", "tiles_source"]

_TEMPLATE: Final = re.compile(r"(?P<origin>https?://(?P<host>[A-Za-z0-9.{}-]+(?::\d+)?))?/[!-~]*")
_NEEDED: Final = ("{x}", "{y}", "{z}")
_KNOWN: Final = frozenset({*_NEEDED, "{s}", "{r}"})


def check_tiles(template: str) -> str:
    """A template as Leaflet takes it, of a server or of this hub; or none. Raises ValueError."""
    if not template:
        return template
    names = set(re.findall(r"{[^}]*}", template))
    if not (_TEMPLATE.fullmatch(template) and names >= set(_NEEDED) and names <= _KNOWN):
        raise ValueError("must be like https://tiles.example/{z}/{x}/{y}.png")
    return template


def tiles_source(template: str) -> str | None:
    """The source that a content security policy must allow for it; None for the page's own.

    A host with `{s}` becomes a wildcard, which may only stand for the first labels (CSP3, 2.3.1).
    """
    match = _TEMPLATE.fullmatch(template)
    if match is None or match["origin"] is None:
        return None
    scheme, _, host = match["origin"].partition("://")
    _, varies, fixed = host.rpartition("{s}")
    return f"{scheme}://*.{fixed.partition('.')[2]}" if varies else match["origin"]
