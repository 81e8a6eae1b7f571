"""The settings: `ORDERCAST_*` variables and flags of the same name, read here and nowhere else."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.core.callers.origins import check_origin
from hub.core.maptiles import check_tiles
from hub.errors import StartError
from hub.store.connection import Durability

__all__ = ["Settings", "parse_duration"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PREFIX: Final = "ORDERCAST_"
_LONGEST: Final = 100 * 365 * 86_400.0
_REACHED_AT: Final = r"^([^\s:;{}]+|\[[0-9a-fA-F:]+\]):\d{1,5}$"


def parse_duration(value: Any) -> float:
    """`90s`, `15m`, `2h`, `7d`, `500ms` or a bare number, in seconds. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", str(value).strip())
    if match is None:
        raise ValueError("must be a duration such as 90s, 15m or 2h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def _split(value: Any) -> Any:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


def _filled(value: str) -> str:
    if not value:
        raise ValueError("is empty")
    return value


def _network(value: Any) -> Any:
    """CIDRs. One with bits beyond its length is refused: it may be meant for one address alone."""
    parts = _split(value)
    for part in parts:
        ipaddress.ip_network(part)
    return parts


def _origins(value: Any) -> Any:
    return [check_origin(part) for part in _split(value)]


Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=_LONGEST)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_network)]


class Settings(BaseSettings):
    """Durations in seconds. `load` is the way to make one. `--help` tells what fields are told."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    data_dir: Path = Path(".ordercast")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    ops_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    advertise: Annotated[str, Field(pattern=_REACHED_AT)] | None = None
    """HOST:PORT by which a gateway reaches this hub; its own, if not told."""
    share_port: bool = False
    """Whether further hubs of this machine may listen on the same port."""
    redis_url: str | None = None
    secret: Annotated[str, AfterValidator(_filled)] | None = None
    jwks: str | None = None
    allowed_origins: Origins = ()
    """Whose pages may use the hub beside its own, as https://shop.example,https://app.example, or *
    for any.
    """
    durability: Durability = "everysec"
    retention: Duration = 7 * 86400.0
    drain_seconds: Duration = 20.0
    ping_seconds: Duration = 25.0
    fix_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    """Messages with fixes a second that are taken from a rider, sustained."""
    position_error: Annotated[float, Field(ge=0)] = 15.0
    """Metres by which those who lead a rider's last position on may be wrong before the next is
    told; 0 tells every fix.
    """
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    tracing: bool = False
    """OpenTelemetry traces; where to, OTEL_EXPORTER_OTLP_ENDPOINT says."""
    log_format: Literal["json", "console"] = "json"

    webhook_allow: Networks = ()
    webhook_concurrency: Annotated[int, Field(ge=1, le=10_000)] = 1024
    webhook_retention: Duration = 86400.0
    """How long a webhook is kept, to be looked at and replayed, once it was accepted."""

    warehouse: Annotated[str, Field(min_length=1)] | None = None
    """Where the tables are: a path, or a URL that deltalake takes (s3://..., az://..., gs://...)."""
    warehouse_interval: Duration = 60.0
    warehouse_retention: Duration | None = None
    """How long rows are kept there, by whole days; for ever without."""

    audit_key: Annotated[str, Field(min_length=1)] | None = None
    """Signs the audit log's heads: 32 bytes in base64, PEM, or a file with either."""
    audit_key_previous: Annotated[str, Field(min_length=1)] | None = None
    """The key before, while it hands over to `audit_key`."""
    audit_interval: Annotated[Duration, Field(le=50)] = 30.0
    """Seconds between two heads while there is traffic."""
    witness: Annotated[str, Field(min_length=1)] | None = None
    """Where each head is told: a file, or an https URL."""
    tiles: Annotated[str, AfterValidator(check_tiles)] = ""
    """Map tiles of the pages, as `https://tiles.example/{z}/{x}/{y}.png`; a plain map without."""
    tiles_attribution: str = ""
    tiles_crs: Literal["wgs84", "gcj02"] = "wgs84"

    payment_timeout: Duration = 900.0
    merchant_warning: Duration = 300.0
    merchant_timeout: Duration = 600.0
    sold_out_timeout: Duration = 180.0
    rider_timeout: Duration = 600.0
    rider_silent: Duration = 120.0
    overdue: Duration = 600.0

    @classmethod
    def check_names(cls) -> None:
        """Raises StartError for a variable that names no setting."""
        known = {f"{_PREFIX}{name.upper()}" for name in cls.model_fields}
        for name in os.environ:
            if name.upper().startswith(_PREFIX) and name.upper() not in known:
                raise StartError(f"{name}: there is no such setting")

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """From the environment, with the flags given on the command line before it.

        Raises StartError with one line that names the setting.
        """
        cls.check_names()
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = str(first["loc"][0]) if first["loc"] else "settings"
            flag = f" (--{field.replace('_', '-')})" if flags.get(field) is not None else ""
            said = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
            raise StartError(f"{_PREFIX}{field.upper()}{flag}: {said}") from None
