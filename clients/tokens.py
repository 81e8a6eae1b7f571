"""Access tokens: where they come from and when the next one is needed."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable

__all__ = ["Token", "TokenSource", "expiry"]

Token = str | Callable[[], Awaitable[str]]
"""A token, or what to await for one.

An OSError of it counts as a lost connection and is tried again; all else it raises ends the client.
"""


class TokenSource:
    def __init__(self, token: Token) -> None:
        self._token = token

    @property
    def renewable(self) -> bool:
        return not isinstance(self._token, str)

    async def get(self) -> str:
        return self._token if isinstance(self._token, str) else await self._token()


def expiry(token: str) -> float | None:
    """The `exp` claim of a JWT, in Unix seconds. Nothing is verified: that is the hub's part.

    None for a token that has none, or that is no JWT.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
