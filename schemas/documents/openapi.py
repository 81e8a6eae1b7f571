"""The HTTP API as OpenAPI 3.1, built from the route table."""

import re
from typing import Any, Final

from schemas.documents.callbacks import callbacks, json_body, webhooks
from schemas.documents.examples import examples_of
from schemas.documents.models import DIALECT, definitions
from schemas.documents.parts import (
    DEVICE,
    HEADERS,
    PARAMETERS,
    PROBLEMS,
    SECURITY,
    problem_responses,
)
from schemas.documents.routes import ROUTES, Answer, Route
from schemas.wire import dumps

__all__ = ["INFO", "SCHEMAS", "openapi"]

SCHEMAS: Final = "#/components/schemas/"

INFO: Final[dict[str, Any]] = {
    "title": "Ordercast",
    "version": "1.0.0",
    "description": (
        "Live status of food-delivery orders. Times are RFC 3339 UTC with milliseconds, money is "
        "integer minor units, coordinates are WGS 84 degrees unless `crs` says `gcj02`. Absent "
        "fields are left out rather than null. Clients should ignore fields they do not know."
    ),
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}

_TAGS: Final = {
    "orders": "Place orders, move them on, watch them.",
    "customers": "Their personal data.",
    "courier": "The courier's own axis, and positions.",
    "exceptions": "What goes wrong with an order, and what is done about it.",
    "restaurants": "Data that seldom changes.",
    "webhooks": "Endpoints that are told what happens.",
    "audit": "Proofs that nothing was changed afterwards.",
    "pages": "For people with a browser.",
    "documents": "This contract, for machines.",
    "operations": "For those who run the hub.",
}


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _sse() -> str:
    """How a stream begins: the snapshot, then an event, each with its `id:`."""
    (subscribed, *_), (event, *_) = (examples_of("to-user", n) for n in ("subscribed", "event"))
    told = (
        (subscribed.data["snapshot"], {k: v for k, v in subscribed.data.items() if k != "id"}),
        (event.data, event.data),
    )
    return "".join(
        f"id: {at['epoch']}-{at['seq']}\ndata: {dumps(data).decode()}\n\n" for at, data in told
    )


def _content(answer: Answer) -> dict[str, Any]:
    if answer.media == "text/event-stream":
        return {answer.media: {"schema": {"type": "string"}, "example": _sse()}}
    if answer.model is None:
        schema = {"type": "object"} if answer.media.endswith("json") else {"type": "string"}
        return {answer.media: {"schema": schema}}
    media: dict[str, Any] = {"schema": {"$ref": SCHEMAS + answer.model}}
    if shown := examples_of("http", answer.model):
        media["examples"] = {e.variant or e.name: {"value": e.data} for e in shown}
    return {answer.media: media}


def _answer(answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        shown["headers"] = {name: _ref("headers", name) for name in answer.headers}
    if answer.media and answer.status not in (204, 304):
        shown["content"] = _content(answer)
    return shown


def _responses(route: Route) -> dict[str, Any]:
    answers = {str(answer.status): _answer(answer) for answer in route.answers}
    problems = {str(status): _ref("responses", PROBLEMS[status][0]) for status in route.errors}
    return answers | dict(sorted(problems.items()))


def _security(route: Route) -> list[dict[str, list[str]]]:
    """An empty requirement beside the token means that the operation can do without it."""
    if route.device:
        return [{"device": []}]
    bearer: list[dict[str, list[str]]] = [{"bearer": []}] if route.roles else []
    return [*bearer, {}] if route.roles and route.anonymous else bearer


def _description(route: Route) -> str:
    roles = ", ".join(f"`{role.value}`" for role in route.roles)
    asked = f"Roles: {roles}." if roles else "With a device id." if route.device else "Public."
    return f"{route.description}\n\n{asked}".strip()


def _form(route: Route) -> dict[str, Any]:
    """The query's parameters as a form."""
    fields = {
        each["name"]: {**each["schema"], "description": each["description"]}
        for each in (PARAMETERS[name] for name in route.parameters)
    }
    schema = {"type": "object", "properties": fields}
    return {"application/x-www-form-urlencoded": {"schema": schema}}


def _request(route: Route) -> dict[str, Any]:
    body = json_body(route.request, "http")
    if not route.form:
        return body
    return {"required": False, "content": body["content"] | _form(route)}


def _operation(route: Route) -> dict[str, Any]:
    names = (*re.findall(r"{(\w+)}", route.path), *route.parameters)
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "description": _description(route),
        "x-roles": [role.value for role in route.roles],
        "security": _security(route),
    }
    if names:
        operation["parameters"] = [_ref("parameters", name) for name in names]
    if route.request:
        operation["requestBody"] = _request(route)
    operation["responses"] = _responses(route)
    if route.callbacks:
        operation["callbacks"] = callbacks()
    return operation


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return paths


def openapi() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "jsonSchemaDialect": DIALECT,
        "servers": [{"url": "/", "description": "the hub that served this document"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _paths(),
        "webhooks": webhooks(),
        "components": {
            "schemas": definitions(SCHEMAS),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": problem_responses(),
            "securitySchemes": SECURITY | DEVICE,
        },
    }
