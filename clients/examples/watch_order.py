"""Print what happens to orders until they are finished.

python -m clients.examples.watch_order http://127.0.0.1:8000 TOKEN ord_1 ord_2
"""

import argparse
import sys
from collections.abc import Sequence

from clients.examples import ended
from clients.updates import Event, Finished, Position, Refused, Snapshot, Update
from clients.user import UserClient
from schemas.times import format_time
from schemas.wire import Codec

__all__ = ["main"]


def describe(update: Update) -> str:
    match update:
        case Snapshot(order_id=order, status=status, seq=seq):
            return f"{order} is {status} (seq {seq})"
        case Event(order_id=order, event_type=kind, seq=seq, estimated_time=minutes):
            left = "" if minutes is None else f", {minutes} min to go"
            return f"{order} {kind} (seq {seq}){left}"
        case Position(order_id=order, at=at, lat=lat, lng=lng, freshness=freshness):
            return f"{order} at {lat:.5f},{lng:.5f} {format_time(at)} {freshness}"
        case Finished(order_id=order):
            return f"{order} is finished"
        case Refused(order_id=order, code=code):
            return f"{order} is not to be had: {code}"
    return str(update)


async def watch(url: str, token: str, orders: Sequence[str], codec: Codec) -> None:
    async with UserClient(url, token, orders=orders, codec=codec) as client:
        async for update in client:
            sys.stdout.write(describe(update) + "\n")
            sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Watch orders until they are finished.")
    parser.add_argument("url", help="address of a hub, such as http://127.0.0.1:8000")
    parser.add_argument("token")
    parser.add_argument("orders", nargs="+", metavar="order")
    parser.add_argument("--codec", choices=["json", "msgpack"], default="json")
    given = parser.parse_args(arguments)
    ended(watch(given.url, given.token, given.orders, given.codec))


if __name__ == "__main__":
    main()
