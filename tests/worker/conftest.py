"""A store of its own for each test: workers look at all of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore


@pytest.fixture
def store(short_dir: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(short_dir)
    store.start()
    yield store
    store.stop()


@pytest.fixture
async def connection(store: EmbeddedStore) -> AsyncIterator[Connection]:
    connection = Connection(store.url)
    yield connection
    await connection.close()
