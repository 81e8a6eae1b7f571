"""The requests of docs/migrate-from-polling.md do what they say, on the README's hub."""

import json
from pathlib import Path

import pytest

from tests.docs.shell import BLOCK, ROOT, free_port, like, outputs

(POLL, SHOWN), (FEED, _) = BLOCK.findall((ROOT / "docs" / "migrate-from-polling.md").read_text())
README = [code for code, _ in BLOCK.findall((ROOT / "README.md").read_text())]


@pytest.mark.timeout(120)
def test_its_requests(tmp_path: Path, short_dir: Path) -> None:
    """Nothing new is a 304; an order placed twice is one."""
    (start,) = (code for code in README if "ordercast up &" in code)
    (place,) = (code for code in README if "PLACED=" in code)
    twice = [FEED, "mv placed.json first.json\n" + FEED, "kill %1\n"]
    port = str(free_port())
    blocks = [start.replace("make venv\n", ""), place, POLL, *twice]
    settings = {"port": port, "data_dir": str(short_dir)}
    _, _, polled, *_ = outputs(
        [code.replace(":8000", f":{port}") for code in blocks], tmp_path, **settings
    )

    assert like(SHOWN.strip()).search(polled)
    first, second = (
        json.loads((tmp_path / name).read_text()) for name in ("first.json", "placed.json")
    )
    assert first == second
    assert first["seq"] == 1
