"""The two WebSocket protocols as AsyncAPI 3.0.0."""

from typing import Any, Final, NamedTuple, get_args

from schemas.codes import CloseCode, ErrorCode, comes_back
from schemas.documents import shapes
from schemas.documents.examples import examples_of
from schemas.documents.models import definitions
from schemas.documents.openapi import INFO, SCHEMAS
from schemas.documents.parts import PARAMETERS, SECURITY
from schemas.messages import (
    MAX_MESSAGE,
    RIDER_TO_HUB,
    SUBPROTOCOLS,
    TO_RIDER,
    TO_USER,
    USER_TO_HUB,
    Fixes,
    FixMessage,
)
from schemas.model import Wire

__all__ = ["CLOSE_CODES", "DIRECTIONS", "ERROR_CODES", "Direction", "asyncapi", "type_of"]

CLOSE_CODES: Final[dict[CloseCode, str]] = {
    CloseCode.NORMAL: "one side is done",
    CloseCode.PROTOCOL_ERROR: "a frame broke RFC 6455",
    CloseCode.GOING_AWAY: "the other side goes away",
    CloseCode.ABNORMAL: "the connection was lost; never sent, only seen",
    CloseCode.TOO_BIG: f"a message was over {MAX_MESSAGE} bytes",
    CloseCode.INTERNAL: "the hub failed",
    CloseCode.DRAINING: "the hub is being stopped; another one is there",
    CloseCode.TRY_LATER: "the hub cannot take this socket now",
    CloseCode.TOKEN_EXPIRED: "the token expired; come back with a new one",
    CloseCode.TOO_SLOW: "the client reads too slowly; come back with `after`",
    CloseCode.NO_PONG: "a ping went unanswered",
    CloseCode.TOO_MANY_REQUESTS: "too many messages",
    CloseCode.UNAUTHENTICATED: "no valid token",
    CloseCode.MALFORMED: "a message cannot be decoded, is no object, or has no `type`",
    CloseCode.FORBIDDEN: "the token's role, subject or origin may not use this socket",
    CloseCode.SUPERSEDED: "the same rider connected from elsewhere",
    CloseCode.NO_AUTH_IN_TIME: "no `auth` within 10 s",
}

ERROR_CODES: Final[dict[ErrorCode, str]] = {
    ErrorCode.NOT_FOUND: "the order is unknown, or not the token's to see",
    ErrorCode.TOO_MANY_SUBSCRIPTIONS: "the socket already has 128 orders",
    ErrorCode.UNKNOWN_TYPE: "no message of this protocol has that type",
    ErrorCode.BAD_REQUEST: "the type is known, the fields do not fit; nothing was done",
    ErrorCode.UNAVAILABLE: "the store is away; ask again after `notice recovered`",
}


class Direction(NamedTuple):
    """One way through one channel. `action` is the hub's: it sends or receives."""

    name: str
    channel: str
    action: str
    summary: str
    models: tuple[type[Wire], ...]


# On the wire a fix lies flat beside its type; inside, it is kept apart.
_FLAT: Final[dict[type[Wire], type[Wire]]] = {
    FixMessage: shapes.FixMessage,
    Fixes: shapes.Fixes,
}

DIRECTIONS: Final = (
    Direction("user-to-hub", "stream", "receive", "What a client may say.", USER_TO_HUB),
    Direction("to-user", "stream", "send", "What a client is told.", TO_USER),
    Direction(
        "rider-to-hub",
        "riderStream",
        "receive",
        "What a rider may say.",
        tuple(_FLAT.get(model, model) for model in RIDER_TO_HUB),
    ),
    Direction("to-rider", "riderStream", "send", "What a rider is told.", TO_RIDER),
)

_ADDRESSES: Final = {
    "stream": ("/v1/stream", "Watch up to 128 orders on one socket."),
    "riderStream": ("/v1/riders/{riderId}/stream", "A rider's orders and fixes; role `rider`."),
}


def type_of(model: type[Wire]) -> str:
    """The value of a message's `type` field."""
    (kind,) = get_args(model.model_fields["type"].annotation)
    return str(kind)


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)


def _message_name(direction: Direction, model: type[Wire]) -> str:
    return f"{_camel(direction.name)}.{type_of(model)}"


def _message(direction: Direction, model: type[Wire]) -> dict[str, Any]:
    kind = type_of(model)
    shown = examples_of(direction.name, kind)
    return {
        "name": kind,
        "title": model.__name__,
        "payload": {"$ref": SCHEMAS + model.__name__},
        "examples": [{"name": e.variant or e.name, "payload": e.data} for e in shown],
    }


def _messages() -> dict[str, Any]:
    return {
        _message_name(direction, model): _message(direction, model)
        for direction in DIRECTIONS
        for model in direction.models
    }


def _binding() -> dict[str, Any]:
    offered = {
        "type": "string",
        "enum": list(SUBPROTOCOLS),
        "description": "JSON in text frames, or msgpack in binary frames; none means JSON.",
    }
    token = {"type": "string", "description": "`Bearer TOKEN`, instead of an `auth` message."}
    headers = {
        "type": "object",
        "properties": {"Sec-WebSocket-Protocol": offered, "Authorization": token},
    }
    return {"ws": {"method": "GET", "headers": headers, "bindingVersion": "0.1.0"}}


def _channel(name: str) -> dict[str, Any]:
    address, description = _ADDRESSES[name]
    names = [
        _message_name(direction, model)
        for direction in DIRECTIONS
        if direction.channel == name
        for model in direction.models
    ]
    channel: dict[str, Any] = {
        "address": address,
        "description": description,
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in names},
        "bindings": _binding(),
        "x-subprotocols": list(SUBPROTOCOLS),
        "x-max-message": MAX_MESSAGE,
    }
    if "{riderId}" in address:
        example = PARAMETERS["riderId"]["example"]
        channel["parameters"] = {
            "riderId": {"description": "the token's `sub`", "examples": [example]}
        }
    return channel


def _operation(direction: Direction) -> dict[str, Any]:
    channel = f"#/channels/{direction.channel}"
    names = [_message_name(direction, model) for model in direction.models]
    return {
        "action": direction.action,
        "channel": {"$ref": channel},
        "summary": direction.summary,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
    }


def _close_codes() -> list[dict[str, Any]]:
    return [
        {"code": code.value, "name": code.name, "comesBack": comes_back(code), "meaning": text}
        for code, text in CLOSE_CODES.items()
    ]


def asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/json",
        "servers": {
            "hub": {
                "host": "{host}",
                "protocol": "wss",
                "description": "A hub, or the balancer before many; `ws` on one's own machine.",
                "variables": {"host": {"default": "localhost:8000"}},
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            }
        },
        "channels": {name: _channel(name) for name in _ADDRESSES},
        "operations": {_camel(direction.name): _operation(direction) for direction in DIRECTIONS},
        "components": {
            "schemas": definitions(SCHEMAS, {m.__name__ for d in DIRECTIONS for m in d.models}),
            "messages": _messages(),
            "securitySchemes": SECURITY,
        },
        "x-close-codes": _close_codes(),
        "x-error-codes": [{"code": c.value, "meaning": text} for c, text in ERROR_CODES.items()],
    }
