"""The audit log's heads, and proofs that an order's events are in it (contract 7)."""

from typing import Annotated

from pydantic import Field

from schemas.model import Wire
from schemas.orders import Event
from schemas.times import Timestamp

__all__ = [
    "AuditKey",
    "AuditKeys",
    "Consistency",
    "Head",
    "HeadConsistency",
    "HeadList",
    "Inclusion",
    "Proof",
    "Tip",
]

LogId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="tells one log from another")]
Signature = Annotated[str, Field(pattern="^[A-Za-z0-9+/]{86}==$")]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 in hex")]
KeyId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
PublicKey = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]{43}$", description="Ed25519, 32 bytes in URL-safe base64"),
]
Size = Annotated[int, Field(ge=0, le=2**53)]
Path = Annotated[list[Hash], Field(max_length=64)]


class Head(Wire):
    """The audit log as it was at a time, signed.

    `signature` (base64) is by Ed25519 over `ordercast head v1`, a newline, and the canonical JSON
    (RFC 8785) of the head without it. `keyId` is the first 8 bytes, in hex, of the SHA-256 of the
    public key. `nextKey` names the key that signs from the next head on.
    """

    log: LogId
    number: Annotated[int, Field(ge=1, le=2**53, description="1, 2, 3 and so on")]
    size: Annotated[Size, Field(description="events in the log")]
    root: Annotated[Hash, Field(description="of the Merkle tree over them (RFC 9162, 2.1)")]
    at: Timestamp
    previous: Annotated[
        str,
        Field(
            pattern="^([0-9a-f]{64})?$",
            description="SHA-256, in hex, of the canonical JSON of the head before; empty at 1",
        ),
    ]
    key_id: KeyId
    next_key: PublicKey | None = None
    signature: Signature


class HeadList(Wire):
    items: list[Head]
    next: Annotated[str | None, Field(description="give it as `after`; null at the end")]


class AuditKey(Wire):
    key_id: KeyId
    public_key: PublicKey
    since: Annotated[int, Field(ge=1, description="number of the first head it has signed")]


class AuditKeys(Wire):
    """The keys that have signed, the present one first. Whoever checks proofs should have the key
    from the operator by another way: a hub that lies about events would lie about it too.
    """

    log: str
    keys: list[AuditKey]


class Consistency(Wire):
    """That the log of `to` events begins with the log of `from` (RFC 9162, 2.1.4)."""

    from_: Annotated[Size, Field(alias="from")]
    to: Size
    hashes: Path


class HeadConsistency(Consistency):
    """With the newest head, where `to` was left out."""

    head: Head | None = None


class Inclusion(Wire):
    """That an event is in the log (RFC 9162, 2.1.3): its place, and its path to the head's root.

    The leaf is `ordercast event v1` and the event's orderId, epoch, seq and hash, each with a
    newline after it.
    """

    seq: Annotated[int, Field(ge=1)]
    index: Size
    hashes: Path


class Tip(Wire):
    """Where an order that is not finished ended in the log at a time: no event of it came after
    `seq` up to then. So none can be cut off without being missed.

    `signature` (base64) is by Ed25519 over `ordercast tip v1`, a newline, and the canonical JSON
    (RFC 8785) of the tip without it.
    """

    log: LogId
    order_id: str
    epoch: str
    seq: Annotated[int, Field(ge=1)]
    at: Timestamp
    key_id: KeyId
    signature: Signature


class Proof(Wire):
    """All that `ordercast verify` needs. `seq` is the order's. `tip`: while it is not finished; a
    finished order shows its end by its last event. `pending`: events that are newer than the head;
    ask again in a minute. `rotations`: the heads that named a next key.
    """

    order_id: str
    epoch: str
    seq: int
    events: list[Event]
    head: Head | None = None
    tip: Tip | None = None
    inclusion: list[Inclusion]
    pending: list[int]
    rotations: list[Head]
    consistency: Consistency | None = None
