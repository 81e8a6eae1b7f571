"""What a row of the route table is, and the sets that many rows share."""

from dataclasses import dataclass
from typing import Final

from schemas.lifecycle import Role

__all__ = [
    "CACHED",
    "CHANGE",
    "KEY",
    "NOT_MODIFIED",
    "PARTIES",
    "READ",
    "REPLAYED",
    "SEEN",
    "WRITE",
    "Answer",
    "Route",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """`model` is a name in `models.public_models`; None with JSON means: any object.

    `media` empty: no body.
    """

    status: int
    description: str
    model: str | None = None
    headers: tuple[str, ...] = ()
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Route:
    """`roles` empty: public. `errors` are statuses of `parts.PROBLEMS`.

    `parameters` name rows of `parts.PARAMETERS`; those in the path come by themselves.
    `request` names the models of which the body must be one. `form`: the query's parameters may
    come as a form body too, and there may be no body. `device`: it asks for a device id in place
    of a token, which has no role.
    """

    method: str
    path: str
    operation: str
    tag: str
    summary: str
    roles: tuple[Role, ...]
    answers: tuple[Answer, ...]
    errors: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    request: tuple[str, ...] = ()
    description: str = ""
    callbacks: bool = False
    form: bool = False
    device: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether it can be asked without an Authorization header."""
        return not self.roles or "accessToken" in self.parameters


PARTIES: Final = (Role.PLATFORM, Role.MERCHANT, Role.RIDER, Role.CUSTOMER)
"""Who may see an order, each only their own."""

# Sets of error statuses.
SEEN: Final = (401, 403, 404, 503)
READ: Final = (*SEEN, 422)
WRITE: Final = (400, *READ, 413)
CHANGE: Final = (*WRITE, 409)

KEY: Final = ("idempotencyKey",)
REPLAYED: Final = ("Idempotent-Replayed",)
CACHED: Final = ("ETag", "Cache-Control")
NOT_MODIFIED: Final = Answer(304, "Not changed since the ETag given.", headers=CACHED)
