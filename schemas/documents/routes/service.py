"""The exported documents and what operators ask (contract 2)."""

from typing import Final

from schemas.documents.routes.route import (
    CACHED,
    NOT_MODIFIED,
    Answer,
    Route,
)
from schemas.lifecycle import Role

__all__ = ["SERVICE"]


def _document(
    path: str, operation: str, summary: str, media: str, errors: tuple[int, ...] = ()
) -> Route:
    answers = (Answer(200, summary, headers=CACHED, media=media), NOT_MODIFIED)
    return Route(
        "get", path, operation, "documents", summary, (), answers, errors, ("ifNoneMatch",)
    )


_DOCUMENTS: Final = (
    _document("/openapi.json", "getOpenapi", "This document, OpenAPI 3.1", "application/json"),
    _document("/asyncapi.json", "getAsyncapi", "The sockets, AsyncAPI 3.0.0", "application/json"),
    _document(
        "/schemas/{name}.json",
        "getSchema",
        "One model as JSON Schema 2020-12",
        "application/json",
        (404,),
    ),
)

_OPERATIONS: Final = (
    Route(
        "get",
        "/healthz",
        "getHealth",
        "operations",
        "Whether the process lives",
        (),
        (Answer(200, "It does.", "Liveness"),),
    ),
    Route(
        "get",
        "/readyz",
        "getReadiness",
        "operations",
        "Whether the hub can do its work",
        (),
        (Answer(200, "It can.", "Readiness"), Answer(503, "It can't now.", "Readiness")),
    ),
    Route(
        "get",
        "/metrics",
        "getMetrics",
        "operations",
        "Prometheus metrics",
        (),
        (Answer(200, "Text exposition format.", media="text/plain"),),
    ),
    Route(
        "get",
        "/v1/hubs",
        "listHubs",
        "operations",
        "List the live hub instances",
        (Role.OPS,),
        (Answer(200, "Those seen lately.", "HubList"),),
        (401, 403, 422, 503),
        ("limit", "cursor"),
    ),
)

SERVICE: Final = (*_DOCUMENTS, *_OPERATIONS)
