"""The hash chain over an order's events: each names the hash of the one before it."""

import hashlib
from typing import Any

import rfc8785

__all__ = ["sealed"]


def sealed(event: dict[str, Any], previous: str) -> dict[str, Any]:
    """The event with `prevHash` and `hash`.

    `hash` is SHA-256, in hex, of the RFC 8785 canonical JSON of the event with its `prevHash`.
    """
    linked = {**event, "prevHash": previous}
    return {**linked, "hash": hashlib.sha256(rfc8785.dumps(linked)).hexdigest()}
