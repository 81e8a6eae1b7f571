"""One socket's conversation, without a socket (contract 4, 8 and 9)."""

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.watchers.session import Asked, Close, Reply, Session, Verify
from schemas.codes import CloseCode
from schemas.messages import (
    FixMessage,
    Subscribe,
    read_rider_message,
    read_user_message,
)
from schemas.wire import Codec
from tests.core.making import NOW


def session(codec: Codec = "json", opened: bool = True) -> Session:
    made = Session(codec, read_user_message, NOW)
    if opened:
        made.authenticated(NOW + 600)
    return made


def said(made: Session, now: float = NOW, **message: Any) -> Any:
    text = json.dumps(message).encode()
    payload: bytes = text if made.codec == "json" else msgpack.packb(message)
    return made.receive(payload, made.codec == "msgpack", now)


@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_a_conversation(codec: Codec) -> None:
    """A token to verify, then what is asked for; pings are answered at once."""
    made = session(codec, opened=False)
    assert Verify("t") == said(made, type="auth", token="t")
    made.authenticated(NOW + 60)
    assert Reply({"type": "pong", "id": 3}) == said(made, type="ping", id=3)
    assert Reply({"type": "pong"}) == said(made, type="ping")
    asked = said(made, type="subscribe", id="a", orderId="ord_1")
    assert Asked(Subscribe(type="subscribe", id="a", order_id="ord_1")) == asked
    assert Verify("u") == said(made, type="auth", token="u")


def test_nothing_before_the_token() -> None:
    """Whatever else comes first closes with 4501, an `auth` that does not fit included."""
    auths: list[dict[str, Any]] = [{"type": "auth"}, {"type": "auth", "token": ""}]
    for message in ({"type": "ping"}, {"type": "nonsense"}, *auths):
        answer = said(session(opened=False), **message)
        assert isinstance(answer, Close)
        assert CloseCode.UNAUTHENTICATED is answer.code


@pytest.mark.parametrize(("codec", "binary"), [("json", True), ("msgpack", False)])
def test_the_wrong_frames(codec: Codec, binary: bool) -> None:
    """Binary on a JSON socket, text on a msgpack socket: 4502."""
    answer = session(codec).receive(b'{"type":"ping"}', binary, NOW)
    assert isinstance(answer, Close)
    assert CloseCode.MALFORMED is answer.code


def test_too_big() -> None:
    """64 KiB and not one byte more."""
    made = session()
    fits = b'{"type":"ping"}'.ljust(65_536)
    assert Reply({"type": "pong"}) == made.receive(fits, False, NOW)
    answer = made.receive(fits + b" ", False, NOW)
    assert isinstance(answer, Close)
    assert CloseCode.TOO_BIG is answer.code


def test_too_many() -> None:
    """A flood ends with 4029, which says come back later; a steady client is never closed."""
    made = session()
    answers = [said(made, type="ping") for _ in range(301)]
    assert CloseCode.TOO_MANY_REQUESTS is answers[-1].code
    steady = session()
    for number in range(2000):
        assert isinstance(said(steady, NOW + number / 50, type="ping"), Reply)


def test_an_unknown_type_is_an_error_with_its_id() -> None:
    """The socket stays."""
    answer = said(session(), type="dance", id=9)
    assert isinstance(answer, Reply)
    assert ("error", "unknown_type", 9) == tuple(
        answer.message[name] for name in ("type", "code", "id")
    )


def test_deadlines() -> None:
    """10 s for the token, then its `exp` and half a minute; a new token moves it."""
    made = session(opened=False)
    assert made.overdue(NOW + 9.9) is None
    late = made.overdue(NOW + 10)
    assert late is not None
    assert CloseCode.NO_AUTH_IN_TIME is late.code
    made.authenticated(NOW + 100)
    assert made.overdue(NOW + 129.9) is None
    expired = made.overdue(NOW + 130)
    assert expired is not None
    assert CloseCode.TOKEN_EXPIRED is expired.code
    made.authenticated(NOW + 200)
    assert made.overdue(NOW + 229) is None


def test_a_fix_is_not_judged_here() -> None:
    """What is inside a fix is the filter's business: nothing in it closes the socket."""
    made = Session("msgpack", read_rider_message, NOW)
    made.authenticated(NOW + 60)
    for fix in ({"lat": float("nan")}, {"seq": "x"}, {}, {"id": [], "fix": 1}):
        answer = said(made, type="fix", **fix)
        assert isinstance(answer, Asked)
        assert isinstance(answer.message, FixMessage)


MESSAGES = st.dictionaries(
    st.sampled_from(["type", "id", "orderId", "after", "token", "crs", "fixes", "x"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | st.text(max_size=70)
        | st.sampled_from(["auth", "subscribe", "unsubscribe", "ping", "fix", "fixes"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    ),
)


@given(MESSAGES, st.booleans(), st.booleans(), st.booleans())
def test_whatever_is_said(message: dict[str, Any], packed: bool, rider: bool, opened: bool) -> None:
    """It ends in an effect, never in an exception; an error gives back only an id."""
    read = read_rider_message if rider else read_user_message
    made = Session("msgpack" if packed else "json", read, NOW)
    if opened:
        made.authenticated(NOW + 60)
    try:
        payload = msgpack.packb(message) if packed else json.dumps(message).encode()
    except (ValueError, OverflowError):  # lone surrogates
        return
    effect = made.receive(payload, packed, NOW)
    assert isinstance(effect, Reply | Verify | Asked | Close)
    if isinstance(effect, Reply) and effect.message["type"] == "error":
        assert effect.message.get("id") in (None, message.get("id"))


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_whatever_bytes_come(payload: bytes, packed: bool, binary: bool) -> None:
    """Noise closes the socket with 4502, or means something by chance."""
    made = session("msgpack" if packed else "json")
    effect = made.receive(payload, binary, NOW)
    assert isinstance(effect, Reply | Verify | Asked | Close)
    if isinstance(effect, Close):
        assert CloseCode.MALFORMED is effect.code
