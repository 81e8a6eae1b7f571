"""Everybody's way to the hub's HTTP interface: a client for each actor, one connection pool."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2

from clients.platform import PlatformClient
from schemas.lifecycle import Role

__all__ = ["Desk", "Issue"]

Issue = Callable[..., str]
"""`hub.services.tokens.Tokens.issue`: a role and its claims -> a signed token."""

_HOUR = 3600.0


class Desk:
    """`async with` closes the pool."""

    def __init__(self, url: str, issue: Issue) -> None:
        self.url = url
        self.issue = issue
        self._transport = httpx2.AsyncHTTPTransport(
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=64)
        )
        self.platform = self.client(Role.PLATFORM, sub="demo", partner="demo")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    def client(self, role: Role, **claims: Any) -> PlatformClient:
        return self.with_token(self.issue(role, ttl=_HOUR, **claims))

    def with_token(self, token: str) -> PlatformClient:
        return PlatformClient(self.url, token, transport=self._transport)

    async def partner_secret(self) -> str:
        """What signs the webhooks of this partner's orders."""
        token = self.issue(Role.PARTNER, ttl=_HOUR, partner="demo")
        headers = {"Authorization": f"Bearer {token}"}
        request = httpx2.Request("GET", f"{self.url}/v1/partner", headers=headers)
        async with asyncio.timeout(10):
            response = await self._transport.handle_async_request(request)
            await response.aread()
        response.request = request
        return str(response.raise_for_status().json()["secret"])
