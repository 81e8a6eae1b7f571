"""`ordercast webhook`: for partners, whose receivers take our webhooks."""

import asyncio
import json
import sys
from collections.abc import Callable

import click
import uvloop
from rich.console import Console

from hub.bridge.check import run, show
from hub.bridge.checks import read_secret, read_url
from hub.bridge.findings import Limits
from hub.commands.options import Command

__all__ = ["webhook"]


@click.group()
def webhook() -> None:
    """For partners: what receives our webhooks."""


def _read_by(read: Callable[[str], str]) -> Command:
    """What `read` refuses is a fault of the command line."""

    def callback(context: click.Context, parameter: click.Parameter, value: str) -> str:
        try:
            return read(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@webhook.command()
@click.argument("url", callback=_read_by(read_url))
@click.option("--secret", required=True, callback=_read_by(read_secret), help="whsec_...")
@click.option(
    "--slow",
    type=click.FloatRange(0, 8),
    default=2,
    show_default=True,
    help="seconds that the slow body takes",
)
@click.option("--json", "as_json", is_flag=True, help="print the report as one JSON object")
@click.option("--data-dir", default=None, hidden=True)
def check(url: str, secret: str, slow: float, as_json: bool, data_dir: str | None) -> None:
    """Send a receiver what the bridge would, and worse, and say what it gets wrong.

    The orders are made up: their ids begin with test_. Exit status 1 if a must does not hold.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(url, secret, Limits(slow=slow)))
    if as_json:
        click.echo(json.dumps(report.dump(), indent=2, ensure_ascii=False))
    else:
        show(Console(), report)
    sys.exit(0 if report.passed else 1)
