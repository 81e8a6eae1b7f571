"""The conversations of `schemas/examples/session`, which the TypeScript client plays too."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

import schemas
from clients import errors
from clients.session import Cursor, UserSession
from clients.updates import Acked
from clients.uplink import RiderSession
from schemas.documents.asyncapi import type_of
from schemas.messages import RIDER_TO_HUB, TO_RIDER, TO_USER, USER_TO_HUB, FixMessage
from schemas.positions import Fix
from schemas.times import format_time

FOLDER = Path(schemas.__file__).parent / "examples" / "session"
TRACES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
MODELS = {"user": (*USER_TO_HUB, *TO_USER), "rider": (*RIDER_TO_HUB, *TO_RIDER)}
TIMES = ("at", "timestamp")
WHEN = {"now": float("-inf"), "never": float("inf")}

Step = dict[str, Any]


def session_of(trace: Mapping[str, Any]) -> Any:
    if trace["session"] == "user":
        return UserSession(lambda: 0.5, trace.get("stays", False))
    options = {"first_seq": trace.get("firstSeq"), "capacity": trace.get("capacity")}
    return RiderSession(**{name: value for name, value in options.items() if value is not None})


def told(update: Any) -> dict[str, Any]:
    """An update with the names and times of the wire."""
    kind = "ack" if isinstance(update, Acked) else type(update).__name__.lower()
    fields = {to_camel(name): value for name, value in asdict(update).items()}
    return {"type": kind} | {
        name: format_time(value) if name in TIMES else value for name, value in fields.items()
    }


def do(session: Any, step: Step, now: float) -> None:
    match step["do"]:
        case "subscribe":
            after = Cursor(**step["after"]) if "after" in step else None
            session.subscribe(step["orderId"], after, step.get("crs", "wgs84"))
        case "unsubscribe":
            session.unsubscribe(step["orderId"])
        case "add":
            assert step["seq"] == session.add(step["fix"], now, step.get("immediately", False))
        case verb:
            getattr(session, verb)()


def state(session: Any, name: str) -> Any:
    match name:
        case "due":
            return session.due()
        case "cursors":
            return {order: at and at._asdict() for order, at in session.orders.items()}
        case "orders":
            return [order.order_id for order in session.orders.orders]
        case "cadence":
            return session.cadence.seconds
    return getattr(session, name)


def hear(session: Any, step: Step, now: float) -> None:
    if "fails" in step:
        with pytest.raises(getattr(errors, step["fails"])) as caught:
            session.receive(step["hears"], now)
        assert step.get("code") == getattr(caught.value, "code", None)
        return
    updates = [told(update) for update in session.receive(step["hears"], now)]
    assert len(step["tells"]) == len(updates), updates
    for wanted, update in zip(step["tells"], updates, strict=True):
        assert wanted == {name: update.get(name) for name in wanted}


@pytest.mark.parametrize("name", TRACES)
def test_the_session_plays_it(name: str) -> None:
    """Each step of the conversation comes out as the file says."""
    session, now = session_of(TRACES[name]), 0.0
    for step in TRACES[name]["steps"]:
        now = step.get("now", now)
        if "do" in step:
            do(session, step, now)
        elif "sends" in step:
            assert step["sends"] == session.outgoing(now)
        elif "hears" in step:
            hear(session, step, now)
        else:
            for key, wanted in step["holds"].items():
                assert (key, WHEN.get(str(wanted), wanted)) == (key, state(session, key))


@pytest.mark.parametrize("name", [name for name, trace in TRACES.items() if "valid" not in trace])
def test_its_messages_fit_the_protocol(name: str) -> None:
    """What is sent and heard are messages of the contract, unless the file says otherwise."""
    models = {type_of(model): model for model in MODELS[TRACES[name]["session"]]}
    steps = TRACES[name]["steps"]
    heard = [step["hears"] for step in steps if "hears" in step]
    for message in heard + [each for step in steps for each in step.get("sends", ())]:
        model = models[message["type"]]
        if model is FixMessage:
            Fix.read({key: value for key, value in message.items() if key != "type"})
        else:
            model.model_validate_json(json.dumps(message), by_alias=True, by_name=False)
