"""`python -m schemas.export` writes `schemas/exported/`; with `--check` it only compares."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from schemas.documents import DOCUMENTS, document

__all__ = ["FOLDER", "main", "stale", "text_of"]

FOLDER: Final = Path(__file__).parent / "exported"


def text_of(shown: dict[str, Any]) -> str:
    """A document as its file holds it."""
    return json.dumps(shown, ensure_ascii=False, indent=2) + "\n"


def stale(folder: Path = FOLDER) -> dict[Path, str]:
    """The files that differ from the code, with what they should hold."""
    wanted = {folder / f"{name}.json": text_of(document(name)) for name in DOCUMENTS}
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """The exit status: 1 when `--check` found something stale, 2 for an unknown argument."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m schemas.export [--check]\n")
        return 2
    differing = stale(folder)
    for path, text in differing.items():
        if arguments:
            sys.stderr.write(f"stale: {path.name}; run python -m schemas.export\n")
        else:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.name}\n")
    return 1 if arguments and differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
