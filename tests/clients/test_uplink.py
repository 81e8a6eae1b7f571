"""What Python adds to the rider's session: types. The rest is in `test_session_traces.py`."""

from clients.updates import Cadence, Orders, RiderOrder
from clients.uplink import RiderSession


def test_orders_and_cadence_are_typed() -> None:
    """What the hub said last of orders and cadence can be looked up."""
    session = RiderSession()
    address = {"text": "here", "lat": 31.2, "lng": 121.4}
    order = {"orderId": "ord_1", "status": "PREPARING", "address": address}

    session.receive({"type": "orders", "orders": [order]}, 0)
    session.receive({"type": "cadence", "seconds": 4, "reason": "near"}, 0)

    assert session.orders == Orders((RiderOrder("ord_1", "PREPARING", address),))
    assert session.cadence == Cadence(4, "near")
