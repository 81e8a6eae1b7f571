"""What a receiver's answers show: one finding for each check, and some about all of them. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from hub.bridge.checks import GET, Check, Expect, Level

__all__ = [
    "ANSWER_MAX",
    "Answer",
    "Asked",
    "Finding",
    "Limits",
    "Report",
    "Silence",
    "State",
    "judge",
]

ANSWER_MAX: Final = 4096
"""Bytes of an answer that are read."""


class State(StrEnum):
    """FAILED is a must that does not hold, ADVICE one that is not followed."""

    OK = "ok"
    FAILED = "failed"
    ADVICE = "advice"
    SKIPPED = "skipped"


class Silence(StrEnum):
    """What there was instead of an answer."""

    LATE = "no answer in time"
    NO_HOST = "no such host"
    NO_CONNECTION = "no connection"
    NO_TLS = "no TLS"
    UNTRUSTED = "untrusted certificate"
    HUNG_UP = "hung up"
    NO_HTTP = "no HTTP"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: to connect; until the answer begins, body included; what is still brisk; and how
    long the slow body takes."""

    connect: float = 3.0
    total: float = 10.0
    brisk: float = 1.0
    slow: float = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request ended: with a status, or with a Silence.

    `took`: seconds from the end of our body to the head of the answer. `fresh`: a connection was
    opened for it. `short`: the answer ended in time and within ANSWER_MAX.
    """

    result: int | Silence
    took: float = 0.0
    fresh: bool = True
    short: bool = True

    @property
    def heard(self) -> bool:
        return not isinstance(self.result, Silence)

    @property
    def hundreds(self) -> int:
        """2 for a 2xx, 0 without a status."""
        return 0 if isinstance(self.result, Silence) else self.result // 100


Asked = Sequence[tuple[Check, Sequence[Answer]]]
"""The checks in their order, with the answers; none where a check was left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. `change` is there exactly if something is to be changed."""

    name: str
    level: Level
    sent: str
    expected: str
    answered: str
    state: State
    change: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one run, in the order in which it was asked."""

    url: str
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        """Every must was asked and holds."""
        return not self._broken(Level.MUST)

    @property
    def summary(self) -> str:
        """One line."""
        if any(each.state is State.SKIPPED for each in self.findings):
            return "FAILED: no answer, so the rest was not asked"
        broken, ignored = self._broken(Level.MUST), self._broken(Level.ADVICE)
        musts = sum(each.level is Level.MUST for each in self.findings)
        line = f"passed: all {musts} musts hold"
        if broken:
            line = f"FAILED: {len(broken)} of {musts} musts do not hold: {', '.join(broken)}"
        return line + (f"; advice: {', '.join(ignored)}" if ignored else "")

    def dump(self) -> dict[str, Any]:
        checks = [asdict(each) for each in self.findings]
        return {
            "url": self.url,
            "passed": self.passed,
            "summary": self.summary,
            "checks": checks,
        }

    def _broken(self, level: Level) -> list[str]:
        return [f.name for f in self.findings if f.level is level and f.state is not State.OK]


_REDIRECT: Final = (
    "Register the URL that it redirects to: redirects are not followed and count as failures."
)
_CRASH: Final = (
    "It crashed: catch what reading and checking a request can raise and answer 4xx, for a 5xx"
    " asks for another try, and this request deserves none."
)
_ERROR: Final = (
    "Look into your log for what failed: after a 5xx we send it again for up to 24 h, and the"
    " order's later events wait behind it."
)
_SILENCE: Final = {
    Silence.LATE: "Answer before you do the work: what is not answered in time counts as failed,"
    " and comes again while the first is still being worked on.",
    Silence.NO_HOST: "Look at the host in the URL: its name does not resolve.",
    Silence.NO_CONNECTION: "Start the server, or look at the host and port in the URL: nobody"
    " takes a connection there.",
    Silence.NO_TLS: "Serve TLS at this port, or try your own machine by http: the handshake"
    " failed.",
    Silence.UNTRUSTED: "Serve a certificate for this host that a public authority has signed, and"
    " the chain with it: we refuse any other.",
    Silence.HUNG_UP: "Answer each request with a status before you close: a connection that ends"
    " without one counts as failed, and the request comes again.",
    Silence.NO_HTTP: "Let the URL lead to an HTTP server: what came back was something else.",
}
_GONE: Final = "Answer 410 only when the URL is gone for good: it makes us switch it off."
_LIMITED: Final = (
    "Let our requests through your rate limit: a 429 holds up the order's later events, and"
    " shows nothing of what would be answered here."
)
_SIGNING: Final = (
    "Give the receiver the secret you gave here, and compute the signature as HMAC-SHA256 of"
    " `webhook-id.webhook-timestamp.body`, with the raw body and the bytes behind the base64 after"
    " `whsec_` as the key: no well-signed event was accepted."
)
_LONG: Final = (
    "Answer with a status line and next to nothing below it: we do not read beyond 4 KiB, and may"
    " have to give the connection up."
)
_QUEUE: Final = (
    "Put the event into a queue of your own and answer: the order's next event waits for the"
    " answer to the one before."
)
_WRONG_PLACE: Final = "Look at the path of the URL: nothing there takes a POST."


def judge(url: str, asked: Asked, limits: Limits) -> Report:
    """Every finding: one for each check, then those about all answers together."""
    accepts = any(
        _fits(check, answer)
        for check, answers in asked
        for answer in answers
        if check.expect is Expect.ACCEPT
    )
    findings = [_finding(check, answers, accepts) for check, answers in asked]
    posted = [answer for check, answers in asked if check is not GET for answer in answers]
    return Report(url, [*findings, *_overall(posted, limits), _https(url)])


def _finding(check: Check, answers: Sequence[Answer], accepts: bool) -> Finding:
    if not answers:
        return _skipped(check.name, check.level, check.sent, check.expect)
    if check.expect is Expect.ONE_CONNECTION:
        opened = sum(answer.fresh for answer in answers)
        answered, change = str(opened), None if opened == 1 else check.change
    else:
        wrong = next((answer for answer in answers if not _fits(check, answer)), None)
        change = None if wrong is None else _change(check, wrong, accepts)
        answered = ", ".join(str(answer.result) for answer in answers)
    return _row(check.name, check.level, check.sent, check.expect, answered, change)


def _fits(check: Check, answer: Answer) -> bool:
    """410 and 429 are 4xx that say something else than no."""
    if check.expect is Expect.REFUSE:
        return answer.hundreds == 4 and answer.result not in (410, 429)
    return answer.hundreds == 2


def _change(check: Check, answer: Answer, accepts: bool) -> str:
    """`accepts`: some well-signed event was accepted, so that signing as such is understood."""
    refuses = check.expect is Expect.REFUSE
    match answer.result:
        case Silence.HUNG_UP if refuses:
            return _CRASH
        case Silence() as silence:
            return _SILENCE[silence]
        case 410:
            return _GONE
        case 429:
            return _LIMITED
        case 404 | 405 if not accepts:
            return _WRONG_PLACE
        case 400 | 401 | 403 if not accepts:
            return _SIGNING
    if answer.hundreds == 3:
        return _REDIRECT
    if answer.hundreds == 5 and check is not GET:
        return _CRASH if refuses else _ERROR
    return check.change


def _overall(answers: Sequence[Answer], limits: Limits) -> list[Finding]:
    heard = [answer for answer in answers if answer.heard]
    moved = sum(answer.hundreds == 3 for answer in heard)
    long = sum(not answer.short for answer in heard)
    redirects = ("redirects", Level.MUST, "none", f"{moved} of {len(heard)}")
    short = ("short", Level.ADVICE, "<= 4 KiB", f"{long} longer" if long else "all")
    return [
        _about_all(redirects, heard, _REDIRECT if moved else None),
        *_times(answers, heard, limits),
        _about_all(short, heard, _LONG if long else None),
    ]


def _times(
    answers: Sequence[Answer], heard: Sequence[Answer], limits: Limits
) -> tuple[Finding, Finding]:
    late = [answer for answer in answers if answer.result is Silence.LATE]
    slowest = max((answer.took for answer in answers), default=0.0)
    told = f"{len(late)} late" if late else f"{slowest:.2f} s"
    in_time = ("in-time", Level.MUST, f"<= {limits.total:g} s", told)
    brisk = ("brisk", Level.ADVICE, f"<= {limits.brisk:g} s", told)
    return (
        _about_all(in_time, late or heard, _SILENCE[Silence.LATE] if late else None),
        _about_all(brisk, heard, _QUEUE if late or slowest > limits.brisk else None),
    )


def _https(url: str) -> Finding:
    parts = urlsplit(url)
    scheme, local = parts.scheme, _is_loopback(parts.hostname or "")
    change = "Serve it by https: any other URL is refused when you register it."
    answered = "local" if local else scheme
    fits = scheme == "https" or local
    return _row("https", Level.ADVICE, "the URL", "https", answered, None if fits else change)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _about_all(
    row: tuple[str, Level, str, str], answers: Sequence[Answer], change: str | None
) -> Finding:
    """`row`: name, level, what is expected, what was answered."""
    name, level, expected, answered = row
    if not answers:
        return _skipped(name, level, "all of these", expected)
    return _row(name, level, "all of these", expected, answered, change)


def _skipped(name: str, level: Level, sent: str, expected: str) -> Finding:
    return Finding(name, level, sent, expected, "-", State.SKIPPED)


def _row(
    name: str, level: Level, sent: str, expected: str, answered: str, change: str | None
) -> Finding:
    broken = State.FAILED if level is Level.MUST else State.ADVICE
    state = State.OK if change is None else broken
    return Finding(name, level, sent, expected, answered, state, change)
