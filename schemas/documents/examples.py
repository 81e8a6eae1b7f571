"""The example files: one wire message or HTTP body each, named `KIND.NAME[.VARIANT].json`.

KIND is a direction (`user-to-hub`, `to-user`, `rider-to-hub`, `to-rider`), and NAME the message's
type; or KIND is `http` or `webhook`, and NAME the model's name. Beside them are test vectors, by a
name without a point: `reckoning.json`.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

__all__ = ["FOLDER", "Example", "all_examples", "examples_of"]

FOLDER: Final = Path(__file__).parent.parent / "examples"


class Example(NamedTuple):
    kind: str
    name: str
    variant: str
    """Empty for the plain case."""
    data: dict[str, Any]


def _read(path: Path) -> Example:
    kind, name, *variant = path.stem.split(".")
    data = json.loads(path.read_text(encoding="utf-8"))
    return Example(kind, name, ".".join(variant), data)


def all_examples() -> list[Example]:
    """In the order of the file names."""
    return [_read(path) for path in sorted(FOLDER.glob("*.*.json"))]


def examples_of(kind: str, name: str) -> list[Example]:
    """The plain case first."""
    paths = [*FOLDER.glob(f"{kind}.{name}.json"), *sorted(FOLDER.glob(f"{kind}.{name}.*.json"))]
    return [_read(path) for path in paths]
