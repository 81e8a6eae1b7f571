"""The OsmAnd protocol: one fix as a tracker app writes it, in either of two dialects.

`QUERY`: flat parameters, as trackers and older apps send them; speed in knots, battery in
percent. `JSON`: the body of Traccar's app since 9.0; speed in m/s, battery 0..1, and -1 for what
is not known. Units, names and the forms of `timestamp` are those of traccar.org/osmand and of
Traccar's OsmAndProtocolDecoder. What neither names here is passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any, Final

from hub.errors import BadRequestError
from schemas.times import format_time

__all__ = ["JSON", "QUERY", "Dialect", "device_of", "fix_of"]

_METRE_PER_SECOND: Final = 3600 / 1852  # in knots
_PERCENT: Final = 100.0

_MAX_TEXT: Final = 64
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_LOST_PLUS: Final = re.compile(r"(:\d\d(?:[.,]\d+)?) (\d\d(?::?\d\d)?)")
_MILLISECONDS_FROM: Final = 2**31 - 1
_WHAT_TIME: Final = "must be Unix seconds or milliseconds, or an ISO 8601 time"


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where an app writes what. A path is keys with `/` between them, as in a JSON pointer.

    `optional`: of each further field of a fix the paths, of which the first that is there
    counts, and how many of the app's units are one of ours. `pair` is `lat,lon` in one.
    """

    device: tuple[str, ...]
    timestamp: str
    lat: str
    lng: str
    optional: Mapping[str, tuple[tuple[str, ...], float]]
    pair: str | None = None


QUERY: Final = Dialect(
    device=("id", "deviceid"),
    timestamp="timestamp",
    lat="lat",
    lng="lon",
    optional={
        "heading": (("bearing", "heading"), 1.0),
        "speed": (("speed",), _METRE_PER_SECOND),
        "accuracy": (("accuracy",), 1.0),
        "battery": (("batt",), _PERCENT),
    },
    pair="location",
)

JSON: Final = Dialect(
    device=("device_id", "id"),
    timestamp="location/timestamp",
    lat="location/coords/latitude",
    lng="location/coords/longitude",
    optional={
        "heading": (("location/coords/heading",), 1.0),
        "speed": (("location/coords/speed",), 1.0),
        "accuracy": (("location/coords/accuracy",), 1.0),
        "battery": (("location/battery/level",), 1.0),
    },
)


def device_of(said: Mapping[str, Any], dialect: Dialect) -> str:
    """The id that the app was given. Raises BadRequestError when there is none."""
    path, device = _first(said, dialect.device)
    if device is None:
        raise _wrong(path, "is missing")
    if not isinstance(device, str):
        raise _wrong(path, "must be a text")
    return device


def fix_of(said: Mapping[str, Any], dialect: Dialect, now: float) -> dict[str, Any]:
    """The fix in our own words and units (`schemas.positions.Fix`), for the fix filter to judge.

    `now`, in Unix seconds, is when it was taken if it does not say. Raises BadRequestError that
    names the parameter: no coordinates, no number, no time, no known `crs`.
    """
    lat, lng = _place(said, dialect)
    fix = {
        "seq": 0,  # the protocol has none, and nothing is acknowledged by it
        "at": _time(_find(said, dialect.timestamp), dialect.timestamp, now),
        "lat": lat,
        "lng": lng,
        "crs": _crs(said),
    }
    for name, (paths, units) in dialect.optional.items():
        path, value = _first(said, paths)
        if value is not None:
            fix[name] = _number(value, path) / units
    return fix


def _place(said: Mapping[str, Any], dialect: Dialect) -> tuple[float, float]:
    pair = None if dialect.pair is None else _find(said, dialect.pair)
    if pair is None:
        return _required(said, dialect.lat), _required(said, dialect.lng)
    lat, *rest = pair.split(",") if isinstance(pair, str) else [""]
    if not rest:
        raise _wrong(str(dialect.pair), "must be lat,lon")
    return _number(lat, str(dialect.pair)), _number(rest[0], str(dialect.pair))


def _crs(said: Mapping[str, Any]) -> str:
    crs = _find(said, "crs")
    if crs is None:
        return "wgs84"
    if crs not in ("wgs84", "gcj02"):
        raise _wrong("crs", "must be wgs84 or gcj02")
    return str(crs)


def _required(said: Mapping[str, Any], path: str) -> float:
    value = _find(said, path)
    if value is None:
        raise _wrong(path, "is missing")
    return _number(value, path)


def _number(value: Any, path: str) -> float:
    """NaN and the infinities are told apart from text: these the fix filter rejects by name."""
    if isinstance(value, str):
        value = _number_in(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(path, "must be a number")
    try:
        return float(value)
    except OverflowError:
        return inf


def _number_in(text: str) -> float | None:
    """The number that a text says, and nothing else beside space. (A `+` may come as one.)"""
    text = text.strip()
    return float(text) if len(text) <= _MAX_TEXT and _NUMBER.fullmatch(text) else None


def _time(value: Any, path: str, now: float) -> str:
    seconds = now if value is None else _seconds(value, path)
    try:
        return format_time(seconds)
    except (ValueError, OverflowError, OSError):
        raise _wrong(path, "is no time that exists") from None


def _seconds(value: Any, path: str) -> float:
    """As Traccar's decoder: below 2^31 - 1 a number is of seconds, else of milliseconds."""
    number = _number_in(value) if isinstance(value, str) else value
    if isinstance(value, str) and number is None:
        return _moment(value, path)
    try:
        seconds = _number(number, path)
    except BadRequestError:
        raise _wrong(path, _WHAT_TIME) from None
    return seconds if seconds < _MILLISECONDS_FROM else seconds / 1000


def _moment(text: str, path: str) -> float:
    """An ISO 8601 time; one without a zone is of UTC. A `+` that came as a space is mended."""
    if len(text) > _MAX_TEXT:
        raise _wrong(path, _WHAT_TIME)
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text.strip().upper()))
    except ValueError:
        raise _wrong(path, _WHAT_TIME) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _first(said: Mapping[str, Any], paths: tuple[str, ...]) -> tuple[str, Any]:
    """The first path with a value, and the value; else the first path, and None."""
    for path in paths:
        value = _find(said, path)
        if value is not None:
            return path, value
    return paths[0], None


def _find(said: Mapping[str, Any], path: str) -> Any:
    """What stands there; None for nothing, and for an empty text, which apps send for nothing."""
    found: Any = said
    for key in path.split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return None if found == "" else found


def _wrong(path: str, what: str) -> BadRequestError:
    return BadRequestError(f"{path} {what}", errors=[{"pointer": f"#/{path}", "detail": what}])
