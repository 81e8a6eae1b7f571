"""`ordercast eta`: train a model from the past, or say what it would have been worth."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.errors import StartError
from hub.eta import model as models
from hub.eta.evaluation import evaluate as evaluate_past
from hub.eta.model import Model, ModelError
from hub.eta.past import Past, read
from hub.eta.retraining import Trained
from hub.eta.retraining import train as train_from
from hub.eta.warehouse import read_warehouse
from hub.settings import Settings
from schemas.times import format_time, parse_time

__all__ = ["eta"]


@click.group()
def eta() -> None:
    """When orders arrive: train the model, or score it."""


@eta.command()
@click.argument("file")
@click.option("--data-dir", default=None, help="in it, the model is eta/model.json")
def train(file: str, data_dir: str | None) -> None:
    """Train on the delivered orders in FILE: .csv, .csv.gz, or a warehouse's folder or URL.

    The new model takes the old one's place if it scores better on the last day of FILE.
    """
    path = models.path_in(Settings.load(data_dir=data_dir).data_dir)
    past = _read(file)
    try:
        trained = train_from(past.orders, _former(path))
        if trained.better:
            models.save(path, trained.model)
    except ModelError as error:
        raise StartError(str(error)) from None
    _print(_told(path, trained, past))


@eta.command()
@click.argument("file")
@click.option("--split", required=True, metavar="TIME", help="RFC 3339, or a date (UTC)")
@click.option("--linear", is_flag=True, help="without LightGBM, even where it is installed")
@click.option("--data-dir", default=None, hidden=True)
def evaluate(file: str, split: str, linear: bool, data_dir: str | None) -> None:
    """Learn from what was delivered before TIME, and score the estimates of what came after.

    Prints one JSON object: seconds, shares, and minutes under `remaining`.
    """
    at = _moment(split)
    past = _read(file)
    if past.orders[-1].features.created_at < at:
        last = format_time(past.orders[-1].features.created_at)
        raise StartError(f"--split: no order in {file} was placed after it; the last one at {last}")
    _print(evaluate_past(past, at, forests=False if linear else None))


def _read(file: str) -> Past:
    past = read_warehouse(file) if _is_warehouse(file) else read(Path(file))
    if not past.orders:
        reasons = ", ".join(f"{count} {reason}" for reason, count in past.dropped.items())
        raise StartError(f"{file}: no delivered order in it ({reasons or 'no rows'})")
    return past


def _is_warehouse(file: str) -> bool:
    return "://" in file or Path(file).is_dir()


def _former(path: Path) -> Model | None:
    """One that cannot be used any more is no rival."""
    try:
        return models.load(path)
    except ModelError as error:
        click.echo(f"ordercast: {error}", err=True)
        return None


def _moment(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        wrong = str(error)
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise click.BadParameter(f"{wrong}, or a date", param_hint="--split") from None


def _told(path: Path, trained: Trained, past: Past) -> dict[str, Any]:
    return {
        "path": str(path),
        "written": trained.better,
        "orders": trained.model.orders,
        "model": "lightgbm" if trained.model.estimator.forests else "linear",
        "score": trained.model.score,
        "former": trained.former,
        "dropped": past.dropped,
    }


def _print(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))
