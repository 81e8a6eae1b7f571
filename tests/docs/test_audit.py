"""The verifier of docs/audit.md agrees with `ordercast verify`."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from tests.core.proving import KEY, Ledger, events_of
from tests.docs.shell import ROOT

(CODE,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.S)
VERIFIER: dict[str, Any] = {"__name__": "verifier"}
exec(CODE, VERIFIER)

Json = dict[str, Any]


def proof(count: int = 5) -> Json:
    """Of an order among others: finished, or with so many of its events."""
    ledger, events = Ledger(), events_of("ord_1", count)
    ledger.add(*events_of("ord_0"), *events, *events_of("ord_2", 2))
    ledger.sign()
    return ledger.proof(events)


def verify(told: Json) -> None:
    VERIFIER["verify"](told, KEY.public.text)


@pytest.mark.parametrize("count", [1, 4, 5])
def test_a_proof_holds(count: int) -> None:
    """Of an order at its end, and before it."""
    verify(proof(count))


def test_a_pending_event_does_not() -> None:
    """The exported example has one."""
    examples = ROOT / "schemas" / "examples"
    keys = json.loads((examples / "http.AuditKeys.json").read_text())["keys"]
    with pytest.raises(AssertionError):
        VERIFIER["verify"](
            json.loads((examples / "http.Proof.json").read_text()), keys[0]["publicKey"]
        )


def change_an_event(told: Json) -> None:
    told["events"][1]["status"] = "CANCELLED"


def forge_the_hashes(told: Json) -> None:
    """As one would who can write to the store."""
    before = ""
    change_an_event(told)
    for event in told["events"]:
        event["prevHash"] = before
        before = event["hash"] = VERIFIER["sha"](VERIFIER["without"](event, "hash")).hex()


def cut_the_end_off(told: Json) -> None:
    for name in ("events", "inclusion"):
        told[name].pop()
    told["seq"] -= 1


def remove_the_first(told: Json) -> None:
    del told["events"][0], told["inclusion"][0]


def swap_two(told: Json) -> None:
    for name in ("events", "inclusion"):
        told[name][0], told[name][1] = told[name][1], told[name][0]


def forge_the_head(told: Json) -> None:
    told["head"]["at"] = "2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    "spoil",
    [
        change_an_event,
        forge_the_hashes,
        cut_the_end_off,
        remove_the_first,
        swap_two,
        forge_the_head,
    ],
)
def test_a_spoilt_one_does_not(spoil: Callable[[Json], None]) -> None:
    """Whatever was done to it."""
    for count in (4, 5):
        told = proof(count)
        spoil(told)
        with pytest.raises((AssertionError, InvalidSignature, KeyError)):
            verify(told)
