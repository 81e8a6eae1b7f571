"""The short way to read a token says yes only where the library does, and the same."""

import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.callers.plain_token import AUDIENCE, read_plain

SECRET = b"a secret that is long enough for HS256"
NOW = 1_795_000_000
SOUND: dict[str, Any] = {"aud": AUDIENCE, "role": "rider", "iat": NOW - 9, "exp": NOW + 60}


def signed(payload: Any, **options: Any) -> str:
    return jwt.encode(payload, SECRET, algorithm="HS256", **options)


def by_library(token: str) -> Any:
    """What PyJWT says, without its own look at the clock; None if it refuses."""
    options: Any = {"require": ["exp", "aud", "role"], "verify_exp": False, "verify_iat": False}
    try:
        return jwt.decode(token, SECRET, ["HS256"], audience=AUDIENCE, options=options)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def test_our_own_tokens_are_read() -> None:
    """As they are issued: that is what the short way is for."""
    payload = {**SOUND, "sub": "r1", "orders": ["ord_1"], "partner": "p"}
    assert payload == read_plain(signed(payload), SECRET, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "elsewhere"},
        {"aud": [AUDIENCE]},
        {"exp": NOW},
        {"exp": float(NOW + 60)},
        {"exp": True},
        {"iat": NOW + 1},
        {"iat": "then"},
        {"nbf": NOW - 1},
        {"iss": "somebody"},
    ],
)
def test_the_unusual_is_for_the_library(changes: dict[str, Any]) -> None:
    """Expired, early, for others, or with claims of other kinds: no answer here."""
    assert read_plain(signed({**SOUND, **changes}), SECRET, NOW) is None


def test_another_head_is_for_the_library() -> None:
    """A key id, another algorithm, none at all."""
    none = jwt.encode(SOUND, None, algorithm="none")
    longer = jwt.encode(SOUND, SECRET * 2, algorithm="HS512")
    for token in (signed(SOUND, headers={"kid": "1"}), none, longer):
        assert read_plain(token, SECRET, NOW) is None


CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.+/ \n\u00e4"


@given(st.data())
def test_a_changed_token_is_none(data: st.DataObject) -> None:
    """One character replaced, added or taken away: no answer, and never an exception."""
    token = signed(SOUND)
    place = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.sampled_from(CHARACTERS) | st.just(""))
    cut = data.draw(st.integers(0, 1))
    changed = token[:place] + new + token[place + cut :]
    if changed != token:
        assert read_plain(changed, SECRET, NOW) is None


JSON = st.none() | st.booleans() | st.integers(0, 2**40) | st.text(max_size=8)
CLAIMS = st.dictionaries(
    st.sampled_from(["aud", "role", "iat", "exp", "sub", "nbf", "jti"]),
    JSON | st.just(AUDIENCE) | st.integers(NOW - 99, NOW + 99),
)


@given(CLAIMS)
def test_a_yes_is_the_librarys(claims: dict[str, Any]) -> None:
    """Whatever is signed, the short way never lets in what the library would not."""
    token = signed_by_hand({**SOUND, **claims})
    found = read_plain(token, SECRET, NOW)
    assert found is None or found == by_library(token)


def signed_by_hand(payload: dict[str, Any]) -> str:
    """Also what PyJWT would not sign."""
    return jwt.PyJWS().encode(json.dumps(payload).encode(), SECRET, "HS256")


def test_garbage_is_none() -> None:
    """Not a token at all."""
    for token in ("", ".", "..", "a.b.c", signed(SOUND).upper(), signed(SOUND) + "."):
        assert read_plain(token, SECRET, NOW) is None
