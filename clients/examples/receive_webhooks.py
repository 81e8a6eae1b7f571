"""Receive webhooks and print them. The secret is what `GET /v1/partner` tells a partner.

python -m clients.examples.receive_webhooks --secret whsec_... --port 9000
"""

import argparse
import sys
from collections.abc import Sequence

import uvicorn

from clients.partner import Delivery, PartnerReceiver

__all__ = ["main"]


async def handler(delivery: Delivery) -> None:
    kind = delivery.event_type or "order confirmed"
    status = delivery.payload.get("status")
    sys.stdout.write(f"{delivery.order_id} seq {delivery.seq}: {kind}, {status}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Receive webhooks and print them.")
    parser.add_argument("--secret", action="append", required=True, help="whsec_...; repeatable")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    given = parser.parse_args(arguments)
    try:
        receiver = PartnerReceiver(given.secret, handler)
    except ValueError as error:
        parser.error(f"--secret: {error}")
    uvicorn.run(receiver, host=given.host, port=given.port, log_level="warning")
    sys.stdout.write(f"{receiver!r}\n")


if __name__ == "__main__":
    main()
