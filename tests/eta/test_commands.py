"""`ordercast eta train` and `evaluate`, as they are typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import cli
from hub.errors import StartError
from hub.eta.model import load, path_in
from tests.eta.making import START, row, town
from tests.eta.test_past import written


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(
        tmp_path_factory.mktemp("eta") / "o.csv.gz", [row(o) for o in town(3.5, per_day=250)]
    )


def run(*words: str) -> dict[str, object]:
    result = CliRunner().invoke(cli, ["eta", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_evaluate_prints_one_object(file: Path) -> None:
    found = run("evaluate", str(file), "--split", "2015-01-03")
    assert set(found) >= {
        "n", "mae", "rmse", "mape", "pinball_p50", "pinball_p90", "coverage80", "width80",
        "late_p50", "late_p90", "remaining",
    }  # fmt: skip
    assert found == run("evaluate", str(file), "--split", "2015-01-03T01:00:00+01:00")
    assert run("evaluate", str(file), "--split", "2015-01-03", "--linear")["model"] == "linear"


def test_train_writes_a_model_and_keeps_the_better_one(file: Path, tmp_path: Path) -> None:
    first = run("train", str(file), "--data-dir", str(tmp_path))
    assert first["written"] is True
    model = load(path_in(tmp_path))
    assert model is not None
    assert model.trained_until > START
    assert run("train", str(file), "--data-dir", str(tmp_path))["written"] is False


def test_a_model_of_no_use_is_replaced(file: Path, tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.parent.mkdir()
    path.write_text("{}")
    assert run("train", str(file), "--data-dir", str(tmp_path))["written"] is True


@pytest.mark.parametrize("split", ["", "yesterday", "2015-01-03T00:00:00", "2015-13-01"])
def test_a_moment_that_is_none_is_said(file: Path, split: str) -> None:
    result = CliRunner().invoke(cli, ["eta", "evaluate", str(file), "--split", split])
    assert result.exit_code == 2
    assert "--split" in result.stderr


def test_what_cannot_be_scored_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="--split: no order"):
        run("evaluate", str(file), "--split", "2015-02-01")
    nothing = written(tmp_path / "n.csv", [{**row(town(0.1)[0]), "created_at": ""}])
    with pytest.raises(StartError, match=r"no delivered order in it \(1 no created_at\)"):
        run("evaluate", str(nothing), "--split", "2015-01-01")
    with pytest.raises(StartError, match="No such file"):
        run("train", str(tmp_path / "none.csv"), "--data-dir", str(tmp_path))
