import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from clients.partner import MAX_BODY, Counts, Delivery, PartnerReceiver
from clients.signature import BadHeadersError, BadSignatureError, read_secret, verify
from schemas.lifecycle import EventType, Status
from schemas.webhooks import OrderStatusBody, RegisteredBody, StatusChangeBody, StatusPayload

SECRET = "whsec_" + b64encode(b"s" * 32).decode()
OLD_SECRET = "whsec_" + b64encode(b"o" * 32).decode()
NOW = 1_795_374_343


def body_of(seq: int, order_id: str = "ord_1", **more: Any) -> bytes:
    payload = StatusPayload(order_id=order_id, status=Status.CONFIRMED, timestamp=float(NOW))
    body = StatusChangeBody(event_type=EventType.CONFIRMED, payload=payload, seq=seq)
    return json.dumps({**body.dump(), **more}).encode()


def signed(body: bytes, webhook_id: str = "msg_1", at: int = NOW, *secrets: str) -> dict[str, str]:
    moment = datetime.fromtimestamp(at, UTC)
    signatures = (
        Webhook(secret).sign(webhook_id, moment, body.decode()) for secret in secrets or (SECRET,)
    )
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


class Partner:
    """A receiver, what its handler was given, and a client that posts to it."""

    def __init__(self) -> None:
        self.handled: list[Delivery] = []
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.receiver = PartnerReceiver([SECRET, OLD_SECRET], self.handle, now=lambda: NOW)
        transport = httpx2.ASGITransport(self.receiver)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://partner.test")

    async def handle(self, delivery: Delivery) -> None:
        await self.gate.wait()
        if self.fails:
            raise RuntimeError("database away")
        self.handled.append(delivery)

    async def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/hooks"
    ) -> httpx2.Response:
        return await self.http.post(path, content=body, headers=headers or signed(body))

    @property
    def seqs(self) -> list[int | None]:
        return [delivery.seq for delivery in self.handled]


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    partner = Partner()
    async with partner.http:
        yield partner


async def test_a_delivery_is_handed_on(partner: Partner) -> None:
    """A signed webhook is given to the handler, read, and answered 202."""
    body = body_of(2)

    answer = await partner.post(body, {**signed(body), "ordercast-attempt": "3"})

    assert (answer.status_code, answer.content) == (202, b"")
    (delivery,) = partner.handled
    assert delivery == Delivery(
        webhook_id="msg_1",
        sent_at=NOW,
        path="/hooks",
        event_type="order.confirmed",
        order_id="ord_1",
        seq=2,
        payload=json.loads(body)["payload"],
        body=json.loads(body),
        attempt=3,
    )


async def test_every_body_of_the_contract_is_read(partner: Partner) -> None:
    """The confirmation, the status change and the registered body all name order and seq."""
    told: dict[str, Any] = {"status": Status.CONFIRMED, "timestamp": float(NOW)}
    update = StatusPayload(order_id="ord_1", **told)
    bodies = [
        OrderStatusBody(order_id="ord_1", seq=2, **told),
        StatusChangeBody(event_type=EventType.CONFIRMED, payload=update, seq=2),
        RegisteredBody(
            event_type=EventType.CONFIRMED,
            payload=update,
            order_id="ord_1",
            seq=2,
            timestamp=float(NOW),
        ),
    ]
    for number, body in enumerate(bodies):
        raw = json.dumps(body.dump()).encode()
        assert (await partner.post(raw, signed(raw, f"msg_{number}"))).status_code == 202

    read = [(one.order_id, one.seq, one.payload["status"]) for one in partner.handled]
    assert read == [("ord_1", 2, "CONFIRMED")] * 3
    kinds = [delivery.event_type for delivery in partner.handled]
    assert kinds == [None, "order.confirmed", "order.confirmed"]


async def test_a_repeat_is_answered_and_not_handled(partner: Partner) -> None:
    """The same webhook-id twice reaches the handler once."""
    for _ in range(2):
        assert (await partner.post(body_of(2))).status_code == 202

    assert partner.seqs == [2]
    assert partner.receiver.counts == Counts(received=2, repeats=1)


async def test_a_repeat_while_the_first_is_handled(partner: Partner) -> None:
    """A repeat that comes meanwhile waits for the first to be done."""
    partner.gate.clear()
    both = asyncio.gather(partner.post(body_of(2)), partner.post(body_of(2)))
    await asyncio.sleep(0)
    partner.gate.set()

    assert [answer.status_code for answer in await both] == [202, 202]
    assert partner.seqs == [2]


async def test_a_late_one_is_answered_and_not_handled(partner: Partner) -> None:
    """An older event of an order never reaches the handler after a newer one."""
    for seq, order in ((2, "ord_1"), (4, "ord_1"), (3, "ord_1"), (1, "ord_2")):
        body = body_of(seq, order)
        answer = await partner.post(body, signed(body, f"msg_{order}_{seq}"))
        assert answer.status_code == 202

    assert partner.seqs == [2, 4, 1]
    assert partner.receiver.counts == Counts(received=4, out_of_order=1)


async def test_a_handler_that_fails_is_asked_again(partner: Partner) -> None:
    """What the handler raised is answered 503, and the retry is no repeat."""
    partner.fails = True
    answer = await partner.post(body_of(2))
    partner.fails = False

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (await partner.post(body_of(2))).status_code == 202
    assert partner.seqs == [2]
    assert partner.receiver.counts == Counts(received=2, failed=1)


async def test_rotated_secrets(partner: Partner) -> None:
    """One fitting signature among several is enough, whichever secret made it."""
    other = "whsec_" + b64encode(b"x" * 32).decode()
    body = body_of(2)

    assert (await partner.post(body, signed(body, "a", NOW, other, SECRET))).status_code == 202
    assert (await partner.post(body, signed(body, "b", NOW, OLD_SECRET))).status_code == 202
    assert (await partner.post(body, signed(body, "c", NOW, other))).status_code == 401


@pytest.mark.parametrize(("age", "status"), [(300, 202), (301, 401), (-300, 202), (-301, 401)])
async def test_the_clock_may_be_five_minutes_off(partner: Partner, age: int, status: int) -> None:
    """Older or newer than the tolerance is refused, however well it is signed."""
    body = body_of(2)

    assert (await partner.post(body, signed(body, "msg_1", NOW - age))).status_code == status
    assert partner.receiver.counts.bad_signature == (status == 401)


async def test_a_changed_body_is_refused(partner: Partner) -> None:
    """A signature of another body does not fit."""
    answer = await partner.post(body_of(3), signed(body_of(2)))

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert partner.receiver.counts == Counts(bad_signature=1)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize(
    "value", [None, "", " ", "v1", "v1,", "v1,a,b", "v1,=", "v1,é", "v2,abcd", "\x7f"]
)
async def test_malformed_headers(partner: Partner, name: str, value: str | None) -> None:
    """A header that is missing or garbage is 400 or 401, never 500."""
    body = body_of(2)
    headers: dict[str, Any] = dict(signed(body))
    del headers[name]
    if value is not None:
        headers[name] = value.encode("latin-1")

    answer = await partner.post(body, headers)

    readable_id = name == "webhook-id" and (value or "").isascii() and value not in (None, "")
    assert answer.status_code == (401 if readable_id else 400)
    assert partner.handled == []


@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()
    ),
    body=st.binary(),
)
def test_verify_raises_nothing_else(headers: dict[str, str], body: bytes) -> None:
    """Whatever a stranger sends, the check says no with one of its two errors."""
    with pytest.raises((BadHeadersError, BadSignatureError)):
        verify([b"key"], headers, body, NOW)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b"{", b'{"payload": 7}', b"[" * 9000]
)
async def test_a_signed_body_that_is_no_update(partner: Partner, body: bytes) -> None:
    """What is signed and still no status update is 400."""
    assert (await partner.post(body, signed(body))).status_code == 400
    assert partner.receiver.counts.refused == 1


async def test_a_body_too_large(partner: Partner) -> None:
    """Up to 64 KiB are read, one byte more is 413, told beforehand or not."""
    fits = body_of(2, note="")
    fits = body_of(2, note="x" * (MAX_BODY - len(fits)))
    large = fits[:-1] + b" }"

    async def drip() -> AsyncIterator[bytes]:
        yield large[:40_000]
        yield large[40_000:]

    assert len(fits) == MAX_BODY
    assert (await partner.post(fits)).status_code == 202
    assert (await partner.post(large)).status_code == 413
    dripped = await partner.http.post("/", content=drip(), headers=signed(large))
    assert dripped.status_code == 413


async def test_only_post(partner: Partner) -> None:
    """Another method is 405 and says which one is taken."""
    answer = await partner.http.get("/hooks")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


async def test_memory_is_bounded() -> None:
    """The oldest webhook ids and orders are forgotten."""
    partner = Partner()
    partner.receiver = PartnerReceiver([SECRET], partner.handle, remember=2, now=lambda: NOW)
    transport = httpx2.ASGITransport(partner.receiver)
    async with httpx2.AsyncClient(transport=transport, base_url="http://partner.test") as http:
        for name in ("a", "b", "c", "a"):
            body = body_of(2, f"ord_{name}")
            await http.post("/", content=body, headers=signed(body, name))

    assert partner.seqs == [2, 2, 2, 2]


async def test_lifespan_is_answered(partner: Partner) -> None:
    """Servers that insist on lifespan get their answers."""
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    answers: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        answers.append(message["type"])

    await partner.receiver({"type": "lifespan"}, receive, send)

    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_a"])
def test_a_secret_that_is_none(secret: str) -> None:
    """A wrong secret stops the start, and does not appear in what is said about it."""
    with pytest.raises(ValueError, match="a webhook secret"):
        PartnerReceiver([secret], Partner.handle)  # type: ignore[arg-type]


def test_a_secret_without_padding() -> None:
    """The base64 of a secret may come without its padding."""
    assert read_secret(SECRET.rstrip("=")) == b"s" * 32
