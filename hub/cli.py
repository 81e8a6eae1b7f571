"""The `ordercast` command. A setting is a flag or an ORDERCAST_* variable; the flag wins."""

import asyncio
import json
import secrets
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console

from hub import programs
from hub.audit_cli import audit, verify
from hub.bridge.check import run as run_check
from hub.bridge.check import show
from hub.bridge.checks import read_secret, read_url
from hub.bridge.findings import Limits
from hub.demo.demo import Options
from hub.demo.demo import run as run_demo
from hub.errors import StartError
from hub.eta.commands import eta
from hub.private import make_private
from hub.settings import Settings, parse_duration
from hub.tokens import Tokens
from schemas.documents import document
from schemas.lifecycle import Role

__all__ = ["main"]

_DOCUMENTS: Final = ("openapi", "openapi-3.0", "asyncapi", "json-schema")
_TOKEN_TTL: Final = 3600.0
_LONGEST_TTL: Final = 10 * 366 * 86_400.0

Command = Callable[..., Any]


def with_settings(command: Command) -> Command:
    """A flag for each setting, of the same name as its variable."""
    for name in reversed(Settings.model_fields):
        flag = "--" + name.replace("_", "-")
        variable = f"ORDERCAST_{name.upper()}"
        command = click.option(flag, name, default=None, help=f"or {variable}")(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ordercast")
def cli() -> None:
    """Ordercast: the real-time status hub for food-delivery orders."""
    Settings.check_names()


@cli.command()
@with_settings
def up(**flags: Any) -> None:
    """The main job on one machine: store, one hub, webhook bridge, worker."""
    settings = _load(flags, make_secret=True)
    programs.run(settings, programs.up)


@cli.command()
@with_settings
def serve(**flags: Any) -> None:
    """One hub instance; run as many as you like behind a load balancer."""
    programs.run(_load(flags), programs.serve)


@cli.command()
@with_settings
def bridge(**flags: Any) -> None:
    """One webhook bridge; run as many as you like."""
    programs.run(_load(flags), programs.bridge)


@cli.command()
@with_settings
def worker(**flags: Any) -> None:
    """Deadlines, estimates, the audit log, the warehouse; run as many as you like."""
    programs.run(_load(flags), programs.worker)


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
    seconds = _seconds(every, "--every")
    program = partial(
        programs.gateway_config, out=out, command=command, every=seconds if watch else None
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
    settings = Settings.load(data_dir=data_dir)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(run_demo(settings.data_dir / "demo", Options(**options))))


@cli.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--sub", help="who it is: a customer's, rider's or user's id")
@click.option("--order", "orders", multiple=True, help="an order the token is good for")
@click.option("--restaurant", help="the restaurant of a merchant")
@click.option("--partner", help="the partner of a platform or partner token")
@click.option("--ttl", help="how long it is good  [default: 1h; a device id: no end]")
@click.option("--device", is_flag=True, help="print a device id for a rider's tracker app instead")
@click.option("--data-dir", default=None, help="where `up` keeps its secret")
def token(
    role: str,
    orders: tuple[str, ...],
    ttl: str | None,
    device: bool,
    data_dir: str | None,
    **claims: Any,
) -> None:
    """Print a signed token, or a device id for a tracker app that speaks the OsmAnd protocol."""
    settings = _load({"data_dir": data_dir})
    _check_claims(Role(role), orders, claims)
    seconds = _seconds(ttl)
    if settings.secret is None:
        raise StartError("ORDERCAST_SECRET: not set; with ORDERCAST_JWKS alone nothing is signed")
    tokens = Tokens(settings.secret)
    if device:
        click.echo(_device(tokens, Role(role), seconds, orders=orders, **claims))
        return
    good_for = _TOKEN_TTL if seconds is None else seconds
    click.echo(tokens.issue(Role(role), ttl=good_for, orders=list(orders) or None, **claims))


def _seconds(told: str | None, option: str = "--ttl") -> float | None:
    if told is None:
        return None
    try:
        seconds = parse_duration(told)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if not 0 < seconds <= _LONGEST_TTL:
        raise click.BadParameter("must be more than 0, and 10 years at most", param_hint=option)
    return seconds


def _device(tokens: Tokens, role: Role, ttl: float | None, *, sub: str, **others: Any) -> str:
    """A device id says who the rider is, and nothing else."""
    if role is not Role.RIDER:
        raise click.UsageError("--device is for --role rider")
    if any(others.values()):
        raise click.UsageError("--device takes --sub and --ttl only")
    try:
        return tokens.device(sub, ttl)
    except ValueError as error:
        raise click.UsageError(f"--device: {error}") from None


def _check_claims(role: Role, orders: tuple[str, ...], claims: dict[str, Any]) -> None:
    """What the hub would refuse is not worth signing."""
    if role is Role.MERCHANT and not claims["restaurant"]:
        raise click.UsageError("a merchant's token needs --restaurant")
    if role is Role.RIDER and not claims["sub"]:
        raise click.UsageError("a rider's token needs --sub")
    if role is Role.CUSTOMER and not (claims["sub"] or orders):
        raise click.UsageError("a customer's token needs --order or --sub")


@cli.command()
@click.argument("name", type=click.Choice(_DOCUMENTS))
@click.option("--data-dir", default=None, hidden=True)
def schema(name: str, data_dir: str | None) -> None:
    """Print an exported document."""
    click.echo(json.dumps(document(name), indent=2, ensure_ascii=False))


cli.add_command(verify)
cli.add_command(audit)


@cli.group()
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
def check(url: str, secret: str, slow: float, as_json: bool) -> None:
    """Send a receiver what the bridge would, and worse, and say what it gets wrong.

    The orders are made up: their ids begin with test_. Exit status 1 if a must does not hold.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run_check(url, secret, Limits(slow=slow)))
    if as_json:
        click.echo(json.dumps(report.dump(), indent=2, ensure_ascii=False))
    else:
        show(Console(), report)
    sys.exit(0 if report.passed else 1)


cli.add_command(eta)


def _load(flags: dict[str, Any], *, make_secret: bool = False) -> Settings:
    """The settings, with the secret of the data directory where none is given.

    Raises StartError when there is none and none may be made.
    """
    settings = Settings.load(**flags)
    if settings.secret is not None:
        return settings
    path = settings.data_dir / "secret"
    if make_secret and not path.exists():
        make_private(path, secrets.token_urlsafe(32))
    try:
        return Settings.load(**{**flags, "secret": path.read_text().strip()})
    except FileNotFoundError:
        if settings.jwks is not None:
            return settings
        raise StartError(f"ORDERCAST_SECRET: not set, and there is no {path}") from None
    except OSError as error:
        raise StartError(f"ORDERCAST_SECRET: {path}: {error.strerror}") from None


def main() -> None:
    """Exit status 2 for a wrong command line, 3 for what keeps the program from starting."""
    try:
        cli(standalone_mode=True)
    except StartError as error:
        click.echo(f"ordercast: {error}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
