"""Tells a witness of each signed head: a file, or a URL that takes it by POST.

So that whoever has the store and the key cannot make another past unseen, the witness should be
somebody else's.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog
from yarl import URL

from hub.errors import StartError
from hub.metrics import WITNESS_FAILURES, WITNESS_WAITING
from hub.store.audit import AuditStore
from schemas.wire import dumps

__all__ = ["FileWitness", "UrlWitness", "Witness", "Witnessing", "witness_of"]

_BATCH: Final = 100
_TIMEOUT: Final = 8.0
"""Seconds for all that is told at a time: the duty's lease must outlast it."""
_LONGEST_PAUSE: Final = 60.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Head = Mapping[str, Any]
log = structlog.get_logger("hub.worker")


class FileWitness:
    """A head a line, JSON; on the disk before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def tell(self, heads: Sequence[Head]) -> int:
        """How many of the heads it has now. Raises OSError."""
        await asyncio.to_thread(self._append, b"".join(dumps(head) + b"\n" for head in heads))
        return len(heads)

    def _append(self, lines: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                lines = b"\n" + lines  # half a line is what a full disk leaves
            file.write(lines)
            os.fsync(descriptor)


class UrlWitness:
    """A head a request; any 2xx is its word for having it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def tell(self, heads: Sequence[Head]) -> int:
        """How many of the heads it has now. Raises OSError where it has none."""
        told = 0
        try:
            async with asyncio.timeout(_TIMEOUT), aiohttp.ClientSession() as session:
                for head in heads:
                    await self._post(session, head)
                    told += 1
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if not told:
                raise OSError(str(error) or "no answer in time") from None
        return told

    async def _post(self, session: aiohttp.ClientSession, head: Head) -> None:
        headers = {"Content-Type": "application/json"}
        posting = session.post(self._url, data=dumps(head), headers=headers, allow_redirects=False)
        async with posting as answer:
            if not 200 <= answer.status < 300:
                raise OSError(f"it answered {answer.status}")


Witness = FileWitness | UrlWitness


def witness_of(text: str) -> Witness:
    """A file's path, or a URL: https, or http on this machine. Raises StartError."""
    if "://" not in text:
        return FileWitness(Path(text))
    try:
        url = URL(text)
    except ValueError as error:
        raise StartError(f"ORDERCAST_WITNESS: {error}") from None
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return UrlWitness(text)
    raise StartError("ORDERCAST_WITNESS: must be the path of a file, or an https URL")


class Witnessing:
    """A duty that one worker leads. What fails is tried again, for as long as it takes; the heads
    are kept anyway. A head may be told twice, never passed over.
    """

    pace = 1.0

    def __init__(self, store: AuditStore, witness: Witness) -> None:
        self._store = store
        self._witness = witness
        self._pause = 0.0
        self._not_before = 0.0

    async def step(self) -> None:
        if time.monotonic() < self._not_before:
            return
        done = await self._store.witnessed()
        heads = await self._store.heads(done, _BATCH)
        WITNESS_WAITING.set(len(heads))
        if not heads:
            return
        try:
            told = await self._witness.tell(heads)
        except OSError as error:
            self._failed(done + 1, str(error))
            return
        self._pause = 0.0
        await self._store.witness(heads[told - 1]["number"])
        WITNESS_WAITING.set(len(heads) - told)

    def _failed(self, number: int, error: str) -> None:
        WITNESS_FAILURES.inc()
        self._pause = min(2 * self._pause + 1, _LONGEST_PAUSE)
        self._not_before = time.monotonic() + self._pause
        log.warning("the witness was not told", head=number, error=error)
