"""Grows new forests once a day, and gives all workers what one of them has trained."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Final

import structlog

from hub.eta.model import Model, ModelError, load, packed, path_in, save, unpacked
from hub.store.embedded import die_with_parent
from hub.store.models import ModelStore

__all__ = ["ModelFile", "Retraining"]

_DAY: Final = 86_400.0
_AGAIN: Final = 3600.0
"""Seconds after which a training that came to nothing is tried again."""

log = structlog.get_logger("hub.worker")


class ModelFile:
    """The trained model of this data directory, and the store's, which is everybody's. A duty of
    every worker: what `ordercast eta train` has written here, by whomever, is offered to all.
    """

    pace = 30.0

    def __init__(self, models: ModelStore, data_dir: Path) -> None:
        self._models = models
        self._path = path_in(data_dir)
        self._offered = 0.0
        """When the file was written that was offered last."""

    async def step(self) -> None:
        try:
            written = self._path.stat().st_mtime
        except OSError:
            return
        if written == self._offered:
            return
        model = await self._load()
        if model is not None:
            await self._models.offer(model.trained_until, packed(model), written + _DAY)
        self._offered = written

    async def fetch(self) -> None:
        """Write the store's to the file, if it has learned from later orders."""
        here = await self._load()
        found = await self._models.trained(here.trained_until if here else 0.0)
        if found is None:
            return
        try:
            await asyncio.to_thread(lambda: save(self._path, unpacked(found[1])))
        except ModelError as error:
            log.warning("the trained model cannot be kept", error=str(error))

    async def _load(self) -> Model | None:
        try:
            return await asyncio.to_thread(load, self._path)
        except ModelError as error:
            log.warning("the model file cannot be used", error=str(error))
            return None


class Retraining:
    """Trains from the warehouse a day after the last model, in a process of its own. A duty that
    one worker leads; the store keeps when the next is due, and one claims it.
    """

    pace = 60.0

    def __init__(self, warehouse: str, data_dir: Path, models: ModelStore, file: ModelFile) -> None:
        self._command = ("eta", "train", warehouse, "--data-dir", str(data_dir))
        self._models = models
        self._file = file

    async def step(self) -> None:
        if not await self._models.claim(time.time(), _DAY, _AGAIN):
            return
        await self._file.fetch()
        if await self._train():
            await self._models.put_off(time.time() + _DAY)
            await self._file.step()

    async def _train(self) -> bool:
        """Ends with us, and when it is cancelled."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", *self._command),
            stdout=PIPE,
            stderr=PIPE,
            preexec_fn=die_with_parent,
        )
        try:
            _, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            log.warning("no model was trained", error=errors.decode(errors="replace").strip())
        return not process.returncode
