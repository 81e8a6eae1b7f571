"""Fixes and positions as they are read and written a hundred thousand times a second.

The same shapes as `Fix` and `PositionMessage` of the documents, as structs of a compiled codec:
reading a fix takes a tenth of the time that a model takes. `tests/schemas/test_telemetry.py`
holds the two together.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from schemas.model import Crs
from schemas.wire import Codec

__all__ = ["FixMessage", "RawFix", "Sighting", "View", "fix_reader", "read_fix"]

_Seq = Annotated[int, Meta(ge=0, le=2**53)]


class RawFix(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A fix as it came. `at` is text still; ranges are judged by the fix filter."""

    seq: _Seq
    at: str
    lat: float
    lng: float
    heading: float | None = None
    speed: float | None = None
    accuracy: float | None = None
    battery: float | None = None
    crs: Crs = "wgs84"


class FixMessage(RawFix, tag_field="type", tag="fix", frozen=True, gc=False):
    """A fix beside its type."""


class _Ping(Struct, tag_field="type", tag="ping"):
    """Never read here; but only among several kinds must a message name its own."""


class Sighting(Struct, array_like=True, gc=False):
    """A fix that was believed, on the bus and in the store: WGS 84, `at` in Unix seconds.

    It belongs to one leg of one order; rider and order are known from where it is found.
    """

    leg: int
    at: float
    lat: float
    lng: float
    heading: float | None = None
    speed: float | None = None
    accuracy: float | None = None
    battery: float | None = None
    way: list[list[float]] | None = None
    """What was not told since the sighting before: Unix seconds, lat and lng, oldest first."""


class View(Struct, tag_field="type", tag="position", rename="camel", omit_defaults=True, gc=False):
    """The `position` message as one audience gets it."""

    order_id: str
    at: str
    lat: float
    lng: float
    freshness: str
    heading: float | None = None
    speed: float | None = None
    accuracy: float | None = None
    battery: float | None = None
    rider_id: str | None = None
    trail: list[dict[str, Any]] | None = None


fix_reader: Final[dict[Codec, Callable[[bytes], RawFix]]] = {
    "json": msgspec.json.Decoder(FixMessage | _Ping).decode,
    "msgpack": msgspec.msgpack.Decoder(FixMessage | _Ping).decode,
}
"""Reads a message that may be one well-formed fix: then it answers a FixMessage. Anything else,
or an exception, says that it is for the general reader.
"""


def read_fix(raw: Any) -> RawFix | None:
    """A decoded fix, or None for what is none."""
    try:
        return msgspec.convert(raw, RawFix)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter: half a surrogate pair
        return None
