"""Standard Webhooks 1.0: ids, secrets and signatures (standardwebhooks.com). Pure."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

__all__ = ["SECRET_BYTES", "make_secret", "make_webhook_id", "sign"]

SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64."""

_PREFIX: Final = "whsec_"


def make_secret(chance: bytes) -> str:
    """`whsec_` and the base64 of 24 to 64 random bytes."""
    if not 24 <= len(chance) <= 64:
        raise ValueError("a secret has 24 to 64 bytes")
    return _PREFIX + b64encode(chance).decode()


def make_webhook_id(partition: int, target: str, order_id: str, epoch: str, seq: int) -> str:
    """The same for every attempt, another for every event and target.

    The partition stands in it, so that a delivery is found by its id alone.
    """
    named = "|".join((target, order_id, epoch, str(seq)))
    return f"msg_{partition:03d}{hashlib.sha256(named.encode()).hexdigest()[:32]}"


def sign(secrets: Sequence[str], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1` signature for each secret, newest first."""
    signed = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    return b64encode(hmac.digest(key, signed, "sha256")).decode()
