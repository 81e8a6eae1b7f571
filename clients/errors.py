"""What the clients raise.

ClientError
├── ClosedError        the hub closed the socket with a code that says: do not come back
├── RefusedError       the handshake was answered with an HTTP status that will not change
├── HubMessageError    the hub, or something in its place, said what the protocol does not know
├── ProblemError       an HTTP request was answered with an error (RFC 9457)
└── UnreachableError   no answer to an HTTP request within the deadline
"""

from collections.abc import Mapping
from typing import Any

from schemas.problems import BadField

__all__ = [
    "ClientError",
    "ClosedError",
    "HubMessageError",
    "ProblemError",
    "RefusedError",
    "UnreachableError",
]


class ClientError(Exception):
    pass


class ClosedError(ClientError):
    """`code` is a WebSocket close code that `schemas.codes.comes_back` denies.

    4001 (token expired) is raised only by a client whose token is a string: it has no other.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {int(code)}: {reason or 'no reason given'}")
        self.code = int(code)
        self.reason = reason


class RefusedError(ClientError):
    def __init__(self, status: int) -> None:
        super().__init__(f"the WebSocket handshake was answered with HTTP status {status}")
        self.status = status


class HubMessageError(ClientError):
    pass


class ProblemError(ClientError):
    """`members` are the problem's further members, such as `allowed` or `orderId`.

    An error answer without a problem body, as gateways give, has `type` "about:blank".
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        type: str = "about:blank",  # noqa: A002 - RFC 9457's own name
        errors: tuple[BadField, ...] = (),
        members: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {title}" + (f": {detail}" if detail else ""))
        self.status = status
        self.title = title
        self.detail = detail
        self.type = type
        self.errors = errors
        self.members = dict(members or {})
        self.retry_after = retry_after
        """Seconds, where the answer had a `Retry-After`."""


class UnreachableError(ClientError):
    pass
