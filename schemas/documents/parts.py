"""Pieces that many routes share: parameters, headers, problem answers and the token scheme."""

from typing import Any, Final

from schemas.lifecycle import Status

__all__ = ["DEVICE", "HEADERS", "PARAMETERS", "PROBLEMS", "SECURITY", "problem_responses"]

_ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9_.:-]{1,64}$"}
_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_SIZE: Final = {"type": "integer", "minimum": 0}
_CRS: Final = {"type": "string", "enum": ["wgs84", "gcj02"], "default": "wgs84"}


def _path(name: str, example: str, schema: dict[str, Any] = _ID) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _given(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema, "description": description}


PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "orderId": _path("orderId", "ord_98765"),
    "exceptionId": _path("exceptionId", "exc_4f2a"),
    "customerId": _path("customerId", "cus_7"),
    "restaurantId": _path("restaurantId", "res_12345"),
    "riderId": _path("riderId", "rid_7"),
    "endpointId": _path("endpointId", "ep_4f2a"),
    "deliveryId": _path(
        "deliveryId",
        "msg_ord_98765_hgkwmzta_7_ep_4f2a",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,250}$"},
    ),
    "name": _path("name", "OrderRequest", {"type": "string", "pattern": "^[A-Za-z0-9]+$"}),
    "file": _path("file", "track-D8hQw2.js", _TEXT),
    "idempotencyKey": _given(
        "Idempotency-Key",
        "header",
        {"type": "string", "minLength": 1, "maxLength": 255},
        "Makes the request safe to repeat for 24 h: the same key and body from the same caller "
        "answer the first response again. The same key with another body is 422; while the first "
        "is still under way, 409 with Retry-After.",
    ),
    "ifNoneMatch": _given(
        "If-None-Match", "header", _TEXT, "An ETag from before; 304 when it still holds."
    ),
    "lastEventId": _given(
        "Last-Event-ID",
        "header",
        {"type": "string", "pattern": "^[A-Za-z]{1,64}-[0-9]{1,16}$"},
        "`epoch-seq` of the last event seen; the stream goes on after it. EventSource sends it by "
        "itself.",
    ),
    "accessToken": _given(
        "access_token",
        "query",
        _TEXT,
        "A customer token bound to this one order, for EventSource, which can't send headers. "
        "Taken here and nowhere else.",
    ),
    "afterSeq": _given(
        "after",
        "query",
        {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0},
        "Only events with a greater `seq`.",
    ),
    "cursor": _given(
        "after", "query", {"type": "string", "minLength": 1}, "`next` of the page before."
    ),
    "ofEndpoint": _given(
        "endpoint", "query", _TEXT, "Only deliveries to this one: its id, `confirmed` or `changes`."
    ),
    "ofOrder": _given("orderId", "query", _TEXT, "Only deliveries of this order."),
    "inState": _given(
        "state",
        "query",
        {"type": "string", "enum": ["pending", "delivered", "superseded", "dead", "held"]},
        "Only deliveries in this state.",
    ),
    "openOnly": _given(
        "state", "query", {"type": "string", "enum": ["open"], "default": "open"}, "Only these."
    ),
    "orderStatus": _given(
        "status",
        "query",
        {"type": "string", "enum": [status.value for status in Status]},
        "Only orders in this status; without `q`, one that is not final.",
    ),
    "search": _given(
        "q",
        "query",
        {"type": "string", "maxLength": 64},
        "The order of this id, those placed with it as `externalId`, and those under way of the "
        "rider of this id.",
    ),
    "feedCursor": _given(
        "after",
        "query",
        {"type": "string", "pattern": "^[0-9]{1,15}-[0-9]{1,15}$"},
        "The cursor of an item, or `next`; without it the feed goes on from the last "
        "acknowledgement.",
    ),
    "sinceSize": _given(
        "from", "query", _SIZE, "Size of a head seen before, for a proof of consistency with it."
    ),
    "fromSize": {
        **_given("from", "query", _SIZE, "Events in the smaller log."),
        "required": True,
        "example": 0,
    },
    "toSize": _given(
        "to", "query", _SIZE, "Events in the larger log; without it, those of the newest head."
    ),
    "limit": _given(
        "limit",
        "query",
        {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        "How many items at most.",
    ),
    "crs": _given(
        "crs",
        "query",
        _CRS,
        "The coordinates to answer in.",
    ),
    "device": _given(
        "id",
        "query",
        _TEXT,
        "The device id that `ordercast token --role rider --sub R --device` prints; needed, as "
        "`id` or `deviceid`.",
    ),
    "fixLat": _given(
        "lat", "query", _NUMBER, "Degrees. Needed, with `lon`, unless there is `location`."
    ),
    "fixLon": _given("lon", "query", _NUMBER, "Degrees."),
    "fixLocation": _given("location", "query", _TEXT, "`lat,lon` in one; it goes before the two."),
    "fixCrs": _given(
        "crs", "query", _CRS, "The coordinates that are given. It may stand in the app's URL."
    ),
    "fixTimestamp": _given(
        "timestamp",
        "query",
        _TEXT,
        "Unix seconds or, from 2^31 - 1 on, milliseconds; or ISO 8601, of UTC if without a zone. "
        "Without it: now.",
    ),
    "fixSpeed": _given("speed", "query", _NUMBER, "Knots. Below 0: not known."),
    "fixBearing": _given(
        "bearing", "query", _NUMBER, "Degrees clockwise from north; also as `heading`."
    ),
    "fixAccuracy": _given("accuracy", "query", _NUMBER, "Metres."),
    "fixBattery": _given("batt", "query", _NUMBER, "Percent, 0..100."),
}


def _header(description: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema, "example": example}


_CACHE: Final = "How long, and by whom, the answer may be kept."
HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Location": _header(
        "Where the new resource is.",
        {"type": "string", "format": "uri-reference"},
        "/v1/orders/ord_98765",
    ),
    "ETag": _header("The version of the answer, for If-None-Match.", _TEXT, '"hgkwmzta-4"'),
    "Cache-Control": _header(_CACHE, _TEXT, "private, no-cache"),
    "Idempotent-Replayed": _header(
        "`true` when this is the first response to the Idempotency-Key again.",
        {"type": "string", "enum": ["true"]},
        "true",
    ),
    "WWW-Authenticate": _header("The scheme to come back with.", _TEXT, "Bearer"),
    "Retry-After": _header(
        "Seconds to wait before asking again.", {"type": "integer", "minimum": 0}, 2
    ),
}

# Status: name in components, what it means, headers.
PROBLEMS: Final[dict[int, tuple[str, str, tuple[str, ...]]]] = {
    400: (
        "BadRequest",
        (
            "The body is no JSON. At `/v1/osmand` also: a parameter is missing, or cannot be read; "
            "`errors` points at it."
        ),
        (),
    ),
    401: (
        "Unauthenticated",
        (
            "No token, or one that is expired, forged or not for here. At `/v1/osmand` the same of "
            "the device id."
        ),
        ("WWW-Authenticate",),
    ),
    403: ("Forbidden", "The token's role may not do this.", ()),
    404: ("NotFound", "There is no such thing, or it belongs to somebody else.", ()),
    409: (
        "Conflict",
        (
            "Not in this state; `allowed` names the statuses that may follow, `orderId` the order "
            "that has the `externalId`. With Retry-After: the first request of this "
            "Idempotency-Key is still under way."
        ),
        ("Retry-After",),
    ),
    413: ("TooLarge", "The body is over 64 KiB.", ()),
    422: (
        "Unprocessable",
        (
            "JSON that does not fit; `errors` points at each bad field. Also an Idempotency-Key "
            "that came with another body before."
        ),
        (),
    ),
    503: (
        "Unavailable",
        "The store is away. Nothing was written; the same Idempotency-Key succeeds later.",
        ("Retry-After",),
    ),
}


def _problem(description: str, headers: tuple[str, ...]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": description}
    if headers:
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    schema = {"$ref": "#/components/schemas/Problem"}
    return response | {"content": {"application/problem+json": {"schema": schema}}}


def problem_responses() -> dict[str, Any]:
    """The answers that say no, as components."""
    return {name: _problem(text, headers) for name, text, headers in PROBLEMS.values()}


SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "HS256, or EdDSA, ES256 or RS256 by JWKS. Claims `exp`, `aud: ordercast` and `role` "
            "are required. Roles: `platform`; `merchant` (with `restaurant`); `rider` (with "
            "`sub`); `customer` (with `orders`, or `sub` = customerId); `partner` (with "
            "`partner`); `ops`. Each operation names its roles in `x-roles`."
        ),
    }
}

DEVICE: Final = {
    "device": {
        "type": "apiKey",
        "in": "query",
        "name": "id",
        "description": (
            "The device id of a rider's tracker app, which is no token, as no token is a device "
            "id. In a form body it is `id` too, in JSON `device_id`. Whoever has it can send this "
            "rider's positions, and nothing else: use https."
        ),
    }
}
