"""What commands share: a flag for each setting, durations, and the settings themselves."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from hub.errors import StartError
from hub.private import make_private
from hub.settings import Settings, parse_duration

__all__ = ["Command", "load", "seconds", "with_settings"]

_LONGEST: Final = 10 * 366 * 86_400.0

Command = Callable[..., Any]


def with_settings(command: Command) -> Command:
    """A flag for each setting, of the same name as its variable."""
    for name, field in reversed(Settings.model_fields.items()):
        flag = "--" + name.replace("_", "-")
        told = f"{field.description or ''} (or ORDERCAST_{name.upper()})".strip()
        command = click.option(flag, name, default=None, help=told)(command)
    return command


def seconds(told: str | None, option: str = "--ttl") -> float | None:
    if told is None:
        return None
    try:
        value = parse_duration(told)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if not 0 < value <= _LONGEST:
        raise click.BadParameter("must be more than 0, and 10 years at most", param_hint=option)
    return value


def load(flags: dict[str, Any], *, make_secret: bool = False) -> Settings:
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
        return Settings.load(**{**flags, "secret": _secret_in(path)})
    except FileNotFoundError:
        if settings.jwks is not None:
            return settings
        raise StartError(f"ORDERCAST_SECRET: not set, and there is no {path}") from None
    except OSError as error:
        raise StartError(f"ORDERCAST_SECRET: {path}: {error.strerror}") from None


def _secret_in(path: Path) -> str:
    """Raises StartError, and OSError where it cannot be read."""
    try:
        secret = path.read_text().strip()
    except UnicodeDecodeError:
        raise StartError(f"ORDERCAST_SECRET: {path} is no text") from None
    if not secret:
        raise StartError(f"ORDERCAST_SECRET: {path} is empty")
    return secret
