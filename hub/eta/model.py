"""The model file: what was learned, as JSON with a version. Nothing in it is ever run."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.errors import OrdercastError
from hub.eta.estimator import INPUTS, Estimator
from hub.eta.features import DESIGN

__all__ = ["Model", "ModelError", "load", "path_in", "save"]

_VERSION: Final = 1


class ModelError(OrdercastError):
    """There is a model file, and it cannot be used; the text says why."""


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


def load(path: Path) -> Model | None:
    """None where there is none yet. Raises ModelError."""
    try:
        model = msgspec.json.decode(path.read_bytes(), type=Model)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: {error}") from None
    if model.version != _VERSION or model.inputs != INPUTS or model.design != DESIGN:
        raise ModelError(f"{path}: made by another version; train it anew")
    if not model.estimator.fits():
        raise ModelError(f"{path}: its parts do not fit together")
    return model


def save(path: Path, model: Model) -> None:
    """Whoever loads it meanwhile has the old one or the new one, whole. Raises ModelError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(msgspec.json.encode(model))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise ModelError(f"{path}: {error.strerror}") from None
