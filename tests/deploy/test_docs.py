"""The guides name nothing that is not there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from hub.cli import cli
from hub.settings import Settings
from tests.deploy.places import ROOT

GUIDES = sorted((ROOT / "docs").glob("*.md"))
SETTINGS = {f"ORDERCAST_{name.upper()}" for name in Settings.model_fields}
FENCES = re.compile(r"```sh\n(.*?)```", re.S)
WORDS = re.compile(r"(?:^|`|\()ordercast ([a-z][^\n`#]*)", re.M)


@pytest.fixture(params=GUIDES, ids=lambda path: path.name)
def guide(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_command_is_one(guide: Path) -> None:
    """With flags that it has."""
    for said in WORDS.findall(guide.read_text()):
        command: click.Command = cli
        words = shlex.split(said)
        while isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        flags = {flag for option in command.params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= flags, said


def test_every_setting_is_one(guide: Path) -> None:
    """As it would stop the start otherwise."""
    assert set(re.findall(r"\bORDERCAST_[A-Z_]*[A-Z]\b", guide.read_text())) <= SETTINGS


def test_every_file_of_a_command_is_there(guide: Path) -> None:
    """Paths into the repository."""
    for target in re.findall(
        r"\b(?:deploy|bench)/[\w./-]*\w", "".join(FENCES.findall(guide.read_text()))
    ):
        assert (ROOT / target).exists() or list(ROOT.glob(f"{target}*")), target
