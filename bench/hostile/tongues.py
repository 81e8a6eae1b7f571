"""What is not HTTP, or not quite."""

from bench.hostile.behaviour import DELIVERED, RETRY, Expected
from bench.hostile.exchange import Exchange, answer
from bench.hostile.server import plain
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@plain(Expected(Retry, Fault.PROTOCOL))
async def ssh_banner(peer: Exchange) -> None:
    """An SSH server's greeting."""
    await peer.say(b"SSH-2.0-OpenSSH_9.2\r\n")


@plain(Expected(Retry, Fault.PROTOCOL))
async def tls_alert(peer: Exchange) -> None:
    """A TLS server's alert, in answer to plain HTTP."""
    await peer.say(b"\x15\x03\x01\x00\x02\x02\x28")


@plain(Expected(Retry, Fault.PROTOCOL))
async def http_0_9(peer: Exchange) -> None:
    """A page without a status line or headers, as in 1991."""
    await peer.say(b"<html><title>Welcome</title></html>\r\n")
    peer.hang_up()


@plain(Expected(Retry, Fault.PROTOCOL))
async def http_2(peer: Exchange) -> None:
    """The first frame of an HTTP/2 server: empty SETTINGS."""
    await peer.say(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")


@plain(Expected(Retry, Fault.PROTOCOL))
async def http_2_preface(peer: Exchange) -> None:
    """A client's HTTP/2 preface, sent by the server."""
    await peer.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@plain(RETRY)
async def upgrade(peer: Exchange) -> None:
    """`101 Switching Protocols`, which nobody asked for."""
    await peer.say(b"HTTP/1.1 101 Switching Protocols\r\n")
    await peer.say(b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi")


@plain(RETRY)
async def status_999(peer: Exchange) -> None:
    """A status that no class has."""
    await peer.say(answer("999 Request Denied"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def status_99(peer: Exchange) -> None:
    """A status of two digits."""
    await peer.say(answer("99 Whatever"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def status_2000(peer: Exchange) -> None:
    """A status of four digits, which begins like a success."""
    await peer.say(answer("2000 OK"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def unparsable_header(peer: Exchange) -> None:
    """A 200 with a header line that has no colon."""
    await peer.say(answer("200 OK", "this is no header"))


@plain(Expected(Retry, Fault.PROTOCOL))
async def nul_in_a_header(peer: Exchange) -> None:
    """A NUL in a header's value."""
    await peer.say(answer("200 OK", "X-Name: a\0b"))


@plain(DELIVERED)
async def header_of_no_charset(peer: Exchange) -> None:
    """Header bytes that are not UTF-8."""
    await peer.say(answer("200 OK", "X-Name: \xff\xfe\xe9"))


@plain(DELIVERED, DELIVERED)
async def set_cookie(peer: Exchange) -> None:
    """Sets a cookie, and answers 400 to whoever brings it back."""
    status = "400 Bad Request" if b"\r\ncookie:" in peer.head.lower() else "200 OK"
    await peer.say(answer(status, "Set-Cookie: a=b; Path=/"))
