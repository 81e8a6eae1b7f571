"""The route table and the hub's routes are the same set."""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from starlette.routing import Route

from hub import transports
from hub.transports.upgrade import SocketRoute
from schemas.documents.asyncapi import asyncapi
from schemas.documents.routes import ROUTES


def served() -> Iterator[Route]:
    for found in iter_modules(transports.__path__):
        module = import_module(f"hub.transports.{found.name}")
        for name in ("routes", "ops_routes"):
            yield from getattr(module, name, ())


def wire_path(path: str) -> str:
    """`{order_id}` as the documents write it: `{orderId}`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)


def test_every_http_route_is_documented_and_served() -> None:
    """What is served is told, and what is told is served."""
    told = {(route.method.upper(), route.path) for route in ROUTES}
    offered = {
        (method, wire_path(route.path))
        for route in served()
        if not isinstance(route, SocketRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert told == offered


def test_every_socket_is_documented_and_served() -> None:
    """The AsyncAPI document has a channel for each socket."""
    told = {channel["address"] for channel in asyncapi()["channels"].values()}
    assert told == {wire_path(route.path) for route in served() if isinstance(route, SocketRoute)}
