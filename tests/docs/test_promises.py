"""What the README promises is held by tests that ARCHITECTURE.md names."""

import ast
import re

import pytest

from tests.docs.shell import ROOT

PROMISES = (ROOT / "ARCHITECTURE.md").read_text().split("\n## Promises\n")[1].split("\n## ")[0]
README = (ROOT / "README.md").read_text().split("\n## What it promises\n")[1].split("\n## ")[0]
ROWS = re.findall(r"^\| \*\*(.*?)\*\*.* \| (`.*`) \|$", PROMISES, re.M)


def test_every_promise_has_a_test() -> None:
    """By the words that the README begins each with."""
    promised = re.findall(r"^\| \*\*(.*?)\*\*", README, re.M)
    assert promised
    assert set(promised) == {name for name, _ in ROWS}


@pytest.mark.parametrize(
    "test", [test for _, tests in ROWS for test in tests.strip("`").split("` `")]
)
def test_every_test_is_one(test: str) -> None:
    """A function in the file."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    functions = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions
