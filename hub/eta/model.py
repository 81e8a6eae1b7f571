"""A trained model, as JSON with a version; and the file that it is kept in. Nothing in it is ever
run.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.errors import OrdercastError
from hub.eta.estimator import INPUTS, Estimator
from hub.eta.features import DESIGN

__all__ = ["Model", "ModelError", "load", "packed", "path_in", "save", "unpacked"]

_VERSION: Final = 1


class ModelError(OrdercastError):
    """There is a model, and it cannot be used; the text says why."""


class Model(Struct, frozen=True):
    estimator: Estimator
    trained_until: float
    """Unix seconds: no order that was placed later has been learned from."""
    orders: int
    score: dict[str, Any]
    """What it made of the last orders before it had learned from them, as `scores` tells it."""
    version: int = _VERSION
    inputs: tuple[str, ...] = INPUTS
    design: int = DESIGN


def path_in(data_dir: Path) -> Path:
    return data_dir / "eta" / "model.json"


def packed(model: Model) -> bytes:
    return msgspec.json.encode(model)


def unpacked(data: bytes) -> Model:
    """Raises ModelError where it is of no use here."""
    try:
        model = msgspec.json.decode(data, type=Model)
    except msgspec.DecodeError as error:
        raise ModelError(str(error)) from None
    if model.version != _VERSION or model.inputs != INPUTS or model.design != DESIGN:
        raise ModelError("made by another version; train it anew")
    if not model.estimator.fits():
        raise ModelError("its parts do not fit together")
    return model


def load(path: Path) -> Model | None:
    """None where there is none yet. Raises ModelError, which names the file."""
    try:
        return unpacked(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def save(path: Path, model: Model) -> None:
    """Whoever loads it meanwhile has the old one or the new one, whole. Raises ModelError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(packed(model))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise ModelError(f"{path}: {error.strerror}") from None
