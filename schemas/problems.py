"""Errors over HTTP: application/problem+json (RFC 9457)."""

from pydantic import ConfigDict

from schemas.model import Wire

__all__ = ["BadField", "Problem"]


class BadField(Wire):
    """`pointer` is a JSON pointer (RFC 6901) into the body, as a URI fragment: `#/items/0`."""

    pointer: str
    detail: str


class Problem(Wire):
    """Further members say more of some problems: `allowed` (statuses), `orderId`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[BadField] | None = None
