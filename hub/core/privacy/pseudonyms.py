"""Names in place of people: the same one for the same id, and no way back without the secret."""

import hmac
from hashlib import sha256
from typing import Final

from schemas.lifecycle import Role

__all__ = ["Pseudonyms"]

_PURPOSE: Final = b"ordercast pseudonyms 1"
_LENGTH: Final = 24


class Pseudonyms:
    """HMAC-SHA256 by a key of this purpose, itself made of `secret`; 24 hex digits are told.

    Another secret makes other names: who changes it begins anew.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, sha256)

    def of(self, role: Role, who: str | None) -> str | None:
        """A customer's `sub` and `customerId` are one person, and so have one name."""
        if who is None:
            return None
        told = f"{role.value}:{who}".encode()
        return hmac.digest(self._key, told, sha256).hex()[:_LENGTH]
