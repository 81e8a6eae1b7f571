"""Where an answer can point. None of it is followed."""

from bench.hostile.behaviour import HEALTHY, RETRY
from bench.hostile.exchange import Exchange, answer
from bench.hostile.server import plain

__all__: list[str] = []


@plain(RETRY)
async def choices_300(peer: Exchange) -> None:
    """A 300 with a choice that would be well."""
    await peer.say(answer("300 Multiple Choices", f"Location: {peer.origin}/{HEALTHY}"))


@plain(RETRY)
async def redirect_301_to_metadata(peer: Exchange) -> None:
    """A 301 to the address at which clouds keep their machines' credentials."""
    await peer.say(answer("301 Moved Permanently", "Location: http://169.254.169.254/"))


@plain(RETRY)
async def redirect_302_to_another_host(peer: Exchange) -> None:
    """A 302 to a host that nobody registered."""
    await peer.say(answer("302 Found", "Location: https://elsewhere.invalid/hook"))


@plain(RETRY)
async def redirect_303_to_a_page(peer: Exchange) -> None:
    """A 303 to where a GET is answered 200, which would be a silent loss."""
    await peer.say(answer("303 See Other", f"Location: {peer.origin}/{HEALTHY}"))


@plain(RETRY)
async def not_modified_304(peer: Exchange) -> None:
    """A 304, below 400 and no success."""
    await peer.say(b"HTTP/1.1 304 Not Modified\r\n\r\n")


@plain(RETRY)
async def redirect_307_to_another_host(peer: Exchange) -> None:
    """A 307, which would have body and signature posted to another host."""
    await peer.say(answer("307 Temporary Redirect", "Location: https://elsewhere.invalid/hook"))


@plain(RETRY)
async def redirect_308_to_metadata(peer: Exchange) -> None:
    """A 308 to the address at which clouds keep their machines' credentials."""
    await peer.say(answer("308 Permanent Redirect", "Location: http://169.254.169.254/"))


@plain(RETRY)
async def redirect_chain(peer: Exchange) -> None:
    """A 307 to a 301 to the metadata."""
    to = f"Location: {peer.origin}/redirect-301-to-metadata"
    await peer.say(answer("307 Temporary Redirect", to))


@plain(RETRY)
async def redirect_loop(peer: Exchange) -> None:
    """A 308 to itself."""
    await peer.say(answer("308 Permanent Redirect", "Location: /redirect-loop"))


@plain(RETRY)
async def redirect_nowhere(peer: Exchange) -> None:
    """A 302 without a Location."""
    await peer.say(answer("302 Found"))
