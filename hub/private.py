"""Files that hold secrets: made once, for their owner alone."""

import os
from pathlib import Path

from hub.errors import StartError

__all__ = ["make_private"]


def make_private(path: Path, text: str) -> None:
    """Make a file of mode 0600 with one line. Raises StartError, also if it is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StartError(f"--data-dir: {path.parent}: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
