"""Standard Webhooks 1.0 (standardwebhooks.com): whether a delivery is from who it says."""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

__all__ = ["TOLERANCE", "BadHeadersError", "BadSignatureError", "Signed", "read_secret", "verify"]

TOLERANCE: Final = 300.0
"""Seconds that the sender's clock and ours may be apart; an older delivery is a replay."""

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class BadHeadersError(Exception):
    """A webhook header is missing or not readable."""


class BadSignatureError(Exception):
    """No signature fits, or the time is too far off."""


class Signed(NamedTuple):
    """What the headers say: `sent_at` in Unix seconds."""

    webhook_id: str
    sent_at: int


def read_secret(secret: str) -> bytes:
    """`whsec_` and base64, padded or not. Raises ValueError, without the secret in it."""
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise ValueError("a webhook secret is `whsec_` and base64") from None
    if not key:
        raise ValueError("a webhook secret may not be empty")
    return key


def verify(keys: Iterable[bytes], headers: Mapping[str, str], body: bytes, now: float) -> Signed:
    """Check a delivery. `headers` have names in lower case; `body` is the raw one.

    Raises BadHeadersError or BadSignatureError, and nothing else for whatever a stranger sends.
    """
    try:
        webhook_id = headers["webhook-id"]
        timestamp = headers["webhook-timestamp"]
        signatures = _signatures(headers["webhook-signature"])
    except KeyError as missing:
        raise BadHeadersError(f"{missing.args[0]} is missing") from None
    if not webhook_id or not webhook_id.isascii() or not _TIMESTAMP.fullmatch(timestamp):
        raise BadHeadersError("webhook-id or webhook-timestamp is not readable")
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    # Every key against every signature, so that the time taken tells nothing of which one fits.
    fits = [
        hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature)
        for key in keys
        for signature in signatures
    ]
    if not any(fits):
        raise BadSignatureError("no signature fits")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise BadSignatureError("webhook-timestamp is too far from now")
    return Signed(webhook_id, int(timestamp))


def _signatures(header: str) -> list[bytes]:
    """The `v1` signatures of a space-delimited list; other versions are for others to check."""
    found = []
    for one in header.split():
        version, _, encoded = one.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except ValueError:
                raise BadHeadersError("webhook-signature is not readable") from None
    if not found or not all(found):
        raise BadHeadersError("webhook-signature has no v1 signature")
    return found
