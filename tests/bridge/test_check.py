"""`ordercast webhook check` against receivers that are right, and wrong in one way each."""

import asyncio
import contextlib
import io
import json
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
import trustme
import uvicorn
from click.testing import CliRunner, Result
from rich.console import Console

from clients.partner import Counts, Delivery, PartnerReceiver
from clients.signature import BadHeadersError, BadSignatureError, read_secret, verify
from hub.bridge import checks
from hub.bridge.check import run, show
from hub.bridge.checks import CHECKS, Expect, Level, read_url
from hub.bridge.findings import Answer, Limits, Report, Silence, State, judge
from hub.cli import cli
from schemas.lifecycle import EventType

SECRET = "whsec_" + b64encode(b"s" * 32).decode()
KEYS = [read_secret(SECRET)]
QUICK = Limits(slow=0.02)

SIGNATURES = {"wrong-secret", "unsigned", "altered", "stale", "ahead"}
MUSTS = {check.name for check in CHECKS if check.level is Level.MUST}
ACCEPTED = {check.name for check in CHECKS if check.expect is Expect.ACCEPT}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Server(uvicorn.Server):
    """Ends when it is told to, and leaves signals alone."""

    def __init__(self, app: App) -> None:
        options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
        super().__init__(uvicorn.Config(app, ws="none", **options))
        self.over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.over.wait()


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    # Named as TCP, or asyncio leaves Nagle's algorithm on.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    server = Server(app)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
    finally:
        server.over.set()
        await task


@dataclass
class Came:
    """A request as it came; `pieces` of its body that were not empty."""

    method: str
    headers: dict[str, str]
    body: bytes
    pieces: int

    @cached_property
    def event(self) -> dict[str, Any]:
        """Empty for a body that is none."""
        with contextlib.suppress(ValueError):
            return dict(json.loads(self.body))
        return {}

    @property
    def age(self) -> float:
        return time.time() - float(self.headers["webhook-timestamp"])

    @property
    def signed(self) -> bool:
        """At whatever time."""
        return self.fits(self.body)

    @property
    def good(self) -> bool:
        return self.signed and abs(self.age) < 300

    def fits(self, body: bytes, **headers: str) -> bool:
        headers = self.headers | headers
        try:
            verify(KEYS, headers, body, float(headers.get("webhook-timestamp", 0)))
        except (BadHeadersError, BadSignatureError):
            return False
        return True


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()


Flaw = Callable[[Came], Reply | int | None]


class Flawed:
    """A PartnerReceiver behind `flaw`, which answers before it, or with None leaves it to it."""

    def __init__(self, flaw: Flaw = lambda came: None) -> None:
        self.flaw = flaw
        self.came: list[Came] = []
        self.handled: list[Delivery] = []
        self.receiver = PartnerReceiver([SECRET], self.handle)

    async def handle(self, delivery: Delivery) -> None:
        self.handled.append(delivery)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came = await whole(scope, receive)
        self.came.append(came)
        answer = self.flaw(came)
        if answer is None:
            await self.receiver(scope, lambda: again(came.body), send)
            return
        reply = Reply(answer) if isinstance(answer, int) else answer
        headers = [(b"content-length", b"%d" % len(reply.body)), *reply.headers]
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})


async def whole(scope: Scope, receive: Receive) -> Came:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    came, more = Came(scope["method"], headers, b"", 0), True
    while more:
        message = await receive()
        piece, more = message.get("body", b""), message.get("more_body", False)
        came.body, came.pieces = came.body + piece, came.pieces + bool(piece)
    return came


async def again(body: bytes) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body}


async def check(app: App, limits: Limits = QUICK) -> Report:
    async with serving(app) as url:
        return await run(url, SECRET, limits)


def those(report: Report, state: State) -> set[str]:
    return {each.name for each in report.findings if each.state is state}


def change(report: Report, name: str) -> str:
    return next(each.change or "" for each in report.findings if each.name == name)


async def test_our_own_receiver_passes() -> None:
    """`PartnerReceiver` holds every must, and its handler sees what it should and no more."""
    app = Flawed()

    report = await check(app)

    assert set() == those(report, State.FAILED)
    assert report.passed
    kinds = [delivery.event_type for delivery in app.handled]
    assert {"endpoint.test", "endpoint.disabled", "order.gift_wrapped"} <= set(kinds)
    assert app.receiver.counts == Counts(
        received=25, repeats=1, out_of_order=1, bad_signature=4, refused=3
    )


async def test_what_is_about_an_endpoint_is_handed_on() -> None:
    """`PartnerReceiver` takes an event without an order, and says so by an `order_id` of None."""
    app = Flawed()
    await check(app)

    (told,) = [each for each in app.handled if each.event_type == "endpoint.disabled"]
    assert (told.order_id, told.lane, told.seq) == (None, None, 1)
    assert told.payload["endpointId"] == told.body["endpointId"]
    (test,) = [each for each in app.handled if each.event_type == "endpoint.test"]
    assert (test.order_id or "").startswith("test_")


async def test_requests_are_as_the_bridge_sends_them() -> None:
    """Headers and lengths are the bridge's; each order is made up, and of one check alone."""
    app = Flawed()
    await check(app)

    posted = [came for came in app.came if came.method == "POST"]
    assert all(came.headers["content-length"] == str(len(came.body)) for came in posted)
    assert all("transfer-encoding" not in came.headers for came in posted)
    kept = {"content-type": "application/json", "accept-encoding": "identity"}
    assert all(kept.items() <= came.headers.items() for came in posted)
    assert all("ordercast-attempt" in came.headers for came in posted)
    orders = {came.event["payload"].get("orderId", "test_") for came in posted if came.event}
    assert all(order.startswith("test_") for order in orders)
    assert 59 * 1024 < max(len(came.body) for came in posted) <= 60 * 1024
    assert 10 == max(came.pieces for came in posted)


def each_id_once() -> Flaw:
    seen: set[str] = set()

    def flaw(came: Came) -> int | None:
        repeated = came.headers.get("webhook-id") in seen
        seen.add(came.headers.get("webhook-id", ""))
        return 409 if came.good and repeated else None

    return flaw


def each_seq_in_turn() -> Flaw:
    newest: dict[str, int] = {}

    def flaw(came: Came) -> int | None:
        order, seq = came.event.get("orderId"), came.event.get("seq", 0)
        if not came.good or order is None:
            return None
        late = seq < newest.get(order, 0)
        newest[order] = max(seq, newest.get(order, 0))
        return 409 if late else None

    return flaw


def first_signature_only(came: Came) -> int | None:
    first = came.headers.get("webhook-signature", "").partition(" ")[0]
    return None if came.fits(came.body, **{"webhook-signature": first}) else 401


def written_anew(came: Came) -> int | None:
    """Computes the signature over what it made of the body."""
    anew = json.dumps(came.event, separators=(",", ":")).encode()
    return None if not came.event or came.fits(anew) else 401


def known_events_only(came: Came) -> int | None:
    known = came.event.get("eventType") in list(EventType)
    return None if known or not came.event or not came.good else 422


def known_fields_only(came: Came) -> int | None:
    known = {"eventType", "payload", "orderId", "seq", "timestamp", "supersedes"}
    return 422 if came.good and came.event.keys() - known else None


def orders_only(came: Came) -> int | None:
    named = "orderId" in came.event or "orderId" in came.event.get("payload", {})
    return None if named or not came.event else 422


def registered_only(came: Came) -> int | None:
    registered = came.event.keys() & {"orderId", "endpointId"}
    return None if registered or not came.event else 422


@pytest.mark.parametrize(
    ("flaw", "failed", "told"),
    [
        (lambda came: 200, {*SIGNATURES, "not-json"}, "whoever knows the URL"),
        (lambda came: 200 if came.event else 400, SIGNATURES, "whoever knows the URL"),
        (
            lambda came: Reply(308, headers=[(b"location", b"/elsewhere")]),
            {*MUSTS, "redirects"},
            "redirects are not followed",
        ),
        (lambda came: 404, ACCEPTED, "Look at the path"),
        (lambda came: 401, ACCEPTED, "HMAC-SHA256"),
        (lambda came: 410, MUSTS, "switch it off"),
        (lambda came: 429, MUSTS, "rate limit"),
        (lambda came: 503 if came.good else None, {*ACCEPTED, "not-json"}, "Look into your log"),
        (lambda came: None if came.good else 500, SIGNATURES, "It crashed"),
        (lambda came: 202 if came.signed and came.event else None, {"stale", "ahead"}, "recorded"),
        (lambda came: 202 if came.signed and came.age < 0 else None, {"ahead"}, "recorded"),
        (first_signature_only, {"rotation"}, "Try every signature"),
        (written_anew, {"not-ascii"}, "the bytes of the body as they came"),
        (each_id_once(), {"repeat"}, "at least once"),
        (each_seq_in_turn(), {"reordered"}, "older than your newest"),
        (
            known_events_only,
            {"unknown-event", "endpoint-test", "endpoint-disabled"},
            "that you do not know",
        ),
        (
            known_fields_only,
            {"unknown-fields", "endpoint-disabled", "large"},
            "Ignore fields that you do not know",
        ),
        (orders_only, {"endpoint-disabled"}, "without `orderId`"),
        (registered_only, {"callback"}, "alone"),
        (lambda came: 422 if "supersedes" in came.event else None, {"latest"}, "`supersedes`"),
        (lambda came: 413 if len(came.body) > 50_000 else None, {"large"}, "64 KiB"),
        (lambda came: 408 if came.pieces == 10 else None, {"slow"}, "in pieces"),
        (lambda came: 500 if not came.event and came.good else None, {"not-json"}, "It crashed"),
    ],
)
async def test_a_flaw_is_found(flaw: Flaw, failed: set[str], told: str) -> None:
    """Exactly what a receiver does wrong fails, and one sentence says what to change."""
    report = await check(Flawed(flaw))

    assert failed == those(report, State.FAILED)
    assert not report.passed
    assert all(name in report.summary for name in failed)
    assert told in " ".join(change(report, name) for name in failed)


@pytest.mark.parametrize(
    ("flaw", "limits", "advice"),
    [
        (lambda came: 200 if came.method == "GET" else None, QUICK, {"get"}),
        (lambda came: 501 if came.method == "GET" else None, QUICK, {"get"}),
        (
            lambda came: Reply(200, headers=[(b"connection", b"close")]) if came.good else None,
            QUICK,
            {"keep-alive"},
        ),
        (lambda came: Reply(200, b"x" * 4096) if came.good else None, QUICK, set()),
        (lambda came: Reply(200, b"x" * 4097) if came.good else None, QUICK, {"short"}),
        (lambda came: None, Limits(slow=0.02, brisk=0.0), {"brisk"}),
    ],
)
async def test_advice(flaw: Flaw, limits: Limits, advice: set[str]) -> None:
    """What would be better is said, and fails nothing."""

    def readable(came: Came) -> Reply | int | None:
        return None if came.good and not came.event else flaw(came)

    report = await check(Flawed(readable), limits)

    assert (report.passed, advice) == (True, those(report, State.ADVICE))
    assert all(change(report, name) for name in advice)


@asynccontextmanager
async def listening(
    answer: bytes, *, stay: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Answers each connection's first bytes with `answer`, then hangs up or stays silent."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await reader.read(1)
            writer.write(answer)
            while stay and await reader.read(65_536):
                pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def of_nobody() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("scheme", "server", "silence"),
    [
        ("http", {"answer": b""}, Silence.HUNG_UP),
        ("http", {"answer": b"SSH-2.0-OpenSSH_9.2\r\n"}, Silence.NO_HTTP),
        ("http", {"answer": b"HTTP/1.1 200 OK\r\nx", "stay": True}, Silence.LATE),
        ("https", {"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, Silence.NO_TLS),
        ("https", {"answer": b"", "tls": of_nobody()}, Silence.UNTRUSTED),
    ],
)
async def test_nobody_answers(scheme: str, server: dict[str, Any], silence: Silence) -> None:
    """Two checks without an answer are enough: why is said, and the rest is left out."""
    limits = Limits(total=0.1 if silence is Silence.LATE else 10.0)
    async with listening(**server) as address:
        report = await run(f"{scheme}://{address}/", SECRET, limits)

    first, second, *others = report.findings
    assert (first.answered, second.answered) == (silence, silence)
    assert first.change
    left = {other.name for other in others} - {"https", "in-time"}
    assert left <= those(report, State.SKIPPED)
    assert ("in-time" in those(report, State.FAILED)) == (silence is Silence.LATE)
    assert (report.passed, report.summary[:17]) == (False, "FAILED: no answer")


@pytest.mark.parametrize(
    ("url", "silence"),
    [
        ("http://127.0.0.1:1/", Silence.NO_CONNECTION),
        ("http://name.invalid/", Silence.NO_HOST),
    ],
)
async def test_nobody_is_there(url: str, silence: Silence) -> None:
    """A server that is not reached is told from one that does not answer."""
    report = await run(url, SECRET, QUICK)

    assert silence == report.findings[0].answered


async def test_one_that_hangs_now_and_then() -> None:
    """An answer that is missing among others fails its check, and the limit of time."""
    app = Flawed()

    async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
        if len(app.came) != 1:
            await app(scope, receive, send)
            return
        app.came.append(await whole(scope, receive))
        await receive()  # until it is given up

    report = await check(hanging, Limits(total=0.5, slow=0.02))

    assert {"callback", "in-time"} == those(report, State.FAILED)
    assert "Answer before you do the work" in change(report, "in-time")


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("stale", Answer(Silence.HUNG_UP), "It crashed"),
        ("large", Answer(Silence.HUNG_UP), "before you close"),
        ("get", Answer(501), "Answer 405"),
        ("get", Answer(301), "redirects are not followed"),
    ],
)
def test_what_is_told(name: str, answer: Answer, told: str) -> None:
    """The sentence fits what was sent; only a webhook's redirect fails."""
    report = judge("http://localhost/", [(c, [answer]) for c in CHECKS if c.name == name], QUICK)

    assert told in change(report, name)
    assert "redirects" not in those(report, State.FAILED)


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://partner.example/hooks", State.OK),
        ("http://partner.example/hooks", State.ADVICE),
        ("http://localhost:9000/hooks", State.OK),
        ("http://[::1]:9000/hooks", State.OK),
    ],
)
def test_https(url: str, state: State) -> None:
    """Plain http is for the own machine."""
    report = judge(url, [(CHECKS[0], [Answer(200)])], Limits())

    assert state is report.findings[-1].state


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "http://", "http://[::1", "http://a:99999/", "http://a b/", "a.b/c"]
)
def test_no_url(url: str) -> None:
    """What no request can be sent to is refused."""
    with pytest.raises(ValueError, match="not an http or https URL"):
        read_url(url)


@pytest.mark.parametrize("url", ["https://me:pw@a/", "https://a/#b"])
def test_a_url_that_cannot_be_registered(url: str) -> None:
    """Credentials and fragments are refused here as they are at registration."""
    with pytest.raises(ValueError, match="neither credentials nor a fragment"):
        read_url(url)


def test_a_secret_may_lack_its_padding() -> None:
    """Padded or not, it is the same secret."""
    assert SECRET == checks.read_secret(SECRET.rstrip("="))


@pytest.mark.parametrize("secret", ["", "hush", "whsec_", "whsec_!!", SECRET[6:]])
def test_no_secret(secret: str) -> None:
    """What is no secret is refused."""
    with pytest.raises(ValueError, match="a webhook secret is"):
        checks.read_secret(secret)


async def invoke(*arguments: str) -> Result:
    """The command in a thread of its own, as its loop is."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["webhook", "check", *arguments])


async def test_the_command_passes_a_good_receiver() -> None:
    """Exit status 0, and plain lines where there is no terminal."""
    async with serving(Flawed()) as url:
        result = await invoke(url, "--secret", SECRET, "--slow", "0.02")

    assert 0 == result.exit_code
    lines = result.stdout.splitlines()
    assert lines[-1].startswith("passed: all ")
    assert {check.name for check in CHECKS} <= {line.split()[1] for line in lines}
    assert "\x1b" not in result.stdout


async def test_the_command_fails_a_bad_receiver() -> None:
    """Exit status 1; each sentence stands once, below what it is about."""
    async with serving(Flawed(lambda came: 308)) as url:
        result = await invoke(url, "--secret", SECRET, "--slow", "0.02")

    assert 1 == result.exit_code
    lines = result.stdout.splitlines()
    assert lines[-1].startswith("FAILED: ")
    assert lines[1].split()[:4] == ["failed", "registered", "2xx", "308"]
    assert lines[2].strip().startswith("Register the URL that it redirects to")
    assert lines[4].strip() == "As for registered."


async def test_the_command_in_json() -> None:
    """`--json` tells the same to a machine."""
    async with serving(Flawed(lambda came: 200)) as url:
        result = await invoke(url, "--secret", SECRET, "--slow", "0.02", "--json")

    report = json.loads(result.stdout)
    assert (1, False, url) == (result.exit_code, report["passed"], report["url"])
    (row,) = [row for row in report["checks"] if row["name"] == "stale"]
    told = row.pop("change")
    assert row == {
        "name": "stale",
        "level": "must",
        "sent": "an event signed 10 minutes ago",
        "expected": "4xx",
        "answered": "200",
        "state": "failed",
    }
    assert "5 minutes" in told


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["http://localhost:1/"], "Missing option '--secret'"),
        (["http://localhost:1/", "--secret", "hush"], "a webhook secret is"),
        (["localhost:1", "--secret", SECRET], "not an http or https URL"),
        (["http://localhost:1/", "--secret", SECRET, "--slow", "9"], "--slow"),
    ],
)
async def test_a_wrong_command_line(arguments: list[str], line: str) -> None:
    """Exit status 2, a line that names what is wrong, and no secret in it."""
    result = await invoke(*arguments)

    assert (2, True) == (result.exit_code, line in result.stderr)
    assert "hush" not in result.stderr


async def test_a_terminal_gets_a_table() -> None:
    """Coloured, as wide as the terminal, with a sentence for all that is to be changed."""
    report = await run("http://127.0.0.1:1/[red]", SECRET, QUICK)
    out = io.StringIO()

    show(Console(file=out, force_terminal=True, width=80), report)

    assert "\x1b[" in out.getvalue()
    assert "Start the server" in out.getvalue()
    assert "\nFAILED" in out.getvalue().replace("\x1b[31m", "")
