"""The README says nothing that does not hold."""

import ast
import re
from pathlib import Path

import pytest

import clients
from hub.cli import cli
from tests.docs.shell import BLOCK, ROOT, free_port, outputs

TEXT = (ROOT / "README.md").read_text()
BLOCKS = [code for code, _ in BLOCK.findall(TEXT)]
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", "".join(BLOCKS), re.M))
def test_every_target_is_one(target: str) -> None:
    """`make X` for each X."""
    assert f"\n{target}:" in MAKEFILE


def test_it_names_the_two_commands_that_do_all() -> None:
    """First of all."""
    assert BLOCKS[0].startswith("make demo")
    assert "make test" in BLOCKS[0]


def test_every_command_it_names_is_one() -> None:
    """`ordercast X` for each X."""
    named = set(re.findall(r"(?:^|\(|`)ordercast ([a-z]+)", TEXT, re.M))
    assert named
    assert named <= set(cli.commands)


@pytest.mark.timeout(120)
def test_an_order_by_hand(tmp_path: Path, short_dir: Path) -> None:
    """From the start to the end of it, but for `make`, the port, and a person who waits."""
    first, last = (
        next(place for place, code in enumerate(BLOCKS) if told in code)
        for told in ("ordercast up", "status COMPLETED")
    )
    script = "\0".join(BLOCKS[first : last + 1])
    port = str(free_port())
    waits = "> seen.txt &\nuntil grep -q PENDING seen.txt; do sleep 0.1; done\n"
    for told, instead in (
        ("make venv\n", ""),
        (":8000", f":{port}"),
        ("$ORDER &\n", "$ORDER " + waits),
    ):
        assert told in script
        script = script.replace(told, instead)
    settings = {"port": port, "data_dir": str(short_dir)}
    started, *_ = outputs(script.split("\0"), tmp_path, **settings)

    assert f"ready http://127.0.0.1:{port}\n" in started
    assert '{"ready":true,' in started
    pending, confirmed, completed, finished = (tmp_path / "seen.txt").read_text().splitlines()
    assert pending.endswith(" is PENDING (seq 1)")
    assert " order.confirmed (seq 2), " in confirmed
    assert completed.endswith(" order.completed (seq 3)")
    assert finished.endswith(" is finished")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.S))
def test_its_python_can_be_imported(code: str) -> None:
    """It parses, and what it imports is there."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    tree = compile(code, "README.md", "exec", flags)
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imported
    for node in imported:
        assert "clients" == node.module
        assert all(name.name in clients.__all__ for name in node.names)
