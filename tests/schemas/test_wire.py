"""The codecs: garbage is one kind of error, everything else comes through as it was."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire import (
    ENCODERS,
    Codec,
    Frames,
    UndecodableError,
    codec_of,
    decode,
    dumps,
    encode,
    loads,
)

CODECS: list[Codec] = ["json", "msgpack"]
NESTED_JSON = b'{"type":"x","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NESTED_MSGPACK = b"\x82\xa4type\xa1x\xa1a" + b"\x91" * 100_000 + b"\xc0"

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("json", b""),
        ("json", b"{"),
        ("json", b"\xff\xfe"),
        ("json", b'{"type":"ping"'),
        ("json", b'{"type":"ping"} x'),
        ("json", b'{"type":"fix","lat":NaN}'),
        ("json", b'{"type":"fix","lat":-Infinity}'),
        ("json", b'["type"]'),
        ("json", b'"type"'),
        ("json", b"null"),
        ("json", b"{}"),
        ("json", b'{"type":1}'),
        ("json", b'{"type":null}'),
        ("json", NESTED_JSON),
        ("json", b'{"type":"x","n":' + b"9" * 10_000 + b"}"),
        ("msgpack", b""),
        ("msgpack", b"\xc1"),
        ("msgpack", msgpack.packb({"type": "ping"})[:-1]),
        ("msgpack", msgpack.packb({"type": "ping"}) + b"\x00"),
        ("msgpack", msgpack.packb([1])),
        ("msgpack", msgpack.packb({})),
        ("msgpack", msgpack.packb({"type": b"ping"})),
        ("msgpack", msgpack.packb({1: 2, "type": "ping"})),
        ("msgpack", b"\x81\xa4type\xa1\xff"),
        ("msgpack", NESTED_MSGPACK),
        ("msgpack", b"\xdd\xff\xff\xff\xff"),
    ],
    ids=repr,
)
def test_what_is_no_message(codec: Codec, payload: bytes) -> None:
    """Garbage of every kind is told by one error."""
    with pytest.raises(UndecodableError):
        decode(codec, payload)


@pytest.mark.parametrize("codec", CODECS)
def test_nesting_has_a_limit(codec: Codec) -> None:
    """A message may be 32 deep, no deeper."""
    fits = {"type": "x", "a": nested(31)}
    assert fits == decode(codec, encode(codec, fits))
    with pytest.raises(UndecodableError, match="deep"):
        decode(codec, encode(codec, {"type": "x", "a": nested(32)}))


@pytest.mark.parametrize("codec", CODECS)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_undecodable(codec: Codec, payload: bytes) -> None:
    """Nothing but UndecodableError escapes, whatever the bytes."""
    try:
        assert isinstance(decode(codec, payload)["type"], str)
    except UndecodableError:
        return


@given(message=st.dictionaries(st.text(), JSON_VALUES, max_size=5), payload=st.binary(max_size=8))
def test_damaged_msgpack_is_a_message_or_undecodable(
    message: dict[str, Any], payload: bytes
) -> None:
    """Nothing but UndecodableError escapes when a good message has strange bytes in it."""
    good = encode("msgpack", {**message, "type": "x"})
    try:
        decode("msgpack", good[: len(good) // 2] + payload + good[len(good) // 2 :])
    except UndecodableError:
        return


@pytest.mark.parametrize("codec", CODECS)
@given(message=st.dictionaries(st.text(), JSON_VALUES, max_size=5))
def test_a_message_comes_through(codec: Codec, message: dict[str, Any]) -> None:
    """What both codecs can carry arrives as it was sent."""
    sent = {**message, "type": "x"}
    assert sent == decode(codec, encode(codec, sent))


def test_nan_in_msgpack_comes_through() -> None:
    """NaN in a msgpack fix is left to the fix filter, which rejects that fix alone."""
    lat = decode("msgpack", msgpack.packb({"type": "fix", "lat": float("nan")}))["lat"]
    assert lat != lat


def test_nan_never_goes_out_as_json() -> None:
    """The hub does not make JSON that others cannot read."""
    assert b'{"lat":null}' == dumps({"lat": float("nan")})


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_json_from_any_buffer(kind: Any) -> None:
    """The reader takes whatever buffer a transport has."""
    assert {"a": "ü"} == loads(kind('{"a":"ü"}'.encode()))


@pytest.mark.parametrize(
    ("subprotocol", "codec"),
    [(None, "json"), ("ordercast.v1.json", "json"), ("ordercast.v1.msgpack", "msgpack")],
)
def test_the_subprotocol_names_the_codec(subprotocol: str | None, codec: Codec) -> None:
    """No subprotocol means JSON."""
    assert codec == codec_of(subprotocol)


@pytest.mark.parametrize("codec", CODECS)
def test_frames_are_made_once(codec: Codec) -> None:
    """All readers of an encoding get the same bytes object."""
    frames = Frames({"type": "pong"})
    assert frames[ENCODERS[codec]] is frames[ENCODERS[codec]]
