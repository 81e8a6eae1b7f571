"""`ordercast verify` and `ordercast audit`: for those who do not take the operator's word."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import httpx2
from pydantic import ValidationError

from hub.core.audit.heads import PublicKey
from hub.core.audit.proof import check_consistency, check_proof, check_witness
from hub.core.audit.verdict import Fault, FaultCode, Verdict
from hub.settings import Settings
from hub.worker.keys import load_keys
from schemas.audit import AuditKeys, Head, HeadConsistency
from schemas.wire import loads

__all__ = ["audit", "verify"]

_PAGE: Final = 500
_TIMEOUT: Final = 15.0

Heads = list[dict[str, Any]]
_file: Final = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


class _Key(click.ParamType[tuple[PublicKey, str | None]]):
    """A public key, a file with one, or one with what `GET /v1/audit/key` answers."""

    name = "key"

    def convert(self, value: Any, *_: Any) -> tuple[PublicKey, str | None]:
        """The oldest key, which vouches for its successors, and the log where it is told."""
        try:
            path = Path(value)
            text = path.read_text(encoding="utf-8") if path.is_file() else str(value)
            if not text.lstrip().startswith("{"):
                return PublicKey(text), None
            told = AuditKeys.read(loads(text))
            return PublicKey(told.keys[-1].public_key), told.log
        except (OSError, ValueError, IndexError):
            self.fail("is no Ed25519 public key, nor a file with one")


def _heads(path: Path) -> Heads:
    """The heads of a witness's file; lines that cannot be read are told and passed over."""
    heads: Heads = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            heads.append(_head(loads(line)))
        except (ValidationError, ValueError):
            click.echo(f"{path}: line {number} is no head, passed over", err=True)
    if not heads:
        raise click.BadParameter(f"there is no head in {path}", param_hint="--witness")
    return heads


def _head(data: Any) -> dict[str, Any]:
    Head.read(data)
    head: dict[str, Any] = data
    return head


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from None


def _ends(verdict: Verdict, as_json: bool, holds: str) -> None:
    """Say it, and exit: 0 where it holds, 1 where it does not."""
    if as_json:
        click.echo(json.dumps(_shown(verdict), indent=2, ensure_ascii=False))
    else:
        click.echo(holds if verdict.holds else "does not hold", err=not verdict.holds)
        for each in (*verdict.faults, *verdict.notes):
            click.echo(f"  {each.code}: {each.detail}", err=not verdict.holds)
    sys.exit(0 if verdict.holds else 1)


def _shown(verdict: Verdict) -> dict[str, Any]:
    def tell(faults: Sequence[Fault]) -> list[dict[str, Any]]:
        return [
            {"code": each.code.value, "detail": each.detail}
            | ({} if each.seq is None else {"seq": each.seq})
            for each in faults
        ]

    return {
        "holds": verdict.holds,
        "orderId": verdict.order_id,
        "events": verdict.events,
        "faults": tell(verdict.faults),
        "notes": tell(verdict.notes),
    }


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--data-dir", default=None, hidden=True)(command)
    return click.option("--json", "as_json", is_flag=True, help="as one JSON object")(command)


@click.command()
@click.argument("file", type=_file)
@click.option("--key", type=_Key(), required=True, help="the public key, or a file with it")
@click.option("--witness", type=_file, help="heads that were seen before, a line each")
@click.option("--allow-pending", is_flag=True, help="events newer than the head may be unproven")
@click.option("--allow-old", is_flag=True, help="the proof may be older than the witness")
@click.option("--allow-erased", is_flag=True, help="events may have had personal data erased")
@click.option("--strict", is_flag=True, help="no erased content, no unfinished order")
@_options
def verify(
    file: Path,
    key: tuple[PublicKey, str | None],
    witness: Path | None,
    as_json: bool,
    data_dir: str | None,
    **allowed: bool,
) -> None:
    """Check an order's audit proof, without any network.

    FILE is what GET /v1/orders/{id}/proof answered. Exit status 1, and every reason, where it does
    not hold.
    """
    seen = _heads(witness) if witness else []
    try:
        proof = loads(_text(file), unique=True)
    except ValueError as error:
        fault = Fault(FaultCode.MALFORMED, f"this is no JSON: {error}")
        _ends(Verdict(None, 0, (fault,)), as_json, "")
    verdict = check_proof(proof, key[0], seen, log=key[1], **allowed)
    _ends(verdict, as_json, f"holds: {verdict.order_id}, {verdict.events} events")


@click.group()
def audit() -> None:
    """The audit log's key, and whether a hub still stands by what a witness saw."""


@audit.command()
@click.option("--data-dir", default=None, help="where `up` keeps its key")
def key(data_dir: str | None) -> None:
    """Print the public key; make DATA_DIR/audit.key if there is no key yet."""
    settings = Settings.load(data_dir=data_dir)
    click.echo(load_keys(settings, make=True).present.public.text)


@audit.command()
@click.argument("url")
@click.option("--key", type=_Key(), required=True, help="the public key, or a file with it")
@click.option("--witness", type=_file, required=True, help="heads that were seen, a line each")
@_options
def check(
    url: str,
    key: tuple[PublicKey, str | None],
    witness: Path,
    as_json: bool,
    data_dir: str | None,
) -> None:
    """Whether the log of the hub at URL goes on from what a witness saw."""
    seen = sorted(_heads(witness), key=lambda head: int(head["number"]))
    try:
        with httpx2.Client(base_url=url, timeout=_TIMEOUT) as hub:
            live, consistency = _ask(hub, seen[-1])
    except (httpx2.HTTPError, ValidationError, ValueError) as error:
        raise click.ClickException(f"{url}: {error}") from None
    faults = check_witness([*seen, *live], key[0])
    if not live:
        text = f"the hub does not have head {seen[-1]['number']}, which the witness saw"
        faults.append(Fault(FaultCode.OLD_HEAD, text))
    else:
        faults += check_consistency(seen[-1], live[-1], consistency)
    newest = live[-1]["number"] if live else 0
    _ends(Verdict(None, 0, tuple(faults)), as_json, f"holds: up to head {newest}")


def _ask(hub: httpx2.Client, seen: dict[str, Any]) -> tuple[Heads, HeadConsistency | None]:
    """The hub's heads from the one that was seen on, and that the last of them goes on from it."""
    live: Heads = []
    after: int | None = seen["number"] - 1
    while after is not None:
        page = _get(hub, "/v1/audit/heads", after=after, limit=_PAGE)
        live += [_head(each) for each in page["items"]]
        after = None if page["next"] is None else int(page["next"])
    if not live or live[-1]["size"] <= seen["size"]:
        return live, None
    told = _get(hub, "/v1/audit/consistency", **{"from": seen["size"], "to": live[-1]["size"]})
    return live, HeadConsistency.read(told)


def _get(hub: httpx2.Client, path: str, **query: int) -> dict[str, Any]:
    answer = hub.get(path, params=query).raise_for_status()
    told: dict[str, Any] = answer.json()
    return told
