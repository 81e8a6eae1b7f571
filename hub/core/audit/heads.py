"""Heads of the audit log: its size and root at a time, signed by Ed25519 (RFC 8032), each naming
the hash of the one before it.

What is signed is `ordercast head v1`, a newline, and the canonical JSON (RFC 8785) of the head
without its `signature`. A head's hash is the SHA-256 of its canonical JSON, signature included.

By the same key, with `ordercast tip v1` before it, tips are signed: where an order's events ended
at a time.
"""

import binascii
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.core.orders.chain import canonical

__all__ = ["HEAD", "TIP", "PublicKey", "Signer", "head_hash", "trusted"]

HEAD: Final = b"ordercast head v1\n"
TIP: Final = b"ordercast tip v1\n"
"""What a signature is over begins with what it is of, so that none can be taken for another."""

_KEY: Final = 32

Head = Mapping[str, Any]
"""The wire form of `schemas.audit.Head`."""


def _signed(told: Mapping[str, Any], kind: bytes) -> bytes:
    return kind + canonical({k: v for k, v in told.items() if k != "signature"})


def head_hash(head: Head) -> str:
    return sha256(canonical(dict(head))).hexdigest()


def _raw(text: str) -> bytes:
    """32 bytes from base64, URL-safe or not. Raises ValueError."""
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        data = urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != _KEY or urlsafe_b64encode(data).decode().rstrip("=") != plain:
        raise ValueError("is no Ed25519 key: 32 bytes in base64 are wanted")
    return data


class PublicKey:
    """A key that heads are checked by; told in URL-safe base64."""

    def __init__(self, text: str) -> None:
        """Raises ValueError."""
        raw = _raw(text)
        self.text = urlsafe_b64encode(raw).decode().rstrip("=")
        self.id = sha256(raw).hexdigest()[:16]
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def signed(self, told: Mapping[str, Any], kind: bytes = HEAD) -> bool:
        """Whether this key has signed the head, or the tip."""
        try:
            self._key.verify(b64decode(told["signature"], validate=True), _signed(told, kind))
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A key that signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(urlsafe_b64encode(key.public_key().public_bytes_raw()).decode())

    @classmethod
    def read(cls, text: str) -> "Signer":
        """From PEM (PKCS 8), or the 32 bytes of the key in base64. Raises ValueError."""
        if "-----BEGIN" not in text:
            return cls(Ed25519PrivateKey.from_private_bytes(_raw(text)))
        try:
            key = load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError):
            raise ValueError("is no private key in PEM without a password") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("is a private key, but not of Ed25519")
        return cls(key)

    def sign(self, told: Mapping[str, Any], kind: bytes = HEAD) -> dict[str, Any]:
        """The head, or the tip, with `keyId` and `signature`."""
        named = {**told, "keyId": self.public.id}
        return {**named, "signature": b64encode(self._key.sign(_signed(named, kind))).decode()}


def trusted(key: PublicKey, rotations: Iterable[Head]) -> dict[str, PublicKey]:
    """The keys that `key` vouches for, by id: a head that it has signed may name its successor,
    and so on. `rotations`: heads with a `nextKey`, oldest first.
    """
    keys = {key.id: key}
    for head in rotations:
        signer = keys.get(head["keyId"])
        if signer is not None and signer.signed(head):
            following = PublicKey(head["nextKey"])
            keys[following.id] = following
    return keys
