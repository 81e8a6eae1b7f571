"""What Ordercast itself sends over HTTP (contract 6): the seed's callbacks and the webhooks."""

from typing import Any, Final

from schemas.documents.examples import examples_of

__all__ = ["callbacks", "json_body", "webhooks"]

_URL: Final = "{$request.body#/notificationUrl}"


def _header(name: str, schema: dict[str, Any], description: str, example: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "schema": schema,
        "description": description,
        "example": example,
    }


_COUNT: Final = {"type": "integer", "minimum": 1}
_HEADERS: Final = [
    _header(
        "webhook-id",
        {"type": "string"},
        "Names the delivery; the same in every attempt and replay. Take each only once.",
        "msg_ord_98765_hgkwmzta_7_ep_4f2a",
    ),
    _header(
        "webhook-timestamp",
        {"type": "integer"},
        "Unix seconds of this attempt, part of what is signed.",
        1795374343,
    ),
    _header(
        "webhook-signature",
        {"type": "string"},
        "Standard Webhooks: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; two of "
        "them, with a space between, while the secret rotates.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
    _header("ordercast-attempt", _COUNT, "The number of this attempt, from 1.", 1),
    _header(
        "ordercast-first-attempt",
        {"type": "string", "format": "date-time"},
        "When the first attempt was made.",
        "2026-11-22T19:05:43.120Z",
    ),
]

_LATER: Final = {"$ref": "#/components/headers/Retry-After"}
_ANSWERS: Final[dict[str, Any]] = {
    "202": {"description": "Received. Any other 2xx says the same."},
    "2XX": {"description": "Received."},
    "410": {"description": "Send nothing more here: the address is switched off."},
    "429": {"description": "Later, please.", "headers": {"Retry-After": _LATER}},
    "503": {"description": "Later, please.", "headers": {"Retry-After": _LATER}},
    "default": {
        "description": "Not received, redirects included: tried again, for up to 24 h.",
    },
}


def json_body(names: tuple[str, ...], kind: str) -> dict[str, Any]:
    """A required JSON body, one of the models named, with the example files of `kind`."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    media: dict[str, Any] = {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}
    shown = [example for name in names for example in examples_of(kind, name)]
    if shown:
        media["examples"] = {
            ".".join(filter(None, (name, variant))): {"value": data}
            for _, name, variant, data in shown
        }
    return {"required": True, "content": {"application/json": media}}


def _post(operation: str, summary: str, model: str) -> dict[str, Any]:
    return {
        "post": {
            "operationId": operation,
            "summary": summary,
            "parameters": _HEADERS,
            "requestBody": json_body((model,), "webhook"),
            "responses": _ANSWERS,
        }
    }


def callbacks() -> dict[str, Any]:
    """The callbacks of `POST /v1/orders`."""
    confirmed = _post("onOrderConfirmed", "The order became CONFIRMED", "OrderStatusBody")
    changed = _post("onStatusChange", "The order's status changed", "StatusChangeBody")
    return {
        "onOrderConfirmed": {f"{_URL}/order-status": confirmed},
        "onStatusChange": {_URL: changed},
    }


def webhooks() -> dict[str, Any]:
    """What registered endpoints get."""
    return {
        "orderEvent": _post("onOrderEvent", "An event of the endpoint's filter", "RegisteredBody"),
        "endpointEvent": _post(
            "onEndpointEvent", "Another of the partner's endpoints was switched off", "EndpointBody"
        ),
    }
