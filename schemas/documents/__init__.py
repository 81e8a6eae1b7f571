"""The contract as documents for machines, built from the models and the route table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.documents.asyncapi import asyncapi
from schemas.documents.models import json_schema, model_schema
from schemas.documents.openapi import openapi
from schemas.documents.openapi30 import downgrade

__all__ = ["DOCUMENTS", "document", "model_schema"]

DOCUMENTS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = MappingProxyType(
    {
        "openapi": openapi,
        "openapi-3.0": lambda: downgrade(openapi()),
        "asyncapi": asyncapi,
        "json-schema": json_schema,
    }
)


def document(name: str) -> dict[str, Any]:
    """The document of that name in `DOCUMENTS`; to be built once and kept. Raises KeyError."""
    return DOCUMENTS[name]()
