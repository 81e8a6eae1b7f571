"""The receivers of docs/webhooks.md take what may come, by `ordercast webhook check`."""

import re
from pathlib import Path

import pytest

from tests.docs.shell import BLOCK, ROOT, free_port, outputs

TEXT = (ROOT / "docs" / "webhooks.md").read_text()
(RECEIVER,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
(TRIED,) = (code for code, _ in BLOCK.findall(TEXT) if "webhook check" in code)
OURS = re.compile(r"^python -m clients.*?&(?=.*# or (.*)$).*$", re.M)


def checked(block: str, here: Path) -> str:
    """What the check says of the receiver that the block starts."""
    port = str(free_port())
    (here / "receiver.py").write_text(RECEIVER.replace("9000", port))
    listening = f"until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done"
    told = block.replace("9000", port).replace("sleep 5", listening)
    assert told.count(port) == 2
    (said,) = outputs(
        [told.replace("--secret $SECRET &", f"--secret $SECRET --port {port} &")], here
    )
    return said


@pytest.mark.timeout(120)
def test_ours_does_all_that_it_must(tmp_path: Path) -> None:
    """The block, as it stands but for the port."""
    assert "all 21 musts hold" in checked(TRIED, tmp_path)


@pytest.mark.timeout(120)
def test_so_does_the_one_of_the_standard_library(tmp_path: Path) -> None:
    """In its place, as the comment says."""
    block, replaced = OURS.subn(r"\1", TRIED)
    assert 1 == replaced
    assert "all 21 musts hold" in checked(block, tmp_path)
