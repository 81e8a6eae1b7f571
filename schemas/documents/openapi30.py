"""OpenAPI 3.1 told in the words of 3.0.3, whose schemas are older than JSON Schema 2020-12."""

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["downgrade"]

_NULL: Final = {"type": "null"}
_LISTS: Final = ("anyOf", "oneOf", "allOf")
_BOUNDS: Final = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [X, null]` -> `X` with `nullable`; of several X the `anyOf` stays."""
    options = schema.get("anyOf", [])
    if _NULL not in options:
        return schema
    rest = [option for option in options if option != _NULL]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(rest) > 1:
        return {"anyOf": [option | {"nullable": True} for option in rest]} | others
    return {**rest[0], **others, "nullable": True}


def _without_ref_siblings(schema: dict[str, Any]) -> dict[str, Any]:
    """In 3.0 whatever stands beside a `$ref` is ignored."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    others = {key: value for key, value in schema.items() if key != "$ref"}
    return {"allOf": [{"$ref": schema["$ref"]}]} | others


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """Keywords that 3.0 spells otherwise."""
    out = dict(schema)
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if "examples" in out:
        out["example"] = out.pop("examples")[0]
    for exclusive, inclusive in _BOUNDS:
        if exclusive in out:
            out[inclusive] = out[exclusive]
            out[exclusive] = True
    return out


def _schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema  # additionalProperties may be a boolean
    out = _renamed(_without_ref_siblings(_nullable(schema)))
    for key in ("items", "not", "additionalProperties"):
        if key in out:
            out[key] = _schema(out[key])
    for key in _LISTS:
        if key in out:
            out[key] = [_schema(option) for option in out[key]]
    if "properties" in out:
        out["properties"] = {name: _schema(value) for name, value in out["properties"].items()}
    return out


def _walk(value: Any) -> Any:
    """Every `schema` of the document, wherever it stands; examples are left alone."""
    if isinstance(value, list):
        return [_walk(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    special: Mapping[str, Callable[[Any], Any]] = {
        "schema": _schema,
        "schemas": lambda schemas: {name: _schema(schema) for name, schema in schemas.items()},
        "example": lambda example: example,
        "examples": lambda examples: examples,
    }
    return {key: special.get(key, _walk)(entry) for key, entry in value.items()}


def downgrade(document: dict[str, Any]) -> dict[str, Any]:
    """A 3.1 document as 3.0.3. The webhooks move to `x-webhooks`, which tools know."""
    out: dict[str, Any] = _walk(document) | {"openapi": "3.0.3"}
    del out["jsonSchemaDialect"]
    out["x-webhooks"] = out.pop("webhooks")
    return out
