"""Which connection a command goes by."""

import asyncio

from hub.store.embedded import EmbeddedStore
from hub.store.link import address_of_url, connect
from hub.store.pipes import Pipes


async def test_the_adopted_link_stays(shared_store: EmbeddedStore) -> None:
    """One that a command was opening meanwhile does not take its place, and is not cut off."""
    address, _ = address_of_url(shared_store.url)
    adopted, pipes = await connect(address, ()), Pipes(())
    asked = asyncio.create_task(pipes.ask(address, "PING"))
    await asyncio.sleep(0)
    assert pipes._connecting
    pipes.adopt(address, adopted)
    assert b"PONG" == await asked
    assert pipes._links[address] is adopted
    assert adopted.up
    pipes.close()
    await adopted.lost


async def test_a_lost_link_is_made_again(shared_store: EmbeddedStore) -> None:
    """By the next command."""
    address, _ = address_of_url(shared_store.url)
    pipes = Pipes(())
    await pipes.ask(address, "PING")
    lost = pipes._links[address]
    lost.close()
    await lost.lost
    assert b"PONG" == await pipes.ask(address, "PING")
    pipes.close()
    await pipes._links[address].lost
