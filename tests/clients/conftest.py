from collections.abc import AsyncIterator

import pytest

from tests.clients import fake_hub


@pytest.fixture
async def hub() -> AsyncIterator[fake_hub.FakeHub]:
    async with fake_hub.running() as hub:
        yield hub
