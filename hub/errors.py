"""Everything that Ordercast itself raises.

OrdercastError
├── RefusedError            the caller is at fault; `status` is the HTTP answer
│   ├── BadRequestError     400  the body is no JSON
│   ├── UnauthenticatedError 401
│   ├── ForbiddenError      403
│   ├── NotFoundError       404  also for what belongs to somebody else
│   ├── RequestTimeoutError 408
│   ├── ConflictError       409  `members` say more, `allowed` statuses for instance
│   ├── TooLargeError       413
│   └── UnprocessableError  422  `fields` name what does not fit
├── UnavailableError        503  the store is away; nothing was written
└── StartError              the program cannot start; exit status 3
"""

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "BadRequestError",
    "ConflictError",
    "ForbiddenError",
    "NotFoundError",
    "OrdercastError",
    "RefusedError",
    "RequestTimeoutError",
    "StartError",
    "TooLargeError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnprocessableError",
]


class OrdercastError(Exception):
    """The root."""


class RefusedError(OrdercastError):
    """`detail` is for the caller to read, `members` go into the problem as they are."""

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, detail: str, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.members = members


class BadRequestError(RefusedError):
    status = 400
    title = "Bad Request"


class UnauthenticatedError(RefusedError):
    status = 401
    title = "Unauthenticated"


class ForbiddenError(RefusedError):
    status = 403
    title = "Forbidden"


class NotFoundError(RefusedError):
    status = 404
    title = "Not Found"


class RequestTimeoutError(RefusedError):
    status = 408
    title = "Request Timeout"


class ConflictError(RefusedError):
    status = 409
    title = "Conflict"


class TooLargeError(RefusedError):
    status = 413
    title = "Content Too Large"


class UnprocessableError(RefusedError):
    """`fields`: pairs of JSON pointer (`#/items/0/quantity`) and what is wrong there."""

    status = 422
    title = "Unprocessable Content"

    def __init__(self, detail: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        errors = [{"pointer": pointer, "detail": text} for pointer, text in fields]
        super().__init__(detail)
        if errors:
            self.members["errors"] = errors


class UnavailableError(OrdercastError):
    """The store cannot be reached; try again later."""


class StartError(OrdercastError):
    """One line that names the setting or the store that keeps the program from starting."""
