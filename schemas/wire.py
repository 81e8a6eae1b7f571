"""The two codecs of the sockets. A message is encoded once per codec, however many read it."""

import json
from collections.abc import Callable
from typing import Any, Final, Literal

import msgpack
import msgspec

from schemas.messages import SUBPROTOCOLS

__all__ = [
    "ENCODERS",
    "Codec",
    "Encode",
    "Frames",
    "UndecodableError",
    "codec_of",
    "decode",
    "dumps",
    "encode",
    "loads",
    "loads_own",
]

Codec = Literal["json", "msgpack"]

_MAX_DEPTH: Final = 32


class UndecodableError(ValueError):
    """Bytes that are no message: no JSON or msgpack, not an object, or without a type."""


def codec_of(subprotocol: str | None) -> Codec:
    """The codec that a negotiated subprotocol stands for; none means JSON."""
    return "msgpack" if subprotocol == SUBPROTOCOLS[1] else "json"


dumps: Final = msgspec.json.Encoder().encode
"""JSON as compact as it gets, in UTF-8; a number that JSON does not know becomes null."""

_pack: Final = msgspec.msgpack.Encoder().encode


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} is there twice in one object")
    return made


def loads(data: bytes | bytearray | memoryview | str, *, unique: bool = False) -> Any:
    """JSON by RFC 8259: UTF-8 alone, no NaN, no Infinity; with `unique`, no name twice in an object
    (RFC 7493, 2.3), of which readers take different ones.

    Raises ValueError, also if nested too deep.
    """
    try:
        # Given bytes, `json` would take UTF-16 and lone surrogates too.
        text = data if isinstance(data, str) else str(data, "utf-8")
        hook = _unique if unique else None
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=hook)
    except RecursionError:
        raise ValueError("nested too deep") from None


loads_own: Final = msgspec.json.Decoder().decode
"""`loads` for what a hub has written: faster, and not as tolerant of all that JSON allows."""


Encode = Callable[[Any], bytes]
"""Makes of a message (a dict, or a struct of `schemas.telemetry`) what one kind of reader gets."""

ENCODERS: Final[dict[Codec, Encode]] = {"json": dumps, "msgpack": _pack}


def encode(codec: Codec, message: Any) -> bytes:
    return ENCODERS[codec](message)


def _load(codec: Codec, payload: bytes) -> Any:
    if codec == "json":
        return loads(payload)
    return msgpack.unpackb(payload, strict_map_key=True)


def _depth_is_sane(data: Any, left: int = _MAX_DEPTH) -> bool:
    if isinstance(data, dict):
        data = data.values()
    elif not isinstance(data, list):
        return True
    return left > 0 and all(_depth_is_sane(value, left - 1) for value in data)


def decode(codec: Codec, payload: bytes) -> dict[str, Any]:
    """One client message. Raises UndecodableError."""
    try:
        data = _load(codec, payload)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise UndecodableError(f"no {codec}: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise UndecodableError("must be an object with a string `type`")
    if not _depth_is_sane(data):
        raise UndecodableError("nested too deep")
    return data


class Frames:
    """A message and its encodings, each made when the first reader needs it."""

    __slots__ = ("_made", "message")

    def __init__(self, message: Any) -> None:
        self.message = message
        self._made: dict[Encode, bytes] = {}

    def __getitem__(self, encode: Encode) -> bytes:
        made = self._made.get(encode)
        if made is None:
            made = self._made[encode] = encode(self.message)
        return made
