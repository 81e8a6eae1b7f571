"""What a partner's receiver is asked before it goes live, and what it should answer. Pure.

Every sentence here is for the engineer on the other side: what to change, and why.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from hub.core.webhooks.signature import sign
from schemas.lifecycle import MAIN_LINE, STATUS_EVENTS
from schemas.times import format_time
from schemas.webhooks import RegisteredBody, StatusChangeBody, StatusPayload
from schemas.wire import dumps

__all__ = [
    "CHECKS",
    "GET",
    "Check",
    "Expect",
    "Level",
    "Request",
    "Sample",
    "read_secret",
    "read_url",
]

_LARGE: Final = 60 * 1024
_TEN_MINUTES: Final = 600
_TEN_TIMES: Final = 10


class Level(StrEnum):
    MUST = "must"
    ADVICE = "advice"


class Expect(StrEnum):
    ACCEPT = "2xx"
    REFUSE = "4xx"
    ONE_CONNECTION = "1"


@dataclass(frozen=True, slots=True)
class Request:
    """`slow`: the body goes in pieces."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run signs: its secret, one that the receiver does not know, the time in Unix
    seconds, and eight letters that no other run has."""

    secret: str
    foreign: str
    now: float
    run: str

    def event(self, order_id: str, seq: int = 2) -> dict[str, Any]:
        """The body of a registered endpoint; `seq` 1 to 5 are the five statuses of a good day."""
        payload, now = self.payload(order_id, seq), self.now
        kind = STATUS_EVENTS[payload.status]
        body = RegisteredBody(
            event_type=kind, payload=payload, order_id=order_id, seq=seq, timestamp=now
        )
        return body.dump()

    def payload(self, order_id: str, seq: int = 2) -> StatusPayload:
        status = MAIN_LINE[seq - 1]
        return StatusPayload(
            order_id=order_id, status=status, timestamp=self.now, estimated_time=35
        )

    def post(
        self,
        order_id: str,
        body: dict[str, Any] | bytes | None = None,
        *,
        seq: int = 2,
        secrets: Sequence[str] = (),
        age: int = 0,
    ) -> Request:
        """Signed with `secrets` (without any, the run's), `age` seconds ago; the body is an event
        of the order unless there is another."""
        if not isinstance(body, bytes):
            body = dumps(body or self.event(order_id, seq))
        webhook_id, at = f"msg_{order_id}_{self.run}_{seq}_ep_0", int(self.now) - age
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(secrets or [self.secret], webhook_id, at, body),
            "ordercast-attempt": "1",
            "ordercast-first-attempt": format_time(at),
        }
        return Request(headers, body)


Make = Callable[[Sample, str], list[Request]]


@dataclass(frozen=True, slots=True)
class Check:
    """`make` answers the requests, in order; each is about an order that only this check has.
    `change`: what to change where the answer is wrong, and why."""

    name: str
    sent: str
    expect: Expect
    make: Make
    change: str
    level: Level = Level.MUST

    def requests(self, sample: Sample) -> list[Request]:
        return self.make(sample, f"test_{sample.run}_{self.name}")


def read_secret(secret: str) -> str:
    """`whsec_` and base64, with the padding that may be missing.

    Raises ValueError, without the secret in it.
    """
    encoded = secret.removeprefix("whsec_")
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        key = b""
    if not key or encoded == secret:
        raise ValueError("a webhook secret is `whsec_` and base64")
    return f"whsec_{b64encode(key).decode()}"


def read_url(url: str) -> str:
    """Raises ValueError, with a sentence, for what no request can be sent to."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise ValueError("this is not an http or https URL")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("a webhook's URL has neither credentials nor a fragment")
    return url


def _event(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(order_id)]


def _with(**more: Any) -> Make:
    """An event with other or further fields."""
    return lambda sample, order_id: [sample.post(order_id, sample.event(order_id) | more)]


def _callback(sample: Sample, order_id: str) -> list[Request]:
    payload = sample.payload(order_id)
    body = StatusChangeBody(event_type=STATUS_EVENTS[payload.status], payload=payload, seq=2)
    return [sample.post(order_id, body.dump())]


def _latest(sample: Sample, order_id: str) -> list[Request]:
    body = sample.event(order_id, 4) | {"supersedes": [2, 3]}
    return [sample.post(order_id, body, seq=4)]


def _not_ascii(sample: Sample, order_id: str) -> list[Request]:
    event = sample.event(order_id)
    event["payload"] |= {"reason": "麻婆豆腐 – à l’étage, s’il vous plaît"}
    return [sample.post(order_id, event)]


def _endpoint_disabled(sample: Sample, order_id: str) -> list[Request]:
    """About an endpoint: there is no order in it."""
    at = format_time(sample.now)
    body = {
        "eventType": "endpoint.disabled",
        "payload": {
            "endpointId": "ep_0",
            "url": "https://partner.example/hooks",
            "reason": "20 orders in a row failed",
            "timestamp": at,
        },
        "endpointId": "ep_0",
        "seq": 1,
        "timestamp": at,
    }
    return [sample.post(order_id, body, seq=1)]


def _wrong_secret(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(order_id, secrets=[sample.foreign])]


def _unsigned(sample: Sample, order_id: str) -> list[Request]:
    request = sample.post(order_id)
    headers = {n: value for n, value in request.headers.items() if not n.startswith("webhook-")}
    return [replace(request, headers=headers)]


def _altered(sample: Sample, order_id: str) -> list[Request]:
    """Still an event, and as long as before: the order is completed instead of confirmed."""
    request = sample.post(order_id)
    return [replace(request, body=request.body.replace(b"CONFIRMED", b"COMPLETED"))]


def _aged(age: int) -> Make:
    return lambda sample, order_id: [sample.post(order_id, age=age)]


def _rotation(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(order_id, secrets=[sample.foreign, sample.secret])]


def _repeat(sample: Sample, order_id: str) -> list[Request]:
    first = sample.post(order_id)
    return [first, replace(first, headers={**first.headers, "ordercast-attempt": "2"})]


def _reordered(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(order_id, seq=3), sample.post(order_id, seq=2)]


def _large(sample: Sample, order_id: str) -> list[Request]:
    item = {"itemId": "i1", "name": "Mapo tofu", "quantity": 1, "unitPriceCents": 3200}
    event = sample.event(order_id) | {"items": []}
    event["payload"] |= {"reason": "x" * 500}
    room = _LARGE - len(dumps(event))
    return [sample.post(order_id, event | {"items": [item] * (room // (len(dumps(item)) + 1))})]


def _slow(sample: Sample, order_id: str) -> list[Request]:
    return [replace(sample.post(order_id), slow=True)]


def _not_json(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(order_id, b'{"eventType": "order.confirmed", "payload": {')]


def _get(sample: Sample, order_id: str) -> list[Request]:
    return [Request({}, b"", "GET")]


def _many(sample: Sample, order_id: str) -> list[Request]:
    return [sample.post(f"{order_id}-{number}") for number in range(_TEN_TIMES)]


GET: Final = Check(
    "get",
    "a GET",
    Expect.REFUSE,
    _get,
    "Answer 405 to all but POST, so that a browser or a crawler is not taken for us.",
    Level.ADVICE,
)

CHECKS: Final = (
    Check(
        "registered",
        "an event as registered endpoints get it",
        Expect.ACCEPT,
        _event,
        "Answer 2xx to an event that is well signed: anything else makes us send it again, for up"
        " to 24 h.",
    ),
    Check(
        "callback",
        "an event as an order's notificationUrl gets it",
        Expect.ACCEPT,
        _callback,
        "Take a body of `eventType`, `payload` and `seq` alone: a notificationUrl is told no more,"
        " and `orderId` stands in the payload.",
    ),
    Check(
        "latest",
        "an event that stands for two older ones (mode `latest`)",
        Expect.ACCEPT,
        _latest,
        "Take an event with `supersedes`, and a gap before its `seq`: those it names never come.",
    ),
    Check(
        "not-ascii",
        "an event whose reason is not ASCII",
        Expect.ACCEPT,
        _not_ascii,
        "Compute the signature over the bytes of the body as they came, before anything decodes or"
        " parses them: written anew they are others.",
    ),
    Check(
        "endpoint-test",
        "an `endpoint.test`, about an order that does not exist",
        Expect.ACCEPT,
        _with(eventType="endpoint.test"),
        "Answer 2xx to `endpoint.test` without looking for its order: there is none, and the test"
        " counts as failed.",
    ),
    Check(
        "endpoint-disabled",
        "an `endpoint.disabled`, which has no orderId",
        Expect.ACCEPT,
        _endpoint_disabled,
        "Take an event without `orderId`: `endpoint.disabled` tells you about one of your"
        " endpoints, not about an order.",
    ),
    Check(
        "wrong-secret",
        "an event signed with a secret that is not yours",
        Expect.REFUSE,
        _wrong_secret,
        "Compare `webhook-signature` with your own and answer 401 where none fits: otherwise"
        " whoever knows the URL can change your orders.",
    ),
    Check(
        "unsigned",
        "an event without signature headers",
        Expect.REFUSE,
        _unsigned,
        "Answer 400 or 401 when a `webhook-` header is missing: otherwise a forger just leaves the"
        " signature out.",
    ),
    Check(
        "altered",
        "an event changed after it was signed",
        Expect.REFUSE,
        _altered,
        "Compute the signature over the whole body that came: otherwise what you act on is not"
        " what we signed.",
    ),
    Check(
        "stale",
        "an event signed 10 minutes ago",
        Expect.REFUSE,
        _aged(_TEN_MINUTES),
        "Refuse a `webhook-timestamp` more than 5 minutes old: otherwise whoever recorded a"
        " request can send it again at any time.",
    ),
    Check(
        "ahead",
        "an event signed 10 minutes from now",
        Expect.REFUSE,
        _aged(-_TEN_MINUTES),
        "Refuse a `webhook-timestamp` more than 5 minutes ahead: otherwise a recorded request"
        " stays good for longer than you mean.",
    ),
    Check(
        "rotation",
        "an event with two signatures, yours the second",
        Expect.ACCEPT,
        _rotation,
        "Try every signature in `webhook-signature`, they are separated by spaces: while a secret"
        " is rotated there are two, and yours may be the second.",
    ),
    Check(
        "repeat",
        "the same webhook-id twice",
        Expect.ACCEPT,
        _repeat,
        "Answer 2xx to a `webhook-id` that you have already and do nothing else: we send at least"
        " once, and an error only brings it again.",
    ),
    Check(
        "reordered",
        "seq 3 of an order, then seq 2",
        Expect.ACCEPT,
        _reordered,
        "Answer 2xx to a `seq` older than your newest and leave it out: a replay is no error, and"
        " refusing it only brings it again.",
    ),
    Check(
        "unknown-event",
        "an eventType that does not exist yet",
        Expect.ACCEPT,
        _with(eventType="order.gift_wrapped"),
        "Answer 2xx to an `eventType` that you do not know and leave it out: new ones will come,"
        " and refusing one holds up its order for 24 h.",
    ),
    Check(
        "unknown-fields",
        "fields that do not exist yet",
        Expect.ACCEPT,
        _with(mood="fine", courier={"stars": 5}),
        "Ignore fields that you do not know: new ones will come, and refusing them holds up the"
        " order for 24 h.",
    ),
    Check(
        "large",
        "an event of 60 KiB",
        Expect.ACCEPT,
        _large,
        "Take bodies of up to 64 KiB, with fields that you do not know: a long event is refused at"
        " every attempt otherwise.",
    ),
    Check(
        "slow",
        "an event whose body comes in pieces",
        Expect.ACCEPT,
        _slow,
        "Wait some seconds for all the bytes that `content-length` promises: a slow line delivers"
        " a body in pieces.",
    ),
    Check(
        "not-json",
        "a well-signed body that is not JSON",
        Expect.REFUSE,
        _not_json,
        "Answer 400 to a body that you cannot read: after a 2xx we forget it, and you have"
        " nothing.",
    ),
    GET,
    Check(
        "keep-alive",
        f"{_TEN_TIMES} events; over how many connections",
        Expect.ONE_CONNECTION,
        _many,
        "Keep the connection open after an answer, and the answer short: each webhook costs a new"
        " connection otherwise.",
        Level.ADVICE,
    ),
)
