"""The exported documents: valid by their own standards, complete, and current."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from schemas import export
from schemas.codes import CloseCode, ErrorCode
from schemas.documents import DOCUMENTS, document, model_schema
from schemas.documents.asyncapi import CLOSE_CODES, DIRECTIONS, ERROR_CODES
from schemas.documents.models import public_models
from schemas.documents.openapi30 import downgrade
from schemas.documents.parts import PARAMETERS, PROBLEMS
from schemas.documents.routes import ROUTES

ASYNCAPI = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text())
CALLBACK_HEADERS = {
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "ordercast-attempt",
    "ordercast-first-attempt",
}


def values_of(key: str, value: Any) -> list[Any]:
    """Every value under `key`, wherever it stands."""
    if isinstance(value, list):
        return [found for entry in value for found in values_of(key, entry)]
    if not isinstance(value, dict):
        return []
    here = [value[key]] if key in value else []
    return here + [found for entry in value.values() for found in values_of(key, entry)]


def at(shown: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("#/").split("/"):
        shown = shown[step.replace("~1", "/").replace("~0", "~")]
    return shown


def keywords(schema: Any) -> set[str]:
    """The keywords that a schema uses, names of properties left out."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for key, value in schema.items():
        if key == "properties":
            found |= set().union(*map(keywords, value.values()))
        elif key not in ("example", "default", "enum"):
            found |= keywords(value)
    return found


def test_exported_files_are_current() -> None:
    """The committed files are what the code builds."""
    assert {} == export.stale()


def test_check_tells_stale_from_current(tmp_path: Path) -> None:
    """`--check` fails until the files are written, and again when one was edited."""
    assert 1 == export.main(["--check"], tmp_path)
    assert [] == list(tmp_path.iterdir())
    assert 0 == export.main([], tmp_path)
    assert 0 == export.main(["--check"], tmp_path)
    (tmp_path / "openapi.json").write_text("{}")
    assert 1 == export.main(["--check"], tmp_path)


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    """A mistyped flag does not write files."""
    assert 2 == export.main(["--chek"], tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "validator"),
    [("openapi", OpenAPIV31SpecValidator), ("openapi-3.0", OpenAPIV30SpecValidator)],
)
def test_openapi_is_valid(name: str, validator: Any) -> None:
    """Both OpenAPI documents follow their versions of the specification."""
    assert [] == [error.message for error in validator(document(name)).iter_errors()]


def test_asyncapi_is_valid() -> None:
    """The AsyncAPI document follows the official schema of 3.0.0."""
    assert [] == [
        error.message for error in Draft7Validator(ASYNCAPI).iter_errors(document("asyncapi"))
    ]


def test_the_asyncapi_schema_refuses_what_is_wrong() -> None:
    """The official schema is really applied, down to the operations."""
    wrong = document("asyncapi")
    wrong["operations"]["toUser"]["action"] = "shout"
    assert not Draft7Validator(ASYNCAPI).is_valid(wrong)


def test_json_schema_is_valid() -> None:
    """Every definition follows the JSON Schema dialect that the document names."""
    shown = document("json-schema")
    Draft202012Validator.check_schema(shown)
    assert set(public_models()) <= set(shown["$defs"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_references_lead_somewhere(name: str) -> None:
    """No `$ref` of any document hangs in the air."""
    shown = document(name)
    for ref in values_of("$ref", shown):
        assert at(shown, ref) is not None


@pytest.mark.parametrize("name", sorted(public_models()))
def test_a_model_stands_alone(name: str) -> None:
    """The document of one model has all that it refers to."""
    shown = model_schema(name)
    assert shown is not None
    Draft202012Validator.check_schema(shown)
    for ref in values_of("$ref", shown):
        assert at(shown, ref) is not None


def test_there_is_no_document_for_an_unknown_model() -> None:
    """An unknown name is told by None, for the hub to answer 404."""
    assert model_schema("Nonsense") is None


def test_documents_do_not_share_state() -> None:
    """A caller may change what it got."""
    document("json-schema")["$defs"].clear()
    assert "Order" in document("json-schema")["$defs"]


def test_model_names_are_plain() -> None:
    """No two models share a name, which pydantic would tell apart by their modules."""
    assert [] == [name for name in document("json-schema")["$defs"] if not name.isalnum()]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_row_names_known_things(route: Any) -> None:
    """Models, parameters and problems of the route table exist."""
    told = {answer.model for answer in route.answers} - {None}
    assert told | set(route.request) <= set(public_models())
    assert set(route.parameters) <= set(PARAMETERS)
    assert set(route.errors) <= set(PROBLEMS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_errors_follow_from_the_kind_of_route(route: Any) -> None:
    """Who asks for a token may refuse it; who reads a body may refuse that."""
    assert bool(route.roles) == ({401, 403} <= set(route.errors))
    assert bool(route.request) == ({400, 413} <= set(route.errors))


def test_operations_are_unique() -> None:
    """No two rows share a method and path, or an operation id."""
    assert len(ROUTES) == len({route.operation for route in ROUTES})
    assert len(ROUTES) == len({(route.method, route.path) for route in ROUTES})


def test_posts_under_orders_take_an_idempotency_key() -> None:
    """The promise holds for every POST under /v1/orders."""
    posts = [r for r in ROUTES if r.method == "post" and r.path.startswith("/v1/orders")]
    assert [] == [r.path for r in posts if "idempotencyKey" not in r.parameters]


def test_a_token_in_the_query_is_for_sse_alone() -> None:
    """Only the stream route takes `access_token`."""
    assert ["streamOrder"] == [r.operation for r in ROUTES if "accessToken" in r.parameters]


@pytest.mark.parametrize("name", ["openapi", "openapi-3.0"])
def test_problems_are_problem_json(name: str) -> None:
    """Every answer of 400 and above is a problem, but for readiness."""
    shown = document(name)
    for path, item in shown["paths"].items():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    content = at(shown, answer["$ref"])["content"]
                    assert ["application/problem+json"] == list(content)


@pytest.mark.parametrize("name", ["openapi", "openapi-3.0"])
def test_the_seeds_callbacks(name: str) -> None:
    """POST /v1/orders tells of its two callbacks, with their keys, bodies and headers."""
    shown = document(name)["paths"]["/v1/orders"]["post"]["callbacks"]
    wanted = {
        "onOrderConfirmed": ("{$request.body#/notificationUrl}/order-status", "OrderStatusBody"),
        "onStatusChange": ("{$request.body#/notificationUrl}", "StatusChangeBody"),
    }
    assert set(wanted) == set(shown)
    for callback, (key, model) in wanted.items():
        post = shown[callback][key]["post"]
        body = post["requestBody"]["content"]["application/json"]["schema"]
        assert {"$ref": f"#/components/schemas/{model}"} == body
        assert "202" in post["responses"]
        assert {header["name"] for header in post["parameters"]} == CALLBACK_HEADERS


def test_registered_endpoints_are_webhooks() -> None:
    """3.1 has the registered endpoints as webhooks, 3.0 under the extension tools know."""
    told = document("openapi")["webhooks"]["orderEvent"]["post"]["requestBody"]
    assert ["#/components/schemas/RegisteredBody"] == values_of("$ref", told)
    older = document("openapi-3.0")
    assert "webhooks" not in older
    assert "orderEvent" in older["x-webhooks"]


def test_the_older_document_uses_older_words() -> None:
    """3.0.3 knows no const, null type, examples list or numeric exclusive bounds in schemas."""
    used = keywords(list(document("openapi-3.0")["components"]["schemas"].values()))
    assert set() == used & {"const", "examples", "$defs", "$schema", "prefixItems"}
    assert "null" not in values_of("type", document("openapi-3.0")["components"]["schemas"])


SCHEMAS_31_AND_30 = [
    ({"const": "fix", "type": "string"}, {"enum": ["fix"], "type": "string"}),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
        {"type": "string", "description": "d", "nullable": True},
    ),
    (
        {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/x"}], "nullable": True},
    ),
    (
        {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        {"anyOf": [{"type": "integer", "nullable": True}, {"type": "string", "nullable": True}]},
    ),
    ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
    ({"exclusiveMaximum": 9}, {"maximum": 9, "exclusiveMaximum": True}),
    ({"examples": ["a", "b"]}, {"example": "a"}),
    ({"$ref": "#/x"}, {"$ref": "#/x"}),
    ({"$ref": "#/x", "default": 1}, {"allOf": [{"$ref": "#/x"}], "default": 1}),
    ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
    ({"items": {"const": 1}}, {"items": {"enum": [1]}}),
    ({"additionalProperties": False}, {"additionalProperties": False}),
]


@pytest.mark.parametrize(("newer", "older"), SCHEMAS_31_AND_30)
def test_downgrading_a_schema(newer: dict[str, Any], older: dict[str, Any]) -> None:
    """Each keyword of 2020-12 that we use has its words in 3.0."""
    whole = {"openapi": "3.1.0", "jsonSchemaDialect": "d", "webhooks": {}, "a": {"schema": newer}}
    assert older == downgrade(whole)["a"]["schema"]


def test_both_channels_have_both_directions() -> None:
    """Each socket has one operation for each way, with every message of that way."""
    shown = document("asyncapi")
    addresses = {channel["address"] for channel in shown["channels"].values()}
    assert {"/v1/stream", "/v1/riders/{riderId}/stream"} == addresses
    counts = [len(operation["messages"]) for operation in shown["operations"].values()]
    assert [len(direction.models) for direction in DIRECTIONS] == counts


def test_a_fix_is_flat_on_the_wire() -> None:
    """The rider's message has the fix's fields beside its type."""
    shown = document("asyncapi")["components"]["schemas"]
    assert {"type", "seq", "at", "lat", "lng"} == set(shown["FixMessage"]["required"])
    assert {"$ref": "#/components/schemas/Fix"} == shown["Fixes"]["properties"]["fixes"]["items"]


def test_every_code_is_explained() -> None:
    """A new close code or error code needs its line in the documents."""
    assert set(CloseCode) == set(CLOSE_CODES)
    assert set(ErrorCode) == set(ERROR_CODES)
