"""The audit log: proofs, and the heads that they hang on (contract 7)."""

from typing import Final

from schemas.documents.routes.route import PARTIES, READ, Answer, Route

__all__ = ["AUDIT"]

AUDIT: Final = (
    Route(
        "get",
        "/v1/orders/{orderId}/proof",
        "getProof",
        "audit",
        "Prove an order's events",
        PARTIES,
        (Answer(200, "Its events, their places in the log, and the newest head.", "Proof"),),
        READ,
        ("sinceSize",),
        description=(
            "All that `ordercast verify` needs. Events newer than the head are `pending`, for less "
            "than a minute. With `from`, `consistency` shows that the head's log goes on from a "
            "head seen before."
        ),
    ),
    Route(
        "get",
        "/v1/audit/heads",
        "listHeads",
        "audit",
        "List the signed heads, oldest first",
        (),
        (Answer(200, "One page. The cursor is the number of the last head seen.", "HeadList"),),
        (422, 503),
        ("limit", "cursor"),
    ),
    Route(
        "get",
        "/v1/audit/key",
        "getAuditKeys",
        "audit",
        "Show the keys that sign heads",
        (),
        (Answer(200, "The present one first.", "AuditKeys"),),
        (404, 503),
        description="Have the key from the operator by another way, and compare. 404 before the "
        "first head.",
    ),
    Route(
        "get",
        "/v1/audit/consistency",
        "getConsistency",
        "audit",
        "Prove that the log only grew",
        (),
        (Answer(200, "The hashes, and without `to` the newest head.", "HeadConsistency"),),
        (404, 422, 503),
        ("fromSize", "toSize"),
        description="404 before the first head, and for sizes whose hashes are kept no more; those "
        "of heads are kept.",
    ),
)
