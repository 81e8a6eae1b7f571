"""The example files: what PROTOCOL.md quotes and both clients replay."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import schemas
from schemas.codes import CloseCode, comes_back
from schemas.documents.asyncapi import CLOSE_CODES, DIRECTIONS, type_of
from schemas.documents.examples import FOLDER, Example, all_examples, examples_of
from schemas.documents.models import model_schema, public_models
from schemas.documents.routes import ROUTES
from schemas.lifecycle import CourierState, EventType, Status
from schemas.messages import FixMessage, read_rider_message, read_user_message
from schemas.model import Wire
from schemas.positions import Fix
from schemas.wire import ENCODERS, Codec, Frames, decode, encode

EXAMPLES = all_examples()
MESSAGES = {(d.name, type_of(model)): model for d in DIRECTIONS for model in d.models}
SOCKET = [example for example in EXAMPLES if (example.kind, example.name) in MESSAGES]
PROTOCOL = (Path(schemas.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
QUOTES = re.findall(r"`examples/([^`]+)`:?\n+```json\n(.*?)```", PROTOCOL, re.DOTALL)


def name_of(example: Example) -> str:
    return ".".join(filter(None, example[:3]))


def model_of(example: Example) -> type[Wire]:
    if example.kind in ("http", "webhook"):
        return public_models()[example.name]
    return MESSAGES[example.kind, example.name]


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_fits_its_model(example: Example) -> None:
    """Every example is taken by its model and given back as it was, GCJ-02 places in WGS 84."""
    model = model_of(example).model_validate_json(
        json.dumps(example.data), by_alias=True, by_name=False
    )
    shown = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert (example.data == shown) is (name_of(example) != "http.OrderRequest.gcj02")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_fits_the_exported_schema(example: Example) -> None:
    """What a user validates with the exported schemas passes too."""
    schema = model_schema(model_of(example).__name__)
    assert schema is not None
    assert [] == list(Draft202012Validator(schema).iter_errors(example.data))


@pytest.mark.parametrize("codec", ["json", "msgpack"])
@pytest.mark.parametrize("example", SOCKET, ids=name_of)
def test_a_message_survives_the_codecs(example: Example, codec: Codec) -> None:
    """Encoded and decoded, a message is the same, also by way of shared frames."""
    assert example.data == decode(codec, encode(codec, example.data))
    assert encode(codec, example.data) == Frames(example.data)[ENCODERS[codec]]


@pytest.mark.parametrize(("direction", "kind"), MESSAGES)
def test_every_message_has_an_example(direction: str, kind: str) -> None:
    """There is a plain example of each message in each direction."""
    plain = examples_of(direction, kind)[0]
    assert "" == plain.variant
    assert kind == plain.data["type"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_body_has_an_example(route: Any) -> None:
    """There is a plain example of each body of the HTTP API."""
    models = [*route.request, *(answer.model for answer in route.answers if answer.model)]
    assert [] == [name for name in models if not (FOLDER / f"http.{name}.json").exists()]


@pytest.mark.parametrize("example", SOCKET, ids=name_of)
def test_the_hub_takes_what_clients_say(example: Example) -> None:
    """The hub's own readers take every example of an incoming message."""
    if example.kind == "user-to-hub":
        assert example.name == read_user_message(example.data).type
    elif example.kind == "rider-to-hub":
        message = read_rider_message(example.data)
        assert example.name == message.type
        if isinstance(message, FixMessage):
            assert Fix.read(message.fix).seq == example.data["seq"]
    else:
        assert example.kind in ("to-user", "to-rider")


def test_the_page_quotes_the_files() -> None:
    """Each quoted example in PROTOCOL.md is the file that it names."""
    assert QUOTES
    files = {name: (FOLDER / name).read_text(encoding="utf-8") for name, _ in QUOTES}
    assert files == dict(QUOTES)


@pytest.mark.parametrize(("direction", "kind"), MESSAGES)
def test_the_page_shows_every_message(direction: str, kind: str) -> None:
    """PROTOCOL.md quotes each message; one that both sockets share, once."""
    shared = {f"{direction}.{kind}.json", f"to-user.{kind}.json", f"user-to-hub.{kind}.json"}
    assert shared & {name for name, _ in QUOTES}


@pytest.mark.parametrize(
    ("field", "values"),
    [("status", Status), ("courierState", CourierState), ("eventType", EventType)],
)
def test_the_page_names_every_value(field: str, values: type[StrEnum]) -> None:
    """PROTOCOL.md has a row for each field with values of its own."""
    (row,) = re.findall(rf"^\| `{field}` \| (.*) \|$", PROTOCOL, re.MULTILINE)
    assert set(values) == set(re.findall(r"`([^`]+)`", row))


@pytest.mark.parametrize("code", CloseCode)
def test_the_page_lists_every_close_code(code: CloseCode) -> None:
    """PROTOCOL.md says of each code whether to come back, as the code does."""
    answer = "yes" if comes_back(code) else "no"
    assert f"| {code.value} | {code.name} | {answer} | {CLOSE_CODES[code]} |" in PROTOCOL
