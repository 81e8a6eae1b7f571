"""Addresses and names. The loopback stands for all that is good: no stranger is ever dialled."""

import errno
import socket
from collections.abc import AsyncIterator

from bench.hostile.behaviour import PARTNER, Ends, Expected, Place
from bench.hostile.exchange import LOOPBACK
from bench.hostile.server import elsewhere
from hub.core.webhooks.outcome import Fault, Retry

__all__: list[str] = []


@elsewhere(Expected(Retry, Fault.CONNECT))
async def dead_address() -> AsyncIterator[Place]:
    """Nothing listens at the port."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield Place(f"http://{LOOPBACK}:{held.getsockname()[1]}/hook")


@elsewhere(Expected(Retry, Fault.CONNECT), ends=Ends.CONNECT)
async def black_hole() -> AsyncIterator[Place]:
    """The first packet of a connection gets no answer: the listener's queue is full."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as another:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        for filling in (one, another):
            filling.setblocking(False)
            if filling.connect_ex(listener.getsockname()) not in (0, errno.EINPROGRESS):
                raise OSError("the queue could not be filled")
        yield Place(f"http://{LOOPBACK}:{listener.getsockname()[1]}/hook")


@elsewhere(Expected(Retry, Fault.DNS))
async def name_unknown() -> AsyncIterator[Place]:
    """A name that does not exist."""
    yield Place("https://nobody.test/hook")


@elsewhere(Expected(Retry, Fault.DNS), ends=Ends.CONNECT)
async def name_tarpit() -> AsyncIterator[Place]:
    """A name whose servers never answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        server = f"{LOOPBACK}:{silent.getsockname()[1]}"
        yield Place(f"https://{PARTNER}/hook", servers=(server,))


@elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def name_rebinds() -> AsyncIterator[Place]:
    """A name with a good address when it is registered, and a cloud's metadata when dialled."""
    yield Place(f"https://{PARTNER}/hook", {PARTNER: ((LOOPBACK,), ("169.254.169.254",))})


@elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def name_mixed() -> AsyncIterator[Place]:
    """A name with a good and a private address: refused whole."""
    yield Place(f"https://{PARTNER}/hook", {PARTNER: ((LOOPBACK, "10.0.0.1"),)})


@elsewhere(Expected(Retry, Fault.REFUSED_ADDRESS))
async def private_address() -> AsyncIterator[Place]:
    """A URL that names the metadata's address outright."""
    yield Place("http://169.254.169.254/latest/meta-data/")
