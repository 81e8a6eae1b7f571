"""The `ordercast` command. A setting is a flag or an ORDERCAST_* variable; the flag wins."""

import asyncio
import json
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from jwt import InsecureKeyLengthWarning

from hub import programs
from hub.commands.audit import audit, verify
from hub.commands.eta import eta
from hub.commands.options import load, seconds, with_settings
from hub.commands.token import token
from hub.commands.webhook import webhook
from hub.demo.demo import Options
from hub.demo.demo import run as run_demo
from hub.errors import StartError
from hub.settings import Settings
from schemas.documents import document

__all__ = ["main"]

_DOCUMENTS: Final = ("openapi", "openapi-3.0", "asyncapi", "json-schema")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ordercast")
def cli() -> None:
    """Ordercast: the real-time status hub for food-delivery orders."""
    Settings.check_names()


@cli.command()
@with_settings
def up(**flags: Any) -> None:
    """The main job on one machine: store, one hub, webhook bridge, worker."""
    settings = load(flags, make_secret=True)
    programs.run(settings, programs.up)


@cli.command()
@with_settings
def serve(**flags: Any) -> None:
    """One hub instance; run as many as you like behind a load balancer."""
    programs.run(load(flags), programs.serve)


@cli.command()
@with_settings
def bridge(**flags: Any) -> None:
    """One webhook bridge; run as many as you like."""
    programs.run(load(flags), programs.bridge)


@cli.command()
@with_settings
def worker(**flags: Any) -> None:
    """Deadlines, estimates, the audit log, the warehouse; run as many as you like."""
    programs.run(load(flags), programs.worker)


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=6379, show_default=True)
@click.option("--data-dir", default=None, help="or ORDERCAST_DATA_DIR")
def store(port: int, data_dir: str | None) -> None:
    """The embedded store alone, on a loopback port, for processes that run beside each other."""
    settings = Settings.load(data_dir=data_dir)
    programs.run(settings, partial(programs.store, port=port))


@cli.command("gateway-config")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--run", "command", help="run this when the file has changed: 'nginx -s reload'")
@click.option("--watch", is_flag=True, help="go on, and look every so often")
@click.option("--every", default="2s", show_default=True, help="how often --watch looks")
@click.option("--redis-url", default=None, help="or ORDERCAST_REDIS_URL")
@click.option("--data-dir", default=None, help="or ORDERCAST_DATA_DIR")
def gateway_config(
    out: Path, command: str | None, watch: bool, every: str, **flags: str | None
) -> None:
    """Write the hubs that are ready as nginx's upstream servers.

    The file is replaced whole, and only when they have changed. While the store is away or no hub
    is ready it stays as it is: without --watch that is exit status 1.
    """
    pause = seconds(every, "--every")
    program = partial(
        programs.gateway_config, out=out, command=command, every=pause if watch else None
    )
    programs.run(Settings.load(**flags), program)


@cli.command()
@click.option("--orders-per-minute", type=click.FloatRange(1, 6000), default=300, show_default=True)
@click.option("--minutes", type=click.FloatRange(0.01, 1440), default=1, show_default=True)
@click.option("--speed", type=click.FloatRange(0.1, 2), default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="another evening")
@click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object")
@click.option("--data-dir", default=None, help="in it, `demo` is made anew each time")
def demo(data_dir: str | None, **options: Any) -> None:
    """Two hubs and a simulated town; exit status 1 if a promise was broken.

    Orders come for so many minutes, and the demo ends when all of them are finished.
    """
    settings = load({"data_dir": data_dir}, make_secret=True)
    place, secret = settings.data_dir / "demo", str(settings.secret)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(run_demo(place, secret, Options(**options))))


@cli.command()
@click.argument("name", type=click.Choice(_DOCUMENTS))
@click.option("--data-dir", default=None, hidden=True)
def schema(name: str, data_dir: str | None) -> None:
    """Print an exported document."""
    click.echo(json.dumps(document(name), indent=2, ensure_ascii=False))


for command in (audit, eta, token, verify, webhook):
    cli.add_command(command)


def main() -> None:
    """Exit status 2 for a wrong command line, 3 for what keeps the program from starting."""
    warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # `programs.run` says it, once
    try:
        cli(standalone_mode=True)
    except StartError as error:
        click.echo(f"ordercast: {error}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
