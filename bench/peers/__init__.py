"""What a user would pick instead of Ordercast, each started from public packages."""

from collections.abc import Mapping
from typing import Final

from bench.peers import afternoon, bare, centrifugo, nchan, nodews, pysocketio, socketio
from bench.target import Launch

__all__ = ["PEERS"]

PEERS: Final[Mapping[str, Launch]] = {
    "bare-send": bare.launch,
    "node-ws": nodews.launch,
    "nchan-memory": nchan.launch_memory,
    "nchan-redis": nchan.launch_redis,
    "socket.io": socketio.launch,
    "centrifugo": centrifugo.launch,
    "afternoon": afternoon.launch,
    "python-socketio": pysocketio.launch,
}
