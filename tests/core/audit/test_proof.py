"""What `ordercast verify` finds: every kind of tampering, by its name, and nothing else."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from hub.core.audit.heads import TIP, PublicKey, Signer
from hub.core.audit.proof import check_proof, check_witness
from hub.core.audit.verdict import Fault, FaultCode
from hub.core.orders.chain import sealed
from tests.core.proving import KEY, OTHER, Ledger, events_of

Json = dict[str, Any]
EXAMPLES = Path(schemas.__file__).parent / "examples"


def codes(faults: Any) -> set[str]:
    return {each.code.value for each in faults}


def ledger_of(orders: int = 3) -> Ledger:
    """A log of that many finished orders, their events in turn, with one head."""
    ledger = Ledger()
    for row in zip(*(events_of(f"ord_{number}") for number in range(orders)), strict=True):
        ledger.add(*row)
    ledger.sign()
    return ledger


def fresh() -> Json:
    return deepcopy(ledger_of().proof(events_of("ord_1")))


def resealed(events: list[Json]) -> list[Json]:
    """The same contents, with a chain that holds in itself."""
    made: list[Json] = []
    for event in events:
        content = {name: value for name, value in event.items() if name not in ("hash", "prevHash")}
        made.append(sealed(content, made[-1]["hash"] if made else ""))
    return made


def test_an_untouched_proof_holds() -> None:
    verdict = check_proof(fresh(), KEY.public, strict=True)
    assert (verdict.holds, verdict.order_id, verdict.events) == (True, "ord_1", 5)
    assert verdict.notes == ()


@pytest.mark.parametrize("name", ["Proof", "Proof.consistency"])
def test_the_examples_hold(name: str) -> None:
    """Who writes a verifier of their own has something to try it on."""
    proof = json.loads((EXAMPLES / f"http.{name}.json").read_text())
    keys = json.loads((EXAMPLES / "http.AuditKeys.json").read_text())
    heads = json.loads((EXAMPLES / "http.HeadList.json").read_text())["items"]
    key = PublicKey(keys["keys"][0]["publicKey"])
    seen = heads[:1] if "consistency" in proof else heads
    verdict = check_proof(proof, key, seen, log=keys["log"], allow_pending=True)
    assert verdict.faults == ()


def test_a_log_of_one_order() -> None:
    ledger, events = Ledger(), events_of("ord_1", 1)
    ledger.add(*events)
    ledger.sign()
    assert check_proof(ledger.proof(events), KEY.public).holds


# Tampering with what the proof tells


def change(proof: Json) -> None:
    proof["events"][2]["timestamp"] = "2026-11-22T00:00:00.000Z"


def change_and_reseal(proof: Json) -> None:
    change(proof)
    proof["events"] = resealed(proof["events"])


def add_a_field(proof: Json) -> None:
    proof["events"][1]["estimatedTime"] = 5


def remove(proof: Json) -> None:
    del proof["events"][2]


def remove_the_last(proof: Json) -> None:
    del proof["events"][-1]
    del proof["inclusion"][-1]


def remove_the_first(proof: Json) -> None:
    del proof["events"][0]


def remove_and_reseal(proof: Json) -> None:
    del proof["events"][2]
    for seq, event in enumerate(proof["events"], 1):
        event["seq"] = seq
    proof["events"] = resealed(proof["events"])
    proof["seq"] = 4
    del proof["inclusion"][-1]


def reorder(proof: Json) -> None:
    events = proof["events"]
    events[1], events[2] = events[2], events[1]


def insert(proof: Json) -> None:
    proof["events"].insert(2, deepcopy(proof["events"][2]))


def append(proof: Json) -> None:
    extra = {k: v for k, v in proof["events"][-1].items() if k not in ("hash", "prevHash")}
    proof["events"].append(sealed({**extra, "seq": 6}, proof["events"][-1]["hash"]))


def cut_off(proof: Json) -> None:
    """The end is gone, and nothing in the file says that there ever was more."""
    for name in ("events", "inclusion"):
        del proof[name][3:]
    proof["seq"] = 3


def remove_all(proof: Json) -> None:
    proof |= {"events": [], "inclusion": [], "pending": [], "seq": 0}


def call_it_erased(proof: Json) -> None:
    proof["events"][2] |= {"reason": "it was never late", "erased": True}


def swap(proof: Json) -> None:
    proof["events"][3] = events_of("ord_2")[3]


def swap_all(proof: Json) -> None:
    proof["events"] = events_of("ord_2")


def swap_and_rename(proof: Json) -> None:
    proof["events"] = events_of("ord_2")
    proof["orderId"] = "ord_2"


def other_epoch(proof: Json) -> None:
    proof["events"] = events_of("ord_1", epoch="zzzzzzzz")


def cut_the_chain(proof: Json) -> None:
    content = {k: v for k, v in proof["events"][2].items() if k not in ("hash", "prevHash")}
    proof["events"][2] = sealed(content, "0" * 64)


def wrong_path(proof: Json) -> None:
    proof["inclusion"][1]["hashes"][0] = "0" * 64


def wrong_place(proof: Json) -> None:
    proof["inclusion"][1]["index"] += 1


def drop_a_path(proof: Json) -> None:
    del proof["inclusion"][3]


def prove_nothing(proof: Json) -> None:
    proof["inclusion"] = []
    proof["pending"] = [1, 2, 3, 4, 5]


def path_for_no_event(proof: Json) -> None:
    proof["inclusion"].append({**proof["inclusion"][0], "seq": 9})


def change_the_head(proof: Json) -> None:
    proof["head"]["at"] = "2026-11-23T00:00:00.000Z"


def wrong_signature(proof: Json) -> None:
    proof["head"]["signature"] = "A" * 86 + "=="


def sign_by_another(proof: Json) -> None:
    proof["head"] = OTHER.sign({k: v for k, v in proof["head"].items() if k != "signature"})


def pretend_the_key(proof: Json) -> None:
    sign_by_another(proof)
    proof["head"]["keyId"] = KEY.public.id


def vouch_for_oneself(proof: Json) -> None:
    sign_by_another(proof)
    head = {k: v for k, v in proof["head"].items() if k != "signature"}
    proof["rotations"] = [OTHER.sign({**head, "nextKey": OTHER.public.text})]


def forge_a_rotation(proof: Json) -> None:
    vouch_for_oneself(proof)
    proof["rotations"][0]["keyId"] = KEY.public.id


def no_head(proof: Json) -> None:
    del proof["head"]


CASES: list[tuple[Callable[[Json], None], set[str]]] = [
    (change, {"changed_event"}),
    (change_and_reseal, {"not_included"}),
    (add_a_field, {"changed_event"}),
    (remove, {"removed_event", "chain_broken", "not_included"}),
    (remove_the_last, {"removed_event", "no_tip"}),
    (remove_the_first, {"removed_event", "chain_broken", "not_included"}),
    (remove_and_reseal, {"not_included"}),
    (reorder, {"reordered_event", "removed_event", "chain_broken"}),
    (insert, {"inserted_event", "chain_broken"}),
    (append, {"inserted_event", "pending"}),
    (cut_off, {"no_tip"}),
    (remove_all, {"removed_event"}),
    (call_it_erased, {"erased"}),
    (swap, {"foreign_event", "chain_broken", "not_included"}),
    (swap_all, {"foreign_event", "not_included"}),
    (swap_and_rename, {"not_included"}),
    (other_epoch, {"foreign_event", "not_included"}),
    (cut_the_chain, {"chain_broken", "not_included"}),
    (wrong_path, {"not_included"}),
    (wrong_place, {"not_included"}),
    (drop_a_path, {"pending"}),
    (prove_nothing, {"pending"}),
    (path_for_no_event, {"not_included"}),
    (change_the_head, {"wrong_signature"}),
    (wrong_signature, {"wrong_signature"}),
    (sign_by_another, {"wrong_key"}),
    (pretend_the_key, {"wrong_signature"}),
    (vouch_for_oneself, {"wrong_key"}),
    (forge_a_rotation, {"wrong_key"}),
    (no_head, {"no_head"}),
]


@pytest.mark.parametrize(
    ("tamper", "expected"), CASES, ids=lambda each: getattr(each, "__name__", "")
)
def test_tampering_is_named(tamper: Callable[[Json], None], expected: set[str]) -> None:
    proof = fresh()
    tamper(proof)
    verdict = check_proof(proof, KEY.public)
    assert codes(verdict.faults) == expected
    assert all(each.detail for each in verdict.faults)


def test_the_event_is_named() -> None:
    proof = fresh()
    change(proof)
    text = "event 3 does not have the hash of its content"
    assert check_proof(proof, KEY.public).faults == (Fault(FaultCode.CHANGED_EVENT, text, 3),)


@given(st.data())
def test_no_value_can_be_another(data: st.DataObject) -> None:
    """Whatever text or number of a proof is replaced, it no longer holds."""
    proof = fresh()
    places = [
        (holder, name)
        for holder in [proof, *proof["events"], proof["head"], *proof["inclusion"]]
        for name, value in holder.items()
        if isinstance(value, str | int) and name != "pending"
    ]
    holder, name = data.draw(st.sampled_from(places))
    before = holder[name]
    kind = st.text(max_size=5) if isinstance(before, str) else st.integers(-3, 40)
    holder[name] = data.draw(kind.filter(lambda each: each != before))
    assert not check_proof(proof, KEY.public).holds


@pytest.mark.parametrize(
    "broken",
    [None, [], "text", 3, {}, {"events": 1}, {**fresh(), "events": [{}]}, {**fresh(), "head": {}}],
    ids=repr,
)
def test_what_is_no_proof(broken: Any) -> None:
    assert codes(check_proof(broken, KEY.public).faults) == {"malformed"}


def test_a_number_that_canonical_json_does_not_know() -> None:
    proof = fresh()
    proof["events"][0]["extra"] = 2**70
    assert codes(check_proof(proof, KEY.public).faults) == {"changed_event"}


# What is true, and to be said


def test_pending_events_must_be_allowed() -> None:
    ledger, events = Ledger(), events_of("ord_1")
    ledger.add(*events[:3])
    ledger.sign()
    ledger.add(*events[3:])
    proof = ledger.proof(events)
    assert proof["pending"] == [4, 5]
    verdict = check_proof(proof, KEY.public)
    assert [(each.code, each.seq) for each in verdict.faults] == [("pending", 4), ("pending", 5)]
    allowed = check_proof(proof, KEY.public, allow_pending=True)
    assert allowed.holds
    assert codes(allowed.notes) == {"pending"}


def test_an_unfinished_order_is_said_to_be() -> None:
    ledger, events = Ledger(), events_of("ord_1", 3)
    ledger.add(*events)
    ledger.sign()
    verdict = check_proof(ledger.proof(events), KEY.public)
    assert (verdict.holds, codes(verdict.notes)) == (True, {"unfinished"})
    assert not check_proof(ledger.proof(events), KEY.public, strict=True).holds


def unfinished(count: int = 3) -> Json:
    ledger, events = Ledger(), events_of("ord_1", count)
    ledger.add(*events, *events_of("ord_2", 4))
    ledger.sign()
    return deepcopy(ledger.proof(events))


def drop_the_tip(proof: Json) -> None:
    del proof["tip"]


def lower_the_tip(proof: Json) -> None:
    cut_by_one(proof)
    proof["tip"]["seq"] = 2


def cut_by_one(proof: Json) -> None:
    del proof["events"][2], proof["inclusion"][2]
    proof["seq"] = 2


def an_older_tip(proof: Json) -> None:
    proof["tip"] = unfinished(2)["tip"]


def a_tip_of_another_order(proof: Json) -> None:
    ledger, events = Ledger(), events_of("ord_2", 3)
    ledger.add(*events)
    ledger.sign()
    proof["tip"] = ledger.proof(events)["tip"]


def a_tip_by_another_key(proof: Json) -> None:
    proof["tip"] = OTHER.sign({k: v for k, v in proof["tip"].items() if k != "signature"}, TIP)


def a_tip_signed_as_a_head(proof: Json) -> None:
    proof["tip"] = KEY.sign({k: v for k, v in proof["tip"].items() if k != "signature"})


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (drop_the_tip, {"no_tip"}),
        (cut_by_one, {"removed_event"}),
        (lower_the_tip, {"wrong_signature"}),
        (an_older_tip, {"no_tip"}),
        (a_tip_of_another_order, {"no_tip"}),
        (a_tip_by_another_key, {"wrong_key"}),
        (a_tip_signed_as_a_head, {"wrong_signature"}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_an_unfinished_order_cannot_be_cut_off(
    tamper: Callable[[Json], None], expected: set[str]
) -> None:
    proof = unfinished()
    tamper(proof)
    assert codes(check_proof(proof, KEY.public).faults) == expected


def test_the_tip_may_be_ahead_of_the_head() -> None:
    """The log has more than its newest head, and the order's newest event is pending."""
    ledger, events = Ledger(), events_of("ord_1", 3)
    ledger.add(*events[:2])
    ledger.sign()
    ledger.add(*events[2:])
    proof = ledger.proof(events)
    assert (proof["pending"], proof["tip"]["seq"]) == ([3], 3)
    assert check_proof(proof, KEY.public, allow_pending=True).holds
    cut_off(proof)
    del proof["events"][2:]
    proof["seq"] = 2
    assert codes(check_proof(proof, KEY.public, allow_pending=True).faults) == {"removed_event"}


def test_what_the_log_does_not_have_yet_has_no_tip() -> None:
    ledger, events = Ledger(), events_of("ord_1", 1)
    ledger.sign()
    proof = ledger.proof(events)
    assert codes(check_proof(proof, KEY.public).faults) == {"pending"}
    assert check_proof(proof, KEY.public, allow_pending=True).holds


def test_an_erased_event_keeps_its_place() -> None:
    """Personal data may go; that must be allowed, and the rest must still hold."""
    proof = fresh()
    event = proof["events"][1]
    del event["reason"], event["actor"]["sub"]
    event["erased"] = True
    verdict = check_proof(proof, KEY.public, allow_erased=True)
    assert (verdict.holds, codes(verdict.notes)) == (True, {"erased"})
    assert codes(check_proof(proof, KEY.public).faults) == {"erased"}
    strictly = check_proof(proof, KEY.public, allow_erased=True, strict=True)
    assert codes(strictly.faults) == {"erased"}
    event["hash"] = "0" * 64
    faults = check_proof(proof, KEY.public, allow_erased=True).faults
    assert codes(faults) == {"chain_broken", "not_included"}


def test_an_erased_event_proves_no_end() -> None:
    """Whoever cuts events off can call the last one that is left erased, and COMPLETED."""
    proof = unfinished()
    cut_by_one(proof)
    del proof["tip"]
    proof["events"][-1] |= {"status": "COMPLETED", "erased": True}
    verdict = check_proof(proof, KEY.public, allow_erased=True)
    assert codes(verdict.notes) == {"erased", "unfinished"}
    assert "end" in verdict.notes[0].detail
    assert not check_proof(proof, KEY.public).holds


# Heads that were seen before


def test_a_newer_head_must_go_on_from_the_one_seen() -> None:
    ledger = ledger_of()
    seen = ledger.heads[:]
    ledger.add(*events_of("ord_9"))
    ledger.sign()
    events = events_of("ord_1")
    faults = check_proof(ledger.proof(events), KEY.public, seen).faults
    assert codes(faults) == {"consistency_missing"}
    assert "from=15" in faults[0].detail
    proof = ledger.proof(events, since=15)
    assert check_proof(proof, KEY.public, seen).holds
    proof["consistency"]["hashes"][0] = "0" * 64
    assert codes(check_proof(proof, KEY.public, seen).faults) == {"inconsistent"}
    proof["consistency"] = ledger.consistency(10, 20)
    assert codes(check_proof(proof, KEY.public, seen).faults) == {"consistency_missing"}


def test_another_past_with_the_right_key_is_found() -> None:
    """The operator can sign anything; not what the witness has seen otherwise."""
    seen = ledger_of().heads
    events = events_of("ord_1")
    events[2]["timestamp"] = "2026-11-22T00:00:00.000Z"
    forged = Ledger()
    for row in zip(events_of("ord_0"), resealed(events), events_of("ord_2"), strict=True):
        forged.add(*row)
    forged.sign()
    proof = forged.proof(resealed(events))
    assert check_proof(proof, KEY.public).holds
    assert codes(check_proof(proof, KEY.public, seen).faults) == {"forked_head"}
    forged.add(*events_of("ord_9"))
    forged.sign()
    later = forged.proof(resealed(events), since=15)
    assert codes(check_proof(later, KEY.public, seen).faults) == {"inconsistent"}


def test_an_old_head_must_be_allowed() -> None:
    ledger, events = ledger_of(), events_of("ord_1")
    proof = ledger.proof(events)
    ledger.add(*events_of("ord_9"))
    ledger.sign()
    assert codes(check_proof(proof, KEY.public, ledger.heads).faults) == {"old_head"}
    assert check_proof(proof, KEY.public, ledger.heads, allow_old=True).holds
    gap = ledger.heads[1:]
    assert codes(check_proof(proof, KEY.public, gap, allow_old=True).faults) == {
        "consistency_missing"
    }
    proof["consistency"] = ledger.consistency(15, 20)
    assert check_proof(proof, KEY.public, gap, allow_old=True).holds


def test_a_head_of_another_log() -> None:
    ledger, events = Ledger(log="f" * 32), events_of("ord_1")
    ledger.add(*events)
    ledger.sign()
    proof = ledger.proof(events)
    seen = ledger_of().heads
    assert codes(check_proof(proof, KEY.public, seen).faults) == {"other_log"}
    assert codes(check_proof(proof, KEY.public, log="0" * 32).faults) == {"other_log"}
    assert check_proof(proof, KEY.public, log="f" * 32).holds


def test_a_key_may_name_its_successor() -> None:
    """Whoever trusts the old key trusts the new one, and not the other way round."""
    ledger = ledger_of()
    ledger.sign(nextKey=OTHER.public.text)
    ledger.signer = OTHER
    ledger.add(*events_of("ord_9"))
    ledger.sign()
    proof = ledger.proof(events_of("ord_1"))
    assert check_proof(proof, KEY.public).holds
    assert check_proof(proof, OTHER.public).holds
    assert check_witness(ledger.heads, KEY.public) == []
    assert codes(check_witness(ledger.heads[:2], OTHER.public)) == {"wrong_key"}
    assert codes(check_proof({**proof, "rotations": []}, KEY.public).faults) == {"wrong_key"}


def test_a_tip_by_the_key_before() -> None:
    """It stays until the order goes on, and is as good as ever for whoever trusts that key."""
    ledger, events = Ledger(), events_of("ord_1", 3)
    ledger.add(*events)
    ledger.sign(nextKey=OTHER.public.text)
    ledger.signer = OTHER
    ledger.add(*events_of("ord_9"))
    ledger.sign()
    proof = ledger.proof(events)
    assert check_proof(proof, KEY.public).holds
    assert codes(check_proof(proof, OTHER.public).faults) == {"wrong_key"}


def test_the_witness_itself_is_looked_at() -> None:
    ledger = ledger_of()
    for number in range(4, 8):
        ledger.add(*events_of(f"ord_{number}"))
        ledger.sign()
    heads = ledger.heads
    assert check_witness(heads, KEY.public) == []
    assert check_witness([*heads, *heads[::-1]], KEY.public) == []
    assert check_witness(heads[::2], KEY.public) == []
    assert codes(check_witness(heads, OTHER.public)) == {"wrong_key"}
    changed = {**heads[1], "root": "0" * 64}
    assert codes(check_witness([heads[0], changed, *heads[2:]], KEY.public)) == {"witness_broken"}
    assert codes(check_witness([changed, heads[4]], KEY.public)) == {"wrong_signature"}
    assert codes(check_witness([*heads, changed], KEY.public)) >= {"forked_head"}
    assert codes(check_witness([*heads, {**heads[4], "log": "f" * 32}], KEY.public)) >= {
        "other_log"
    }


# Keys


@pytest.mark.parametrize("text", ["", "abc", "A" * 44, "ä" * 43, KEY.public.text + "A"])
def test_no_key(text: str) -> None:
    for read in (PublicKey, Signer.read):
        with pytest.raises(ValueError, match="32 bytes"):
            read(text)


def test_keys_come_in_both_alphabets() -> None:
    plain = KEY.public.text.replace("-", "+").replace("_", "/") + "="
    assert PublicKey(plain).text == KEY.public.text
