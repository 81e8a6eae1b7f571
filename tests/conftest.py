"""What every test may use: a real store, one for each worker of pytest or one of its own."""

import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore

__all__ = ["connection", "shared_store", "short_dir", "store"]

# No test asserts a time, and a busy machine is no fault of an example.
settings.register_profile(
    "patient", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(),
    ],
)


def _short() -> Path:
    """A unix socket's path has 107 bytes at most, too few for pytest's own directories."""
    return Path(tempfile.mkdtemp(prefix="oc"))


@pytest.fixture
def short_dir() -> Iterator[Path]:
    path = _short()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_store() -> Iterator[EmbeddedStore]:
    """Shared by all tests of a worker: orders have ids of their own. Not for killing."""
    path = _short()
    store = EmbeddedStore(path)
    store.start()
    yield store
    store.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def store(short_dir: Path) -> Iterator[EmbeddedStore]:
    """A store of the test's own: to be killed, or where all of it is looked at."""
    store = EmbeddedStore(short_dir)
    store.start()
    yield store
    store.stop()


@pytest.fixture
async def connection(store: EmbeddedStore) -> AsyncIterator[Connection]:
    """To the test's own store."""
    connection = Connection(store.url)
    yield connection
    await connection.close()
