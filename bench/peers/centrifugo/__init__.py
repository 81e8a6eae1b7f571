"""Two Centrifugo nodes on one store.

Riders have its two-way protocol, in which every command is answered; the answers are not awaited.
Customers have its one-way endpoint, where one message asks for the channel and all others come
from the server, each in a frame of its own.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.peers.centrifugo.build import centrifugo_program
from bench.peers.clients import fix
from bench.processes import PlainStore, free_port, listening, plain_store
from bench.target import Dial, Step, Target

__all__ = ["launch"]

_CONFIG: Final = Path(__file__).with_name("config.json")
_CONNECT: Final = (Step(b"", b'{"id":1,"connect":{}}'), Step(b'"connect"'))


@dataclass(slots=True)
class _Centrifugo:
    hub_a: int
    hub_b: int
    processes: Mapping[str, Sequence[int]]
    name: str = "centrifugo"
    answers: Mapping[bytes, bytes] = field(default_factory=lambda: {b"{}": b"{}"})

    async def prepare(self, orders: int) -> None:
        """A channel is there when somebody publishes or subscribes."""

    def rider(self, order: int) -> Dial:
        return Dial(self.hub_a, "/connection/websocket", steps=_CONNECT)

    def customer(self, order: int) -> Dial:
        """It is told with which channels it is connected."""
        ask = f'{{"subs":{{"order-{order}":{{}}}}}}'.encode()
        steps = (Step(b"", ask), Step(f'"order-{order}"'.encode()))
        return Dial(self.hub_b, "/connection/uni_websocket", steps=steps)

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        channel, data = f"order-{order}", fix(order, number, stamp)
        publish = f'{{"channel":"{channel}","data":{data}}}'
        return f'{{"id":{number + 1},"publish":{publish}}}'.encode()


@contextlib.asynccontextmanager
async def launch(directory: Path) -> AsyncIterator[Target]:
    async with (
        plain_store(directory) as store,
        _node(directory / "hubA.log", store) as (port_a, a),
        _node(directory / "hubB.log", store) as (port_b, b),
    ):
        yield _Centrifugo(port_a, port_b, {"hubA": [a], "hubB": [b], "store": [store.pid]})


@contextlib.asynccontextmanager
async def _node(log: Path, store: PlainStore) -> AsyncIterator[tuple[int, int]]:
    """Its port and process id. One thread runs Go code, as the servers have one core."""
    port = free_port()
    program = await centrifugo_program()
    command = (program, "-c", str(_CONFIG), "-a", "127.0.0.1", "-p", str(port))
    environment = {
        "GOMAXPROCS": "1",
        "CENTRIFUGO_ENGINE_REDIS_ADDRESS": f"unix://{store.socket}",
        "CENTRIFUGO_UNI_WEBSOCKET_JOIN_PUSH_MESSAGES": "false",
    }
    async with listening(log, port, *command, environment=environment) as pid:
        yield port, pid
