"""Device ids: what a rider's tracker app has instead of a token, as it can be given a name only.

`dev_` and the base64url of: HMAC-SHA256 cut to 128 bits, the end in Unix seconds (5 bytes, 0 for
none), the rider's id. It needs no lookup, and ends with the secret that signed it. What is signed
begins with a context that begins no JWT, so that neither signature is ever the other's.
(RFC 2104 section 5 on cutting it, RFC 4648 section 5)
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

__all__ = ["make_device", "read_device"]

_PREFIX: Final = "dev_"
_CONTEXT: Final = b"ordercast device id 1\0"
_MAC: Final = 16
_END: Final = 5
_ENDS_BEFORE: Final = 2 ** (8 * _END)


def make_device(rider_id: str, secret: bytes, expires: float | None = None) -> str:
    """The rider's device id, good until `expires` in Unix seconds, or for as long as the secret.

    Raises ValueError for a rider's id that is no text of Unicode, and for an end that is none.
    """
    if not rider_id:
        raise ValueError("a rider's id is needed")
    if expires is not None and not 1 <= expires < _ENDS_BEFORE:
        raise ValueError("the end is too far away")
    end = 0 if expires is None else int(expires)
    said = end.to_bytes(_END, "big") + rider_id.encode()
    return _text(_mac(said, secret) + said)


def read_device(device: str, secret: bytes, now: float) -> str:
    """The id of the rider whose device this is. Raises ValueError, with the reason."""
    raw = _bytes(device)
    mac, said = raw[:_MAC], raw[_MAC:]
    if len(said) <= _END or not hmac.compare_digest(mac, _mac(said, secret)):
        raise ValueError("is not valid")
    end = int.from_bytes(said[:_END], "big")
    if end and end <= now:
        raise ValueError("has expired")
    return said[_END:].decode()


def _mac(said: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _CONTEXT + said, "sha256")[:_MAC]


def _text(raw: bytes) -> str:
    return _PREFIX + urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(device: str) -> bytes:
    """Raises ValueError."""
    if not device.startswith(_PREFIX) or not device.isascii():
        raise ValueError("is not valid")
    try:
        raw = urlsafe_b64decode(device[len(_PREFIX) :] + "==")
    except ValueError:
        raise ValueError("is not valid") from None
    # The decoder passes over strange characters and left-over bits: one id has one spelling.
    if _text(raw) != device:
        raise ValueError("is not valid")
    return raw
