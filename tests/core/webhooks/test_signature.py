"""Signatures, against the verifier that partners use."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from hub.core.webhooks.signature import WebhookId, make_secret, sign

KEYS = st.binary(min_size=24, max_size=64)
BODY = '{"orderId":"ord_1","reason":"下雨"}'


def headers(signature: str, timestamp: int) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


@given(KEYS, st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_verifies(key: bytes, data: dict[str, str]) -> None:
    """The reference verifier accepts what we sign, and makes the same signature."""
    import json

    secret, now = make_secret(key), int(datetime.now(UTC).timestamp())
    body = json.dumps(data)
    signature = sign([secret], "msg_1", now, body.encode())
    assert data == Webhook(secret).verify(body, headers(signature, now))
    assert Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body) == signature


@given(KEYS, KEYS)
def test_rotation(old: bytes, new: bytes) -> None:
    """During a rotation a partner may verify with either secret."""
    now = int(datetime.now(UTC).timestamp())
    secrets = [make_secret(new), make_secret(old)]
    signature = sign(secrets, "msg_1", now, BODY.encode())
    assert [part.partition(",")[0] for part in signature.split(" ")] == ["v1", "v1"]
    for secret in secrets:
        Webhook(secret).verify(BODY, headers(signature, now))


def test_a_changed_body_fails() -> None:
    """One byte more, and the signature no longer holds."""
    secret, now = make_secret(b"k" * 32), int(datetime.now(UTC).timestamp())
    signature = sign([secret], "msg_1", now, BODY.encode())
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + " ", headers(signature, now))


@pytest.mark.parametrize("size", [0, 23, 65])
def test_secrets_have_a_size(size: int) -> None:
    """The specification asks for 24 to 64 bytes."""
    with pytest.raises(ValueError, match="24 to 64"):
        make_secret(bytes(size))


def test_secret_form() -> None:
    """`whsec_` and base64."""
    secret = make_secret(bytes(range(32)))
    assert bytes(range(32)) == b64decode(secret.removeprefix("whsec_"), validate=True)


def test_ids() -> None:
    """Stable, without a full stop, another for whatever is another, and read again."""
    first = WebhookId("ord_1", "abcdefgh", 3, "changes")
    others = [
        WebhookId("ord_1", "abcdefgh", 3, "confirmed"),
        WebhookId("ord_1", "abcdefgh", 3, "ep_0a1b"),
        WebhookId("ord_2", "abcdefgh", 3, "changes"),
        WebhookId("ord_1", "hgfedcba", 3, "changes"),
        WebhookId("ord_1", "abcdefgh", 4, "changes"),
    ]
    made = {str(each) for each in (first, first, *others)}
    assert len(made) == 6
    assert all(each.startswith("msg_ord_") and each.isascii() and "." not in each for each in made)
    assert [WebhookId.read(str(each)) for each in (first, *others)] == [first, *others]


@pytest.mark.parametrize(
    "text", ["", "msg_1", "msg_ord_1_abcdefgh_0_changes", "msg_ord_1_abcdefgh_1_else", "x" * 9000]
)
def test_no_ids(text: str) -> None:
    """Whatever else a caller may send is no id."""
    assert WebhookId.read(text) is None
