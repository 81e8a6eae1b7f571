"""The hash chain over an order's events: each names the hash of the one before it."""

import hashlib
from typing import Any, Final

import msgspec
import rfc8785

__all__ = ["canonical", "event_hash", "leaf", "sealed"]

_EXACT: Final = 2**53
_sorted: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(value: dict[str, Any]) -> bytes:
    """The canonical JSON of RFC 8785.

    Of text, whole numbers and objects with ASCII names, a compiled codec with sorted names makes
    the same bytes in a fraction of the time. Numbers with a fraction, and whole ones that are not
    exact in JavaScript, are for the reference implementation to write or refuse.
    """
    return _sorted(value) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(str(name).isascii() for name in value) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if type(value) is int:
        return -_EXACT < value < _EXACT
    return value is None or type(value) in (str, bool)


def event_hash(event: dict[str, Any]) -> str:
    """SHA-256, in hex, of the RFC 8785 canonical JSON of an event with its `prevHash`."""
    return hashlib.sha256(canonical(event)).hexdigest()


def sealed(event: dict[str, Any], previous: str) -> dict[str, Any]:
    """The event with `prevHash` and `hash`."""
    linked = {**event, "prevHash": previous}
    return {**linked, "hash": event_hash(linked)}


def leaf(order_id: str, epoch: str, seq: int, digest: str) -> bytes:
    """What the audit log has of an event: its place, and its hash in hex, a line each."""
    return f"ordercast event v1\n{order_id}\n{epoch}\n{seq}\n{digest}\n".encode()
