"""How the load generator speaks with the peers: in plain JSON frames, or in Socket.IO's packets.

All are sent the same fix, so that none has fewer bytes to carry. It names its order, which a fix
of Ordercast need not; a `"type"` of 14 bytes is left out for it, so both have some 130 bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.peers.pair import Pair
from bench.target import Dial, Step

__all__ = ["PlainTarget", "SocketIoTarget", "fix"]

_PING: Final = b"2"
_PONG: Final = b"3"


def fix(order: int, number: int, stamp: str) -> str:
    """What a rider of any peer sends."""
    return (
        f'{{"orderId":"order-{order}","seq":{number},"at":"2026-11-25T12:00:00.000Z",'
        f'"lat":31.230416,"lng":121.473701,"heading":{stamp},"speed":8.3}}'
    )


class PlainTarget:
    """A socket is for one order, which its path names. A customer is told when it is subscribed."""

    answers: Mapping[bytes, bytes] = {}

    def __init__(self, name: str, pair: Pair) -> None:
        self.name = name
        self.processes: Mapping[str, Sequence[int]] = pair.processes
        self._pair = pair

    async def prepare(self, orders: int) -> None:
        """No order is known to the hubs."""

    def rider(self, order: int) -> Dial:
        return Dial(self._pair.hub_a, f"/rider/order-{order}")

    def customer(self, order: int) -> Dial:
        steps = (Step(b'"subscribed"'),)
        return Dial(self._pair.hub_b, f"/customer/order-{order}", steps=steps)

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        return fix(order, number, stamp).encode()


class SocketIoTarget(PlainTarget):
    """Engine.IO 4 by WebSocket from the start: `0` opens, `40` connects, `42` is an event.

    The customer's `subscribe` asks for an acknowledgement, number 1, and so `431` is its end.
    """

    answers: Mapping[bytes, bytes] = {_PING: _PONG}

    def rider(self, order: int) -> Dial:
        return _socket_io(self._pair.hub_a, Step(b"40{"))

    def customer(self, order: int) -> Dial:
        ask = f'421["subscribe","order-{order}"]'.encode()
        return _socket_io(self._pair.hub_b, Step(b"40{", ask), Step(b"431["))

    def fix(self, order: int, number: int, stamp: str) -> bytes:
        return f'42["fix",{fix(order, number, stamp)}]'.encode()


def _socket_io(port: int, *steps: Step) -> Dial:
    path = "/socket.io/?EIO=4&transport=websocket"
    return Dial(port, path, steps=(Step(b"0{", b"40"), *steps))
