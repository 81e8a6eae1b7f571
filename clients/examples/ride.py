"""Ride in a straight line from one place to another and tell the hub on the way.

python -m clients.examples.ride http://127.0.0.1:8000 rid_7 TOKEN 31.23,121.47 31.24,121.48

A hub takes nothing from a rider without an order: assign one first.
"""

import argparse
import asyncio
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from clients.examples import ended
from clients.rider import RiderClient
from clients.updates import Rejected

__all__ = ["main"]

Point = tuple[float, float]

METRES_PER_DEGREE = 111_320


def point(text: str) -> Point:
    lat, lng = text.split(",")
    return float(lat), float(lng)


def line(start: Point, end: Point, speed: float, seconds: float) -> Iterator[Point]:
    """A point for every `seconds` of the way at `speed` m/s; the last one is `end`."""
    north = (end[0] - start[0]) * METRES_PER_DEGREE
    east = (end[1] - start[1]) * METRES_PER_DEGREE * math.cos(math.radians(start[0]))
    steps = max(1, math.ceil(math.hypot(north, east) / (speed * seconds)))
    for step in range(steps + 1):
        part = step / steps
        yield start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


async def ride(given: argparse.Namespace) -> None:
    async with RiderClient(given.url, given.rider, given.token) as client:
        for lat, lng in line(given.start, given.end, given.speed, given.every):
            await client.send(lat, lng, speed=given.speed)
            await asyncio.sleep(given.every)
        await client.send(*given.end, speed=0.0, immediately=True)
        await client.settled()
    refused = Counter([message.reason async for message in client if isinstance(message, Rejected)])
    told = ", ".join(f"{count} {reason}" for reason, count in refused.items()) or "none"
    sys.stdout.write(f"arrived; fixes rejected: {told}\n")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Ride in a straight line and tell the hub.")
    parser.add_argument("url", help="address of a hub, such as http://127.0.0.1:8000")
    parser.add_argument("rider")
    parser.add_argument("token")
    parser.add_argument("start", type=point, help="lat,lng")
    parser.add_argument("end", type=point, help="lat,lng")
    parser.add_argument("--speed", type=float, default=6.0, help="m/s (6)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between fixes (1)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    ended(ride(parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
