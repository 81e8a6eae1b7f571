"""One hub for each module of tests, on the worker's store."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from hub.store.embedded import EmbeddedStore
from tests.hub.harness import RunningHub, hubs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    """For modules marked `pytest.mark.asyncio(loop_scope="module")`: sockets stay in its loop."""
    async with hubs(shared_store) as (hub,):
        yield hub


@pytest.fixture
def platform(hub: RunningHub) -> httpx2.AsyncClient:
    return hub.platform
