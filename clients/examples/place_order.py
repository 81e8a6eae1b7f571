"""Place an order, pay it, and print its id and the token with which its customer may watch it.

python -m clients.examples.place_order http://127.0.0.1:8000 PLATFORM_TOKEN
"""

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from clients.examples import ended
from clients.platform import PlatformClient
from schemas.lifecycle import PaymentMethod, PaymentState
from schemas.orders import Address, Item, OrderRequest

__all__ = ["main"]


def example(restaurant: str, notification_url: str | None) -> OrderRequest:
    return OrderRequest(
        restaurant_id=restaurant,
        items=[Item(item_id="noodles", name="Noodle soup", quantity=2, unit_price_cents=2800)],
        address=Address(text="88 Century Avenue, Shanghai", lat=31.2304, lng=121.4737),
        payment_method=PaymentMethod.ALIPAY,
        notification_url=notification_url,
    )


async def place(url: str, token: str, order: OrderRequest) -> None:
    async with PlatformClient(url, token) as platform:
        placed = await platform.place(order)
        await platform.payment(placed.order_id, PaymentState.PAID)
    sys.stdout.write(f"{placed.order_id} {placed.stream_token}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Place an example order and pay it.")
    parser.add_argument("url", help="address of a hub, such as http://127.0.0.1:8000")
    parser.add_argument("token", help="a platform token")
    parser.add_argument("--restaurant", default="res_12345")
    parser.add_argument("--notification-url", help="where webhooks of this order go")
    given = parser.parse_args(arguments)
    try:
        order = example(given.restaurant, given.notification_url)
    except ValidationError as error:
        parser.error("; ".join(f"{wrong['loc'][0]}: {wrong['msg']}" for wrong in error.errors()))
    ended(place(given.url, given.token, order))


if __name__ == "__main__":
    main()
