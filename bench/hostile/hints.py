"""What an answer can ask for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from bench.hostile.behaviour import DELIVERED, RETRY, SWITCHED_OFF, Expected
from bench.hostile.exchange import Exchange, answer
from bench.hostile.server import plain
from hub.core.webhooks.outcome import Retry

__all__: list[str] = []


@plain(Expected(Retry, not_before=7.0))
async def retry_after_seconds(peer: Exchange) -> None:
    """A 429 that asks for 7 s."""
    await peer.say(answer("429 Too Many Requests", "Retry-After: 7"))


@plain(Expected(Retry, not_before=60.0))
async def retry_after_date(peer: Exchange) -> None:
    """A 503 that asks for a moment 90 s ahead."""
    moment = datetime.now(UTC) + timedelta(seconds=90)
    header = f"Retry-After: {format_datetime(moment, usegmt=True)}"
    await peer.say(answer("503 Service Unavailable", header))


@plain(Expected(Retry, not_before=3600.0))
async def retry_after_for_ages(peer: Exchange) -> None:
    """A 503 that asks for 10^9 s: an hour is granted."""
    await peer.say(answer("503 Service Unavailable", "Retry-After: 1000000000"))


@plain(RETRY)
async def retry_after_negative(peer: Exchange) -> None:
    """A 429 that asks for -1 s."""
    await peer.say(answer("429 Too Many Requests", "Retry-After: -1"))


@plain(RETRY)
async def retry_after_float(peer: Exchange) -> None:
    """A 429 that asks for 1.5 s, which is not in the grammar."""
    await peer.say(answer("429 Too Many Requests", "Retry-After: 1.5"))


@plain(RETRY)
async def retry_after_1994(peer: Exchange) -> None:
    """A 503 that asks for a moment long gone."""
    when = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"
    await peer.say(answer("503 Service Unavailable", when))


@plain(RETRY)
async def retry_after_garbage(peer: Exchange) -> None:
    """A 503 that asks for bytes of no charset."""
    await peer.say(answer("503 Service Unavailable", "Retry-After: \xff\xfe, in a while"))


@plain(DELIVERED)
async def retry_after_on_200(peer: Exchange) -> None:
    """A 200 that asks to wait: it has what it needs."""
    await peer.say(answer("200 OK", "Retry-After: 60"))


@plain(RETRY)
async def retry_after_on_500(peer: Exchange) -> None:
    """A 500 that asks to wait: only 429 and 503 may."""
    await peer.say(answer("500 Internal Server Error", "Retry-After: 60"))


@plain(RETRY)
async def unauthorized_401(peer: Exchange) -> None:
    """A 401, as after the change of a key."""
    await peer.say(answer("401 Unauthorized", "WWW-Authenticate: Basic"))


@plain(RETRY)
async def not_found_404(peer: Exchange) -> None:
    """A 404, as during a deployment."""
    await peer.say(answer("404 Not Found", body=b"<h1>Not found</h1>"))


@plain(SWITCHED_OFF)
async def gone_410(peer: Exchange) -> None:
    """A 410: nothing more is wanted there."""
    await peer.say(answer("410 Gone"))


@plain(RETRY)
async def too_many_429(peer: Exchange) -> None:
    """A 429 without a hint."""
    await peer.say(answer("429 Too Many Requests"))


@plain(RETRY)
async def broken_500(peer: Exchange) -> None:
    """A 500."""
    await peer.say(answer("500 Internal Server Error"))


@plain(RETRY)
async def unavailable_503(peer: Exchange) -> None:
    """A 503 without a hint."""
    await peer.say(answer("503 Service Unavailable"))


@plain(DELIVERED, RETRY, DELIVERED)
async def flapping(peer: Exchange) -> None:
    """200 and 500 in turn."""
    await peer.say(answer("200 OK" if peer.turn % 2 else "500 Internal Server Error"))


@plain(DELIVERED)
async def error_in_the_body(peer: Exchange) -> None:
    """A 200 with an error in its body: the status line decides."""
    await peer.say(answer("200 OK", body=b'{"code": 500, "msg": "failed"}'))


@plain(DELIVERED, DELIVERED)
async def healthy_200(peer: Exchange) -> None:
    """A 200 with a short body."""
    await peer.say(answer("200 OK", body=b"ok"))


@plain(DELIVERED)
async def healthy_202(peer: Exchange) -> None:
    """A 202 with none."""
    await peer.say(answer("202 Accepted"))


@plain(DELIVERED)
async def healthy_204(peer: Exchange) -> None:
    """A 204."""
    await peer.say(b"HTTP/1.1 204 No Content\r\n\r\n")
