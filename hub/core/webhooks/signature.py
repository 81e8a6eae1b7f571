"""Standard Webhooks 1.0: ids, secrets and signatures (standardwebhooks.com). Pure."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

__all__ = ["SECRET_BYTES", "WebhookId", "make_secret", "sign"]

SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64."""

_PREFIX: Final = "whsec_"
_WEBHOOK_ID: Final = re.compile(
    r"msg_([\w-]{1,100})_([a-z]{8})_([1-9][0-9]{0,8})_(ep_[0-9a-f]+|confirmed|changes)", re.ASCII
)


def make_secret(chance: bytes) -> str:
    """`whsec_` and the base64 of 24 to 64 random bytes."""
    if not 24 <= len(chance) <= 64:
        raise ValueError("a secret has 24 to 64 bytes")
    return _PREFIX + b64encode(chance).decode()


@dataclass(frozen=True, slots=True)
class WebhookId:
    """What a `webhook-id` tells: it is the same for every attempt, and another for every event
    and target.
    """

    order_id: str
    epoch: str
    seq: int
    target: str

    def __str__(self) -> str:
        return f"msg_{self.order_id}_{self.epoch}_{self.seq}_{self.target}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is no such id."""
        match = _WEBHOOK_ID.fullmatch(text)
        if match is None:
            return None
        order_id, epoch, seq, target = match.groups()
        return cls(order_id, epoch, int(seq), target)


def sign(secrets: Sequence[str], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1` signature for each secret, newest first."""
    signed = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)


def _signature(secret: str, signed: bytes) -> str:
    return b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


@lru_cache(maxsize=4096)
def _key(secret: str) -> bytes:
    return b64decode(secret.removeprefix(_PREFIX))
