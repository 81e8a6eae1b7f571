"""What tracker apps write, read into a fix (contract 5)."""

import json
from math import inf, isinf, isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.riders.fixes import FixFilter
from hub.core.riders.osmand import JSON, QUERY, Dialect, device_of, fix_of
from hub.errors import BadRequestError
from schemas.documents.examples import examples_of
from schemas.documents.shapes import OsmandBody
from schemas.telemetry import Sighting, read_fix
from schemas.times import format_time, parse_time
from tests.core.making import NOW

PLACE = {"lat": "31.2304", "lon": "121.4737"}
AT = "2026-11-22T19:05:43.000Z"
assert parse_time(AT) == NOW


def query(**more: Any) -> dict[str, Any]:
    """What is read from the query, beside the place and with the time of now."""
    return fix_of({**PLACE, **more}, QUERY, NOW)


def body(coords: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A body of Traccar's app."""
    place = {"latitude": 31.2304, "longitude": 121.4737}
    return {"device_id": "dev_1", "location": {"coords": {**place, **(coords or {})}, **more}}


def refused(said: Any, dialect: Dialect) -> str:
    """The parameter that is named."""
    with pytest.raises(BadRequestError) as error:
        fix_of(said, dialect, NOW)
    (field,) = error.value.members["errors"]
    assert field["pointer"][2:] in error.value.detail
    return str(field["pointer"])


# What is there


def test_a_query_as_old_apps_send_it() -> None:
    """Knots become m/s, percent a share; what we have no use for is passed over."""
    said = {
        "id": "dev_1",
        "timestamp": str(int(NOW)),
        **PLACE,
        "speed": "10",
        "bearing": "74.5",
        "altitude": "low",
        "accuracy": "4.5",
        "hdop": "x",
        "batt": "57.0",
        "charge": "true",
        "cell": "257,02,16,2224",
    }
    wanted = {"seq": 0, "at": AT, "lat": 31.2304, "lng": 121.4737, "crs": "wgs84"}
    wanted |= {"heading": 74.5, "accuracy": 4.5, "battery": 0.57}
    fix = fix_of(said, QUERY, NOW + 5)
    assert 18.52 == pytest.approx(fix.pop("speed") * 3.6)
    assert wanted == fix


def test_a_body_as_new_apps_send_it() -> None:
    """The documented example is read as it is: m/s, and a share."""
    (example,) = examples_of("http", "OsmandBody")
    said = OsmandBody.read(example.data).dump()
    wanted = {"seq": 0, "at": "2026-11-22T19:05:43.120Z", "lat": 31.23412, "lng": 121.48221}
    wanted |= {"crs": "wgs84", "heading": 74.0, "speed": 6.1, "accuracy": 4.5, "battery": 0.82}
    assert wanted == fix_of(said, JSON, NOW)
    assert example.data["device_id"] == device_of(said, JSON)


@pytest.mark.parametrize("dialect", [QUERY, JSON], ids=["query", "json"])
def test_what_is_not_known(dialect: Dialect) -> None:
    """-1, nothing, and an empty text: the filter takes the fix without it."""
    unknown = {"speed": -1, "heading": -1, "accuracy": -1}
    said = body(unknown, battery={"level": -1}, timestamp=None)
    if dialect is QUERY:
        said = {**PLACE, "speed": "-1", "heading": "-1.0", "accuracy": "", "batt": "-1"}
    raw = read_fix(fix_of(said, dialect, NOW))
    assert raw is not None
    assert Sighting(0, NOW, 31.2304, 121.4737) == FixFilter().judge(raw, NOW)


@pytest.mark.parametrize(
    ("said", "device"),
    [
        ({"id": "dev_1"}, "dev_1"),
        ({"deviceid": "dev_2"}, "dev_2"),
        ({"id": "", "deviceid": "dev_2"}, "dev_2"),
        ({"id": "dev_1", "deviceid": "dev_2"}, "dev_1"),
    ],
)
def test_whose_fix_it_is(said: dict[str, Any], device: str) -> None:
    """By either name of the parameter."""
    assert device == device_of(said, QUERY)


def test_a_body_may_leave_its_device_to_the_url() -> None:
    """`id`, beside the body's own word, which goes first."""
    assert "dev_2" == device_of({"id": "dev_2", "location": {}}, JSON)
    assert "dev_1" == device_of({"id": "dev_2", "device_id": "dev_1"}, JSON)


@pytest.mark.parametrize("said", [{}, {"id": ""}, {"id": None}, {"id": 7}, {"id": ["dev_1"]}])
@pytest.mark.parametrize(("dialect", "name"), [(QUERY, "id"), (JSON, "device_id")])
def test_nobodys_fix(said: dict[str, Any], dialect: Dialect, name: str) -> None:
    """Without an id that is a text, the parameter is named."""
    with pytest.raises(BadRequestError, match="id "):
        device_of(said, dialect)


def test_both_coordinates_in_one() -> None:
    """`location=lat,lon`, which goes before the two; Traccar passes over what follows them."""
    for text in ("31.5,121.5", " 31.5 , 121.5 ", "31.5,121.5,12"):
        fix = query(location=text)
        assert (31.5, 121.5) == (fix["lat"], fix["lng"])


def test_crs() -> None:
    """Told beside the place, or in the URL of an app that sends a body."""
    assert "gcj02" == query(crs="gcj02")["crs"]
    assert "wgs84" == query(crs="")["crs"]
    assert "gcj02" == fix_of({"crs": "gcj02", **body()}, JSON, NOW)["crs"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("-7.25", -7.25),
        ("+7.", 7),
        (".5", 0.5),
        (" 7", 7),
        ("7e-1", 0.7),
        ("7.0E+01", 70),
        ("1e999", inf),
    ],
)
def test_numbers(text: str, number: float) -> None:
    """As programs of any language write them."""
    assert number == query(accuracy=text)["accuracy"]


def test_numbers_that_are_not_finite() -> None:
    """They are the fix filter's to reject, by name: sent again they would be the same."""
    assert isnan(query(accuracy="NaN")["accuracy"])
    assert isinf(query(lat="-Infinity")["lat"])
    assert isinf(fix_of(body({"speed": 10**400}), JSON, NOW)["speed"])


# Times


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1795374343", AT),
        ("1795374343000", AT),
        ("1795374343120", "2026-11-22T19:05:43.120Z"),
        ("1795374343.12", "2026-11-22T19:05:43.120Z"),
        ("2147483646", "2038-01-19T03:14:06.000Z"),
        ("2147483647", "1970-01-25T20:31:23.647Z"),
        ("0", "1970-01-01T00:00:00.000Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
        ("2026-11-22T19:05:43Z", AT),
        ("2026-11-22t19:05:43.000z", AT),
        ("2026-11-22T19:05:43.120456789Z", "2026-11-22T19:05:43.120Z"),
        ("2026-11-22T19:05:43", AT),
        ("2026-11-22 19:05:43", AT),
        ("2026-11-23T03:05:43+08:00", AT),
        ("2026-11-23T03:05:43 08:00", AT),
        ("2026-11-23T03:05:43.000 0800", AT),
        ("2026-11-22T14:05:43-05:00", AT),
        ("20261122T190543Z", AT),
        ("2026-11-22 19:05", "2026-11-22T19:05:00.000Z"),
        ("", format_time(NOW)),
    ],
)
def test_times(text: str, at: str) -> None:
    """Seconds, milliseconds, ISO 8601 with a zone or of UTC, and nothing for now."""
    assert at == query(timestamp=text)["at"]
    assert at == fix_of(body(timestamp=text), JSON, NOW)["at"]


def test_a_body_may_say_its_time_as_a_number() -> None:
    """As its app may be told to do."""
    assert AT == fix_of(body(timestamp=NOW), JSON, NOW + 9)["at"]
    assert AT == fix_of(body(timestamp=int(NOW) * 1000), JSON, NOW + 9)["at"]


# What is not there, or cannot be read

BAD_NUMBERS = ["x", "31,2", "1_0", "0x1f", "--1", "1 2", "\u0663", "e5", ".", "9" * 65]
BAD_TIMES = ["yesterday", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z", "NaN", "inf", "1e300"]
BAD_TIMES += ["2026-11-22T19:05:43Z" + " " * 99 + "x", "0001-01-01T00:00:00+08:00", "9" * 64]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({}, "#/lat"),
        ({"lat": "31"}, "#/lon"),
        ({"lon": "121"}, "#/lat"),
        ({"lat": "", "lon": ""}, "#/lat"),
        ({"location": "31.2"}, "#/location"),
        ({"location": "31.2,x"}, "#/location"),
        ({"location": ","}, "#/location"),
        ({**PLACE, "crs": "bd09"}, "#/crs"),
        *(({**PLACE, "lat": text}, "#/lat") for text in BAD_NUMBERS),
        *(({**PLACE, "timestamp": text}, "#/timestamp") for text in BAD_TIMES),
        *(({**PLACE, name: "x"}, f"#/{name}") for name in ("speed", "accuracy", "batt")),
        *(({**PLACE, name: "x"}, f"#/{name}") for name in ("bearing", "heading")),
    ],
)
def test_a_query_that_cannot_be_read(said: dict[str, Any], name: str) -> None:
    """The parameter is named."""
    assert name == refused(said, QUERY)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({}, "latitude"),
        ({"location": None}, "latitude"),
        ({"location": "31.2,121.4"}, "latitude"),
        ({"location": [body()["location"]]}, "latitude"),
        ({"location": {"coords": [31.2, 121.4]}}, "latitude"),
        (body({"longitude": None}), "longitude"),
        (body({"latitude": True}), "latitude"),
        (body({"speed": {}}), "speed"),
        (body({"heading": "north"}), "heading"),
        (body(timestamp=True), "timestamp"),
        (body(timestamp={}), "timestamp"),
        (body(timestamp=1e300), "timestamp"),
        (body(battery={"level": "full"}), "level"),
        ({"crs": {}, **body()}, "crs"),
    ],
)
def test_a_body_that_cannot_be_read(said: Any, name: str) -> None:
    """Its place in the body is named."""
    assert name == refused(said, JSON).rsplit("/", 1)[1]


# Anything

NAMES = sorted(
    {"id", "deviceid", "timestamp", "lat", "lon", "location", "crs"}
    | {path for paths, _ in QUERY.optional.values() for path in paths}
    | {"device_id", "coords", "battery", "latitude", "longitude", "level", "is_charging"}
)
TEXTS = (
    st.text(max_size=70)
    | st.sampled_from(["gcj02", "31.2", "31.2,121.4", "2026-11-22T19:05:43 08:00"])
    | st.floats().map(str)
    | st.integers().map(str)
    | st.datetimes().map(str)
    | st.from_regex(r"\A[0-9TZ:+ .-]{1,30}\Z")
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=20,
)


def check(said: dict[str, Any], dialect: Dialect) -> None:
    """Either the caller is at fault, in words that can be sent, or it is a fix to be judged."""
    for read in (lambda: device_of(said, dialect), lambda: fix_of(said, dialect, NOW)):
        try:
            answer = read()
        except BadRequestError as error:
            json.dumps([error.detail, error.members]).encode()
            continue
        if isinstance(answer, dict):
            raw = read_fix(answer)
            assert raw is not None
            parse_time(raw.at)
            FixFilter().judge(raw, NOW)


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS))
def test_any_query(said: dict[str, str]) -> None:
    """Never another exception, and never a fix that is malformed."""
    check({**PLACE, **said}, QUERY)
    check(said, QUERY)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), VALUES), VALUES)
def test_any_body(said: dict[str, Any], location: Any) -> None:
    """Never another exception, and never a fix that is malformed."""
    check(said, JSON)
    check({**said, "location": location}, JSON)
    check(body({"speed": location}, timestamp=location, battery=location), JSON)
    check(said, QUERY)
