"""Every public model as JSON Schema 2020-12, one definition each, under its class's name."""

from collections.abc import Collection
from copy import deepcopy
from functools import cache
from inspect import isclass
from types import ModuleType
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from schemas import (
    audit,
    customers,
    exceptions,
    messages,
    model,
    orders,
    overview,
    positions,
    problems,
    webhooks,
)
from schemas.documents import shapes
from schemas.model import Wire

__all__ = ["DIALECT", "definitions", "json_schema", "model_schema", "public_models"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_MODULES: Final = (
    model,
    exceptions,
    orders,
    customers,
    overview,
    positions,
    problems,
    webhooks,
    audit,
    messages,
    shapes,
)
"""Later modules win a name: `shapes` shows the wire where the code is looser."""

_REF: Final = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Without titles that repeat the field's name, and without `default: null`."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        if shown.get("default", ...) is None:
            del shown["default"]
        return shown


def _models_in(module: ModuleType) -> dict[str, type[Wire]]:
    return {
        name: value
        for name, value in vars(module).items()
        if isclass(value) and issubclass(value, Wire) and value.__module__ == module.__name__
    }


def public_models() -> dict[str, type[Wire]]:
    """Name to model, of everything that crosses the wire."""
    found: dict[str, type[Wire]] = {}
    for module in _MODULES:
        found |= _models_in(module)
    return {name: found[name] for name in sorted(found) if found[name] is not Wire}


@cache
def _definitions(prefix: str) -> dict[str, Any]:
    wanted = [(shown, "validation") for shown in public_models().values()]
    _, document = models_json_schema(
        wanted,  # type: ignore[arg-type]
        ref_template=prefix + "{model}",
        schema_generator=_Generator,
    )
    return dict(sorted(document["$defs"].items()))


def _names_in(schema: Any, prefix: str) -> set[str]:
    """The definitions that a schema refers to itself."""
    if isinstance(schema, list):
        return set().union(*(_names_in(entry, prefix) for entry in schema))
    if not isinstance(schema, dict):
        return set()
    names = set().union(*(_names_in(entry, prefix) for entry in schema.values()))
    if isinstance(ref := schema.get("$ref"), str):
        names.add(ref.removeprefix(prefix))
    return names


def definitions(prefix: str = _REF, roots: Collection[str] | None = None) -> dict[str, Any]:
    """Every model and enum by name, or `roots` alone with all that they need.

    `$ref`s among them begin with `prefix`.
    """
    known = _definitions(prefix)
    waiting = set(known if roots is None else roots)
    found: set[str] = set()
    while waiting:
        found |= waiting
        waiting = set().union(*(_names_in(known[name], prefix) for name in waiting)) - found
    return deepcopy({name: known[name] for name in sorted(found)})


def model_schema(name: str) -> dict[str, Any] | None:
    """One model as a document of its own, with the definitions it needs; None if there is none."""
    if name not in _definitions(_REF):
        return None
    needed = definitions(roots=[name])
    document: dict[str, Any] = {"$schema": DIALECT, **needed.pop(name)}
    return document | {"$defs": needed} if needed else document


def json_schema() -> dict[str, Any]:
    """All models in one document."""
    return {
        "$schema": DIALECT,
        "title": "Ordercast",
        "description": "Every model that crosses Ordercast's wires, by name under `$defs`.",
        "$defs": definitions(),
    }
