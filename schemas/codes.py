"""WebSocket close codes and error codes. The range alone tells a client whether to come back."""

from enum import IntEnum, StrEnum

__all__ = ["CloseCode", "ErrorCode", "NoticeCode", "comes_back"]


class CloseCode(IntEnum):
    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    ABNORMAL = 1006
    TOO_BIG = 1009
    INTERNAL = 1011
    DRAINING = 1012
    TRY_LATER = 1013
    TOKEN_EXPIRED = 4001
    TOO_SLOW = 4008
    NO_PONG = 4009
    TOO_MANY_REQUESTS = 4029
    UNAUTHENTICATED = 4501
    MALFORMED = 4502
    FORBIDDEN = 4503
    SUPERSEDED = 4509
    NO_AUTH_IN_TIME = 4510


class ErrorCode(StrEnum):
    NOT_FOUND = "not_found"
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions"
    UNKNOWN_TYPE = "unknown_type"
    BAD_REQUEST = "bad_request"
    UNAVAILABLE = "unavailable"


class NoticeCode(StrEnum):
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    DRAINING = "draining"


_COME_BACK = frozenset({1001, 1006, 1011, 1012, 1013})


def comes_back(code: int) -> bool:
    """Whether a client closed with `code` should reconnect, with jitter.

    3000-3499, 4000-4499, 1001, 1006, 1011, 1012 and 1013 mean: come back. All others, 1009
    included, mean: do not come back as you are.
    """
    return 3000 <= code <= 3499 or 4000 <= code <= 4499 or code in _COME_BACK
