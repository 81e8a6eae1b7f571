"""The README says nothing that does not hold."""

import ast
import re
from pathlib import Path

import pytest

import clients
from hub.cli import cli

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text()


def test_it_names_the_two_commands_that_do_all() -> None:
    """`make demo` and `make test` are in the README and in the Makefile."""
    makefile = (README.parent / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in TEXT
        assert f"\n{target}:" in makefile


def test_every_command_it_names_is_one() -> None:
    """`ordercast X` for each X."""
    named = set(re.findall(r"(?:^|\(|`)ordercast ([a-z]+)", TEXT, re.M))
    assert named
    assert named <= set(cli.commands)


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
