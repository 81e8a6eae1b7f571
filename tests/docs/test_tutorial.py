"""docs/tutorial.md runs from its first block to its last, and shows what then comes out."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.shell import BLOCK, ROOT, free_port, like, outputs

TEXT = (ROOT / "docs" / "tutorial.md").read_text()
BLOCKS = BLOCK.findall(TEXT)


def test_every_block_is_of_a_kind_that_is_run_or_compared() -> None:
    """None goes by unseen."""
    shown = sum(1 for _, output in BLOCKS if output)
    assert 2 * (len(BLOCKS) + shown) == len(re.findall("^```", TEXT, re.M))


@pytest.mark.timeout(120)
def test_the_whole_of_it(tmp_path: Path, short_dir: Path) -> None:
    """Installing is what this virtual environment has behind it: its target only has to be one."""
    (install, _), *rest = BLOCKS
    (target,) = re.findall(r"^make (\S+)$", install, re.M)
    making = ["make", "--dry-run", "--always-make", target]
    made = subprocess.run(making, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "pip install" in made
    settings = {"port": str(free_port()), "data_dir": str(short_dir)}
    came = outputs([code for code, _ in rest], tmp_path, **settings)
    for (code, shown), output in zip(rest, came, strict=True):
        assert not shown or like(shown).fullmatch(output), f"{code}\n{output}"
