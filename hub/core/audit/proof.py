"""Checks an order's audit proof, with nothing at hand but the proof and a public key."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import ConfigDict, ValidationError

from hub.core.audit.heads import HEAD, TIP, PublicKey, head_hash, trusted
from hub.core.audit.merkle import consistent, leaf_hash, root_by_inclusion
from hub.core.audit.verdict import Fault, FaultCode, Verdict
from hub.core.orders.chain import event_hash, leaf
from schemas.audit import Consistency, Inclusion, Proof
from schemas.lifecycle import FINAL
from schemas.model import Wire

__all__ = ["check_consistency", "check_proof", "check_witness"]

Head = Mapping[str, Any]
Faults = list[Fault]


class _Event(Wire):
    """What of an event is looked at; whatever else a hub may tell is its content too."""

    model_config = ConfigDict(extra="allow")

    order_id: str
    epoch: str
    seq: int
    status: str
    prev_hash: str
    hash: str


class _Proof(Proof):
    events: list[_Event]  # type: ignore[assignment]


def check_proof(
    data: Any,
    key: PublicKey,
    witness: Sequence[Head] = (),
    *,
    log: str | None = None,
    allow_pending: bool = False,
    allow_old: bool = False,
    allow_erased: bool = False,
    strict: bool = False,
) -> Verdict:
    """Whether a proof holds, and all that speaks against it.

    `witness`: heads seen before, by which the proof's own must stand. `log`: the
    one that its head must be of. `allow_pending`: events newer than the head may be unproven.
    `allow_old`: the proof may be older than the newest head seen. `allow_erased`: what is left of
    events whose contents were erased may be unproven. `strict`: only a finished order will do, of
    which nothing was erased.
    """
    try:
        proof = _Proof.read(data)
    except ValidationError as error:
        return Verdict(None, 0, (_malformed(error),))
    events: list[dict[str, Any]] = data["events"]
    faults = [*_chain_faults(proof, events), *_head_faults(data, key, log)]
    faults += [*_inclusion_faults(proof, events), *_end_faults(data, key)]
    notes = _unfinished(data)
    (notes if allow_pending else faults).extend(_pending(proof))
    (notes if allow_erased else faults).extend(_erased(events))
    if strict:
        faults, notes = faults + notes, []
    if witness and proof.head is not None:
        faults += check_witness(witness, key)
        faults += _faults_before(data, proof.consistency, witness, allow_old)
    return Verdict(proof.order_id, len(events), tuple(faults), tuple(notes))


def _number(head: Head) -> int:
    return int(head["number"])


def _malformed(error: ValidationError) -> Fault:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "".join(f"/{step}" for step in first["loc"])
    return Fault(FaultCode.MALFORMED, f"this is no proof: #{where}: {first['msg']}")


def _chain_faults(proof: _Proof, events: Sequence[dict[str, Any]]) -> Faults:
    """Each event by itself, beside the one before it, and the last beside the order's `seq`."""
    faults: Faults = []
    before, seq = "", 0
    for event in events:
        faults += _place_faults(proof, event, seq)
        if event["prevHash"] != before:
            text = "does not name the hash of the event before it"
            faults.append(_of(event, FaultCode.CHAIN_BROKEN, text))
        faults += _content_faults(event)
        before, seq = event["hash"], event["seq"]
    if not events:
        faults.append(Fault(FaultCode.REMOVED_EVENT, "there is no event"))
    if seq < proof.seq:
        text = f"the order is at seq {proof.seq}, its events end at {seq}"
        faults.append(Fault(FaultCode.REMOVED_EVENT, text))
    elif seq > proof.seq:
        text = f"the order is at seq {proof.seq}, its events go on to {seq}"
        faults.append(Fault(FaultCode.INSERTED_EVENT, text))
    return faults


def _of(event: Mapping[str, Any], code: FaultCode, text: str) -> Fault:
    return Fault(code, f"event {event['seq']} {text}", event["seq"])


def _place_faults(proof: _Proof, event: Mapping[str, Any], before: int) -> Faults:
    faults: Faults = []
    if (event["orderId"], event["epoch"]) != (proof.order_id, proof.epoch):
        text = f"is of {event['orderId']}, epoch {event['epoch']}"
        faults.append(_of(event, FaultCode.FOREIGN_EVENT, text))
    seq = event["seq"]
    if seq > before + 1:
        faults.append(_of(event, FaultCode.REMOVED_EVENT, f"follows event {before}"))
    elif seq == before:
        faults.append(_of(event, FaultCode.INSERTED_EVENT, "is there twice"))
    elif seq < before:
        faults.append(_of(event, FaultCode.REORDERED_EVENT, f"follows event {before}"))
    return faults


def _content_faults(event: dict[str, Any]) -> Faults:
    """The hash of an erased event cannot be made again: it stands as it is."""
    if "erased" in event:
        return []
    content = {name: value for name, value in event.items() if name != "hash"}
    try:
        fits = event_hash(content) == event["hash"]
    except (ValueError, RecursionError):  # what canonical JSON does not know
        fits = False
    text = "does not have the hash of its content"
    return [] if fits else [_of(event, FaultCode.CHANGED_EVENT, text)]


def _head_faults(data: Mapping[str, Any], key: PublicKey, log: str | None) -> Faults:
    head = data.get("head")
    if head is None:
        return [Fault(FaultCode.NO_HEAD, "there is no signed head yet, so nothing is proven")]
    faults = _signature_faults(head, trusted(key, data["rotations"]), key)
    if log is not None and head["log"] != log:
        text = f"the head is of log {head['log']}, not of {log}"
        faults.append(Fault(FaultCode.OTHER_LOG, text))
    return faults


def _signature_faults(
    signed: Head, keys: Mapping[str, PublicKey], key: PublicKey, kind: bytes = HEAD
) -> Faults:
    what = f"head {signed['number']}" if kind == HEAD else "the tip"
    if signed["keyId"] not in keys:
        text = f"{what} is signed by key {signed['keyId']}, not by {key.id}"
        return [Fault(FaultCode.WRONG_KEY, text)]
    if not keys[signed["keyId"]].signed(signed, kind):
        return [Fault(FaultCode.WRONG_SIGNATURE, f"the signature of {what} does not fit")]
    return []


def _inclusion_faults(proof: _Proof, events: Sequence[Mapping[str, Any]]) -> Faults:
    if proof.head is None:
        return []
    size, root = proof.head.size, bytes.fromhex(proof.head.root)
    hashes = {event["seq"]: event["hash"] for event in events}
    faults: Faults = []
    for each in proof.inclusion:
        data = leaf(proof.order_id, proof.epoch, each.seq, hashes.get(each.seq, ""))
        if _root(each, size, data) != root:
            text = f"event {each.seq} is not at place {each.index} of the log"
            faults.append(Fault(FaultCode.NOT_INCLUDED, text, each.seq))
    return faults


def _root(inclusion: Inclusion, size: int, data: bytes) -> bytes | None:
    path = [bytes.fromhex(each) for each in inclusion.hashes]
    return root_by_inclusion(inclusion.index, size, leaf_hash(data), path)


def _pending(proof: _Proof) -> Faults:
    """What no inclusion proof is given for, whether the proof admits it or not."""
    proven = {each.seq for each in proof.inclusion}
    text = "event {} is not in the signed head; ask again in a minute"
    missing = [event.seq for event in proof.events if event.seq not in proven]
    return [Fault(FaultCode.PENDING, text.format(seq), seq) for seq in missing]


def _erased(events: Sequence[Mapping[str, Any]]) -> Faults:
    """Whoever has the file may call an event erased, and let it say something else."""
    text = "had personal data that was erased: its hash is proven, its content is not"
    return [_of(event, FaultCode.ERASED, text) for event in events if "erased" in event]


def _finished(events: Sequence[Mapping[str, Any]]) -> bool:
    return bool(events) and events[-1]["status"] in FINAL


def _end_faults(data: Mapping[str, Any], key: PublicKey) -> Faults:
    """That no event was cut off at the end: a finished order shows it by its last event, any other
    by its tip.
    """
    if data.get("head") is None or _finished(data["events"]):
        return []
    tip = data.get("tip")
    if tip is None and not data["inclusion"]:
        return []  # nothing of it is in the head, which is told as pending
    if tip is None:
        text = "the order is not finished, and nothing signed says that its events end there"
        return [Fault(FaultCode.NO_TIP, text)]
    keys = trusted(key, data["rotations"])
    return [*_tip_faults(data, tip), *_signature_faults(tip, keys, key, TIP)]


def _tip_faults(data: Mapping[str, Any], tip: Mapping[str, Any]) -> Faults:
    """Up to the tip's seq everything must be there, and nothing beyond it be in the head."""
    of = (tip["log"], tip["orderId"], tip["epoch"])
    if of != (data["head"]["log"], data["orderId"], data["epoch"]):
        return [Fault(FaultCode.NO_TIP, "the tip is of another order, epoch or log")]
    seq = tip["seq"]
    if seq > len(data["events"]):
        text = f"the log has the order up to event {seq}, its events end at {len(data['events'])}"
        return [Fault(FaultCode.REMOVED_EVENT, text)]
    if any(each["seq"] > seq for each in data["inclusion"]):
        return [Fault(FaultCode.NO_TIP, f"the tip is an older one, of event {seq}")]
    return []


def _unfinished(data: Mapping[str, Any]) -> Faults:
    if _finished(data["events"]):
        text = "its last event was erased: that the order ended with it is not proven"
        return [Fault(FaultCode.UNFINISHED, text)] if "erased" in data["events"][-1] else []
    at = f" at {data['tip']['at']}" if data.get("tip") else ""
    text = f"the order was not finished{at}: whether there are later events now is not proven"
    return [Fault(FaultCode.UNFINISHED, text)]


def check_witness(heads: Sequence[Head], key: PublicKey) -> Faults:
    """Whether heads that were seen, one or more in any order, are one log's and signed.

    A head's signature stands for all those before it that are linked by `previous`.
    """
    heads = sorted(heads, key=_number)
    keys = trusted(key, [head for head in heads if "nextKey" in head])
    faults = _signature_faults(heads[-1], keys, key)
    for before, head in pairwise(heads):
        faults += _step_faults(before, head)
        if head["number"] > before["number"] + 1:
            faults += _signature_faults(before, keys, key)
    return faults


def _step_faults(before: Head, head: Head) -> Faults:
    number = head["number"]
    if head["log"] != before["log"]:
        return [Fault(FaultCode.OTHER_LOG, f"head {number} is of another log than the one before")]
    if number == before["number"]:
        if head_hash(head) == head_hash(before):
            return []
        return [Fault(FaultCode.FORKED_HEAD, f"there are two heads {number}")]
    linked = number > before["number"] + 1 or head["previous"] == head_hash(before)
    if number < before["number"] or head["size"] < before["size"] or not linked:
        text = f"head {number} does not follow head {before['number']}"
        return [Fault(FaultCode.WITNESS_BROKEN, text)]
    return []


def _faults_before(
    data: Mapping[str, Any],
    consistency: Consistency | None,
    witness: Sequence[Head],
    allow_old: bool,
) -> Faults:
    """A proof's head beside those that were seen before."""
    head, newest = data["head"], max(witness, key=_number)
    if head["log"] != newest["log"]:
        text = f"the head is of log {head['log']}, the witness's of {newest['log']}"
        return [Fault(FaultCode.OTHER_LOG, text)]
    faults: Faults = []
    if head["number"] < newest["number"] and not allow_old:
        text = f"the head is number {head['number']}, the witness has seen {newest['number']}"
        faults.append(Fault(FaultCode.OLD_HEAD, f"{text}: ask for a newer proof"))
    seen = next((each for each in witness if each["number"] == head["number"]), None)
    if seen is None:
        return faults + check_consistency(newest, head, consistency)
    if head_hash(seen) != head_hash(head):
        text = f"the witness has seen another head {head['number']}"
        faults.append(Fault(FaultCode.FORKED_HEAD, text))
    return faults


def check_consistency(one: Head, other: Head, consistency: Consistency | None) -> Faults:
    """Whether of two heads of a log the larger one begins with the smaller."""
    first, second = sorted((one, other), key=lambda head: (head["size"], head["number"]))
    sizes = (first["size"], second["size"])
    path: list[bytes] = []
    if sizes[0] not in (0, sizes[1]):
        if consistency is None or (consistency.from_, consistency.to) != sizes:
            text = f"a consistency proof is needed, ask with from={one['size']}"
            return [Fault(FaultCode.CONSISTENCY_MISSING, text)]
        path = [bytes.fromhex(each) for each in consistency.hashes]
    roots = (bytes.fromhex(first["root"]), bytes.fromhex(second["root"]))
    if consistent(sizes[0], roots[0], sizes[1], roots[1], path):
        return []
    text = f"head {second['number']} does not go on from head {first['number']}"
    return [Fault(FaultCode.INCONSISTENT, text)]
