"""`ordercast token`: what the hub takes as proof of who somebody is."""

from typing import Any, Final

import click

from hub.commands.options import load, seconds
from hub.errors import StartError
from hub.services.tokens import Tokens
from schemas.lifecycle import Role

__all__ = ["token"]

_TTL: Final = 3600.0


@click.command()
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
    settings = load({"data_dir": data_dir})
    _check_claims(Role(role), orders, claims)
    lasting = seconds(ttl)
    if settings.secret is None:
        raise StartError("ORDERCAST_SECRET: not set; with ORDERCAST_JWKS alone nothing is signed")
    tokens = Tokens(settings.secret)
    if device:
        click.echo(_device(tokens, Role(role), lasting, orders=orders, **claims))
        return
    good_for = _TTL if lasting is None else lasting
    click.echo(tokens.issue(Role(role), ttl=good_for, orders=list(orders) or None, **claims))


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
    for name, value in (*claims.items(), *(("order", order) for order in orders)):
        if value is not None:
            _check_text(value, f"--{name}")
    if role is Role.MERCHANT and not claims["restaurant"]:
        raise click.UsageError("a merchant's token needs --restaurant")
    if role is Role.RIDER and not claims["sub"]:
        raise click.UsageError("a rider's token needs --sub")
    if role is Role.CUSTOMER and not (claims["sub"] or orders):
        raise click.UsageError("a customer's token needs --order or --sub")


def _check_text(value: str, option: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("is no UTF-8", param_hint=option) from None
    if not value:
        raise click.BadParameter("is empty", param_hint=option)
