"""Device ids: a rider's name that only the holder of the secret could have written."""

import hmac
from base64 import urlsafe_b64encode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.callers.device import make_device, read_device
from hub.core.callers.plain_token import AUDIENCE, read_plain
from tests.core.making import NOW

SECRET = b"a secret that is long enough for HS256"
RIDERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70)
SECRETS = st.binary(min_size=1, max_size=40)


def is_refused(device: str, secret: bytes = SECRET, now: float = NOW) -> bool:
    """Whether it is, by ValueError and nothing else."""
    try:
        read_device(device, secret, now)
    except ValueError:
        return True
    return False


@given(RIDERS, SECRETS, st.none() | st.integers(1, 2**39))
def test_it_comes_back(rider_id: str, secret: bytes, lead: int | None) -> None:
    """The rider, whoever it is and however long it is good; and it fits into a URL as it is."""
    device = make_device(rider_id, secret, None if lead is None else NOW + lead)
    assert rider_id == read_device(device, secret, NOW)
    assert device.replace("_", "").replace("-", "").isalnum()
    assert device.startswith("dev_")


def test_it_is_short() -> None:
    """To be typed or pasted into an app: under 60 characters for a usual rider."""
    assert len(make_device("rider-2026-000123", SECRET)) < 60


def test_it_is_the_same_again() -> None:
    """Printed twice, it is one id: nothing of it is kept anywhere."""
    assert make_device("r1", SECRET) == make_device("r1", SECRET)


CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.+/ \n\u00e4"


@given(RIDERS, st.data())
def test_any_changed_character_is_refused(rider_id: str, data: st.DataObject) -> None:
    """One replaced, added or taken away, the last one and its spare bits included."""
    device = make_device(rider_id, SECRET)
    place = data.draw(st.integers(0, len(device)))
    new = data.draw(st.sampled_from(CHARACTERS) | st.just(""))
    cut = data.draw(st.integers(0, 1))
    changed = device[:place] + new + device[place + cut :]
    if changed != device:
        assert is_refused(changed)


@pytest.mark.parametrize("rider_id", ["r", "r1", "r12"])
def test_it_has_one_spelling(rider_id: str) -> None:
    """No other character in the last place stands for the same bytes, whatever its length."""
    device = make_device(rider_id, SECRET)
    for character in CHARACTERS:
        if character != device[-1]:
            assert is_refused(device[:-1] + character)


@given(RIDERS, SECRETS, SECRETS)
def test_another_secret_refuses(rider_id: str, secret: bytes, other: bytes) -> None:
    """Changing the secret ends all of them."""
    if secret.rstrip(b"\0") != other.rstrip(b"\0"):  # HMAC fills a key up with zeros
        assert is_refused(make_device(rider_id, secret), other)


@given(st.text(max_size=120) | st.from_regex(r"\Adev_[A-Za-z0-9_-]{0,60}\Z"))
def test_anything_else_is_refused(text: str) -> None:
    """Whatever it is, the answer is ValueError."""
    assert is_refused(text)


def test_its_end() -> None:
    """Good until then, and told apart from a forged one afterwards."""
    device = make_device("r1", SECRET, NOW + 60)
    assert "r1" == read_device(device, SECRET, NOW + 59)
    with pytest.raises(ValueError, match="expired"):
        read_device(device, SECRET, NOW + 60)
    with pytest.raises(ValueError, match="not valid"):
        read_device(device, b"other", NOW + 60)


@pytest.mark.parametrize(
    ("rider_id", "expires"),
    [("", None), ("r\ud800", None), ("r", 2.0**40), ("r", float("inf")), ("r", float("nan"))],
)
def test_what_it_cannot_hold(rider_id: str, expires: float | None) -> None:
    """Refused when it is made, not when it is used."""
    with pytest.raises(ValueError, match=r"needed|surrogates|far away"):
        make_device(rider_id, SECRET, expires)


def test_what_else_the_secret_signs_is_no_device() -> None:
    """The same bytes signed without our context, as a JWT's are, are refused."""
    said = bytes(5) + b"r1"
    forged = urlsafe_b64encode(hmac.digest(SECRET, said, "sha256")[:16] + said)
    assert is_refused("dev_" + forged.rstrip(b"=").decode())


def test_it_is_no_token_and_no_token_is_one() -> None:
    """Of the same secret, neither is taken for the other."""
    payload = {"aud": AUDIENCE, "role": "rider", "sub": "r1", "iat": NOW, "exp": NOW + 60}
    token = jwt.encode(payload, SECRET, algorithm="HS256")
    device = make_device("r1", SECRET)
    assert read_plain(device, SECRET, NOW) is None
    with pytest.raises(jwt.DecodeError):
        jwt.decode(device, SECRET, ["HS256"], audience=AUDIENCE)
    assert is_refused(token)
    assert is_refused("dev_" + token.replace(".", ""))
