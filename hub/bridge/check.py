"""Asks a partner's receiver what `hub.bridge.checks` lists, and shows what came of it.

It is run by the partner, against the own machine more often than not: no address is refused.
"""

import asyncio
import secrets
import ssl
import string
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.bridge.checks import CHECKS, Check, Request, Sample
from hub.bridge.findings import ANSWER_MAX, Answer, Finding, Limits, Report, Silence, State, judge
from hub.bridge.sender import HEADERS
from hub.core.webhooks.signature import SECRET_BYTES, make_secret

__all__ = ["run", "show"]

_PIECES: Final = 10
_TRIED: Final = 2
"""Checks without any answer after which there is nobody to ask the others."""

_HEADS: Final = ("", "check", "expected", "answered", "sent")
_STYLES: Final = {
    State.OK: "green",
    State.FAILED: "bold red",
    State.ADVICE: "yellow",
    State.SKIPPED: "dim",
}


async def run(
    url: str,
    secret: str,
    limits: Limits = Limits(),  # noqa: B008  frozen
    *,
    checks: Sequence[Check] = CHECKS,
    clock: Callable[[], float] = time.time,
) -> Report:
    """Ask the receiver at `url`, one request after the other. `clock`: Unix seconds.

    Nothing that it does is raised. Where nobody answers the first two checks, the others are left
    out.
    """
    sample = _sample(secret)
    asked: list[tuple[Check, list[Answer]]] = []
    for check in checks:
        answers: list[Answer] = []
        if len(asked) < _TRIED or any(a.heard for _, given in asked for a in given):
            requests = check.requests(replace(sample, now=clock()))
            answers = await _ask(url, requests, limits)
        asked.append((check, answers))
    return judge(url, asked, limits)


def show(console: Console, report: Report) -> None:
    """A table; where there is no terminal, lines in columns that nothing wraps or colours."""
    if console.is_terminal:
        console.print(_table(report.findings))
        console.print()
        console.print(_changes(report.findings))
        style = "green" if report.passed else "red"
        console.print(report.summary, style=style, markup=False, highlight=False)
        return
    for line in [*_lines(report.findings), report.summary]:
        console.out(line, highlight=False)


def _sample(secret: str) -> Sample:
    run = "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))
    foreign = make_secret(secrets.token_bytes(SECRET_BYTES))
    return Sample(secret=secret, foreign=foreign, now=0.0, run=run)


@dataclass(slots=True)
class _Exchange:
    """One request while it goes on; times on the monotonic clock."""

    sent_at: float
    result: int | Silence = Silence.LATE
    answered_at: float | None = None
    fresh: bool = False
    short: bool = False

    def answer(self) -> Answer:
        until = time.monotonic() if self.answered_at is None else self.answered_at
        return Answer(self.result, max(0.0, until - self.sent_at), self.fresh, self.short)


async def _ask(url: str, requests: Sequence[Request], limits: Limits) -> list[Answer]:
    """Over one connection, if the receiver keeps it, and another one for each check: what it does
    to one is not to be seen in the next."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_connecting)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, resolver=aiohttp.ThreadedResolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect),
        trace_configs=[trace],
    ) as session:
        return [await _exchange(session, url, request, limits) for request in requests]


async def _connecting(session: aiohttp.ClientSession, context: Any, params: Any) -> None:
    context.trace_request_ctx.fresh = True


async def _exchange(
    session: aiohttp.ClientSession, url: str, request: Request, limits: Limits
) -> Answer:
    exchange = _Exchange(sent_at=time.monotonic())
    try:
        async with (
            asyncio.timeout(limits.total),
            session.request(
                request.method,
                url,
                data=_drip(request, exchange, limits.slow) if request.slow else request.body,
                headers={**HEADERS, **request.headers, "content-length": str(len(request.body))},
                allow_redirects=False,
                trace_request_ctx=exchange,
            ) as response,
        ):
            exchange.result, exchange.answered_at = response.status, time.monotonic()
            exchange.short = await _drain(response)
    except Exception as failure:  # whatever a stranger's server makes our client raise
        if exchange.answered_at is None:
            exchange.result = _silence(failure)
    return exchange.answer()


async def _drip(request: Request, exchange: _Exchange, seconds: float) -> AsyncIterator[bytes]:
    """The body in pieces, spread over `seconds`."""
    size = -(-len(request.body) // _PIECES)
    for start in range(0, len(request.body), size):
        if start:
            await asyncio.sleep(seconds / (_PIECES - 1))
        exchange.sent_at = time.monotonic()
        yield request.body[start : start + size]


async def _drain(response: aiohttp.ClientResponse) -> bool:
    """Whether the answer ends within ANSWER_MAX; what does not is let go, as the bridge does."""
    left = ANSWER_MAX
    while left > 0 and (part := await response.content.read(left)):
        left -= len(part)
    ended = left > 0 or not await response.content.read(1)
    if not ended:
        response.close()
    return ended


def _silence(failure: Exception) -> Silence:
    match failure:
        case aiohttp.ConnectionTimeoutError():
            return Silence.NO_CONNECTION
        case TimeoutError():
            return Silence.LATE
        case aiohttp.ClientConnectorCertificateError():
            return Silence.UNTRUSTED
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Silence.NO_TLS
        case aiohttp.ClientConnectorDNSError():
            return Silence.NO_HOST
        case aiohttp.ClientConnectorError():
            return Silence.NO_CONNECTION
        case aiohttp.ServerDisconnectedError() | OSError():
            return Silence.HUNG_UP
        case _:
            return Silence.NO_HTTP


def _told(findings: Sequence[Finding]) -> Iterator[tuple[Finding, str | None]]:
    """Each with what to change, which is told once in full."""
    first: dict[str, str] = {}
    for each in findings:
        change = each.change
        if change and (name := first.setdefault(change, each.name)) != each.name:
            change = f"As for {name}."
        yield each, change


def _cells(each: Finding) -> tuple[str, ...]:
    return each.state, each.name, each.expected, each.answered, each.sent


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in _HEADS:
        table.add_column(column, no_wrap=column in ("", "check"))
    for each in findings:
        state, *others = _cells(each)
        table.add_row(Text(state, _STYLES[each.state]), *map(Text, others))
    return table


def _changes(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    for each, change in _told(findings):
        if change:
            table.add_row(Text(each.name, _STYLES[each.state]), Text(change))
    return table


def _lines(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, and one below it for what to change."""
    rows = [_HEADS, *map(_cells, findings)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(_HEADS, widths)]
    for each, change in _told(findings):
        lines.append(_line(_cells(each), widths))
        if change:
            lines.append(f"{'':{widths[0]}}  {change}")
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
