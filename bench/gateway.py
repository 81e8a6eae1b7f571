"""`python -m bench.gateway`: HTTP/2 through the gateway against one connection a request.

100 callers ask for orders through nginx, as deploy/ configures it, with TLS. They do so in three
ways, in turn: a connection for each request, connections that are kept (HTTP/1.1), and one HTTP/2
connection for all. First each asks as soon as it has been answered; then all together ask at one
rate, which is the same for the three.
"""

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import uvloop
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import RequestError

from bench import ours
from bench.generator import quiet_collector, raise_file_limit
from bench.machine import machine
from bench.meters import cpu_seconds, percentiles, spent
from bench.nginx import Layout, lay_out
from bench.processes import GENERATOR_CORE, listening, on_core
from schemas.lifecycle import Role

__all__ = ["main"]

_CALLERS: Final = 100
_ORDERS: Final = 1_000
_WARM: Final = 300
_LIMIT: Final = 0.9
_FLUSHED: Final = 1.2
"""Seconds after which nginx has written its log."""


def _each(builder: ClientBuilder) -> ClientBuilder:
    return builder.http1_only().pool_max_idle_per_host(0).default_headers({"Connection": "close"})


def _kept(builder: ClientBuilder) -> ClientBuilder:
    return builder.http1_only().pool_max_idle_per_host(_CALLERS)


def _http2(builder: ClientBuilder) -> ClientBuilder:
    return builder.http2(True)


WAYS: Final = {"connectionEach": _each, "kept": _kept, "http2": _http2}


class Scene(NamedTuple):
    layout: Layout
    log: Path
    processes: Mapping[str, Sequence[int]]
    paths: Sequence[str]
    headers: Mapping[str, str]


class Burst(NamedTuple):
    """What callers saw, in seconds; and what nginx's log says of the same requests."""

    took: list[float]
    failed: int
    seconds: float
    connections: int
    protocols: list[str]
    cpu: dict[str, float]
    busy: float

    def report(self) -> dict[str, Any]:
        number = len(self.took)
        mean = sum(self.took) / max(1, number)
        return {
            "requests": number,
            "failed": self.failed,
            "perSecond": round(number / self.seconds),
            "ms": {"mean": round(mean * 1000, 3), **percentiles(self.took)},
            "connections": self.connections,
            "protocols": self.protocols,
            "cpuMicrosecondsPerRequest": self.cpu,
            "generatorBusy": self.busy,
            "generatorIsTheLimit": self.busy > _LIMIT,
        }


@contextlib.asynccontextmanager
async def _scene(directory: Path) -> AsyncIterator[Scene]:
    """Two hubs, their store, and nginx with one worker, all on the servers' core."""
    (directory / "nginx").mkdir()
    async with ours.launch(directory, hubs=2) as target:
        await target.prepare(_ORDERS, riding=False)
        layout = lay_out(directory / "nginx", target.hubs)
        log = directory / "nginx.log"
        async with listening(log, layout.port, *layout.command) as master:
            processes = {**target.processes, "nginx": [master, *_workers(master)]}
            paths = [f"/v1/orders/{order_id}" for order_id in target.ids]
            headers = target.bearer(Role.PLATFORM, sub="bench")
            yield Scene(layout, log, processes, paths, headers)


def _workers(master: int) -> list[int]:
    """Not the loader of the cache, which ends after a minute."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [int(pid) for pid in children if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Callers:
    """All of them, in one of the ways."""

    def __init__(self, scene: Scene, client: Client) -> None:
        self._scene = scene
        self._client = client
        self._paths = cycle(scene.paths)
        self._took: list[float] = []
        self._failed = 0

    async def at_once(self, seconds: float) -> Burst:
        """Each asks again as soon as it has been answered."""
        until = perf_counter() + seconds

        async def caller() -> None:
            while perf_counter() < until:
                await self._ask(perf_counter())

        return await self._measured(asyncio.gather(*(caller() for _ in range(_CALLERS))))

    async def at_rate(self, rate: float, seconds: float) -> Burst:
        """Together at `rate` a second. What waits for its turn is counted as waiting."""
        start, number = perf_counter(), int(rate * seconds)
        due = iter(start + turn / rate for turn in range(number))

        async def caller() -> None:
            for moment in due:
                await asyncio.sleep(max(0.0, moment - perf_counter()))
                await self._ask(moment)

        return await self._measured(asyncio.gather(*(caller() for _ in range(_CALLERS))))

    async def warm(self) -> None:
        await asyncio.gather(*(self._ask(perf_counter()) for _ in range(_WARM)))
        await asyncio.sleep(_FLUSHED)

    async def _ask(self, since: float) -> None:
        url = f"https://localhost:{self._scene.layout.port}{next(self._paths)}"
        request = self._client.get(url).headers(dict(self._scene.headers)).build()
        try:
            answer = await request.send()
            await answer.bytes()
        except RequestError:
            self._failed += 1
            return
        self._took.append(perf_counter() - since)
        self._failed += answer.status != 200

    async def _measured(self, load: "asyncio.Future[Any]") -> Burst:
        self._took, self._failed = [], 0
        parts = {**self._scene.processes, "generator": [os.getpid()]}
        where, before, start = self._scene.log.stat().st_size, cpu_seconds(parts), perf_counter()
        await load
        seconds, after = perf_counter() - start, cpu_seconds(parts)
        await asyncio.sleep(_FLUSHED)
        lines = _lines(self._scene.log, where)
        return Burst(
            self._took,
            self._failed,
            seconds,
            len({line["connection"] for line in lines}),
            sorted({line["protocol"] for line in lines}),
            spent({name: before[name] for name in self._scene.processes}, after, len(self._took)),
            round((after["generator"] - before["generator"]) / seconds, 3),
        )


def _lines(log: Path, start: int) -> list[dict[str, Any]]:
    with log.open() as file:
        file.seek(start)
        return [json.loads(line) for line in file if line.startswith("{")]


async def _run(given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="oc") as name:
        async with _scene(Path(name)) as scene:
            rounds = [
                {way: await _turn(scene, way, given) for way in WAYS} for _ in range(given.rounds)
            ]
    return {
        "bench": "gateway",
        "callers": _CALLERS,
        "rate": given.rate,
        "http2AgainstConnectionEach": [_ratios(each) for each in rounds],
        "rounds": rounds,
        "machine": machine(),
    }


async def _turn(scene: Scene, way: str, given: argparse.Namespace) -> dict[str, Any]:
    pem = scene.layout.authority.cert_pem.bytes()
    builder = ClientBuilder().add_root_certificate_pem(pem).timeout(timedelta(seconds=30))
    async with WAYS[way](builder).build() as client, quiet_collector():
        callers = Callers(scene, client)
        await callers.warm()
        at_once = await callers.at_once(given.seconds)
        at_rate = await callers.at_rate(given.rate, given.seconds)
    return {"atOnce": at_once.report(), "atRate": at_rate.report()}


def _ratios(turn: Mapping[str, Any]) -> dict[str, float]:
    """How HTTP/2 stands to a connection for each request."""
    each, http2 = turn["connectionEach"], turn["http2"]

    def ratio(part: str, *names: str) -> float:
        above, below = http2[part], each[part]
        for name in names:
            above, below = above[name], below[name]
        return round(above / below, 3)

    parts = http2["atOnce"], each["atOnce"]
    connections = [part["connections"] / part["requests"] for part in parts]
    return {
        "meanLatency": ratio("atOnce", "ms", "mean"),
        "meanLatencyAtRate": ratio("atRate", "ms", "mean"),
        "requestsPerSecond": ratio("atOnce", "perSecond"),
        "connectionsARequest": round(connections[0] / connections[1], 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="of each part of a turn (8)")
    parser.add_argument("--rate", type=float, default=300, help="requests a second of atRate (300)")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--out", type=Path, help="write it to this file too")
    given = parser.parse_args()
    raise_file_limit()
    os.environ.pop("ORDERCAST_REDIS_URL", None)
    with on_core(GENERATOR_CORE), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(given))
    if given.out is not None:
        given.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
