"""The compiled shapes take and tell what the models describe, and nothing else."""

import json
from math import isfinite
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.messages import PositionMessage
from schemas.positions import Fix
from schemas.telemetry import FixMessage, RawFix, View, fix_reader, read_fix
from schemas.times import format_time, parse_time
from schemas.wire import Codec, encode

NOW = 1_795_374_343.12
SOUND = {"seq": 1, "at": format_time(NOW), "lat": 31.2, "lng": 121.4}
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**54)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["wgs84", "gcj02", "bd09", "", format_time(NOW)])
    | st.lists(st.integers(), max_size=1)
)
NAMES = st.sampled_from([*Fix.model_fields, "type", "other"])
CHANGES = st.dictionaries(NAMES, VALUES, max_size=3)


def described(data: Any) -> Fix | None:
    try:
        return Fix.read(data)
    except ValidationError:
        return None


def is_time(text: str) -> bool:
    try:
        return isfinite(parse_time(text))
    except ValueError:
        return False


@given(CHANGES, st.lists(st.sampled_from(list(SOUND)), max_size=1))
def test_a_fix_is_one_by_both(changes: dict[str, Any], without: list[str]) -> None:
    """Whatever its members are."""
    data = {name: value for name, value in {**SOUND, **changes}.items() if name not in without}
    fix, wanted = read_fix(data), described(data)
    if fix is None or not is_time(fix.at):
        assert wanted is None
        return
    assert wanted is not None
    told = {name: getattr(fix, name) for name in RawFix.__struct_fields__}
    assert {**told, "at": parse_time(fix.at)} == {name: getattr(wanted, name) for name in told}


@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_a_message_is_the_fix_in_it(codec: Codec) -> None:
    """Read in one step, it is what the general reader would make of it."""
    payload = encode(codec, {"type": "fix", **SOUND, "speed": 4})
    assert read_fix({**SOUND, "speed": 4}) == RawFix(**SOUND, speed=4.0)
    fix = fix_reader[codec](payload)
    assert type(fix) is FixMessage
    assert (1, 31.2, 4.0) == (fix.seq, fix.lat, fix.speed)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("json", b""),
        ("json", json.dumps(SOUND).encode()),
        ("json", json.dumps({"type": "ping", **SOUND}).encode()),
        ("json", json.dumps({"type": "fix", **SOUND, "x": 1}).encode()),
        ("json", b'{"type":"fix","seq":1,"at":"x","lat":NaN,"lng":1}'),
        ("json", b"[" * 100_000),
        ("json", b'{"type":"fix\xff"}'),
        ("msgpack", b""),
        ("msgpack", msgpack.packb({"type": "fixes", "fixes": [SOUND]})),
        ("msgpack", msgpack.packb({1: 2})),
    ],
    ids=range(10),
)
def test_all_else_is_for_the_general_reader(codec: Codec, payload: bytes) -> None:
    """It is not taken for a fix."""
    try:
        assert type(fix_reader[codec](payload)) is not FixMessage
    except (ValueError, RecursionError):
        return


def test_a_view_is_the_message_described() -> None:
    """What is not known is left out."""
    view = View("o", format_time(NOW), 1.5, 2.5, "fresh", speed=3.0, rider_id="r")
    message = PositionMessage.model_validate_json(encode("json", view))
    assert message.dump() == json.loads(encode("json", view))
    assert message.dump() == msgpack.unpackb(encode("msgpack", view))
