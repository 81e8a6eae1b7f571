from typing import Any

import pytest

from clients.errors import ClosedError, HubMessageError
from clients.updates import Acked, Cadence, Notice, Orders, Rejected, RiderOrder
from clients.uplink import RiderSession
from schemas.messages import RIDER_TO_HUB, Fixes
from schemas.positions import MAX_FIXES, Fix

FIX = {"at": "2026-11-22T19:05:43.120Z", "lat": 31.2, "lng": 121.4}


def on_line(**options: Any) -> RiderSession:
    session = RiderSession(**options)
    session.connected()
    return session


def sent(messages: list[dict[str, Any]]) -> list[int]:
    """The seqs of all fixes, batched or not."""
    fixes = [fix for one in messages for fix in one.get("fixes", [one])]
    return [fix["seq"] for fix in fixes]


def test_a_fix_goes_out_at_once() -> None:
    """The first fix does not wait, and fits the contract's model."""
    session = on_line()
    session.add(FIX, 0)

    (message,) = session.outgoing(0)

    assert message == {"type": "fix", "seq": 1, **FIX}
    Fix.read({name: value for name, value in message.items() if name != "type"})
    assert session.outgoing(0) == []


def test_between_two_beats_the_newest_wins() -> None:
    """Within the cadence fixes replace each other; when it is over the newest goes."""
    session = on_line()
    session.receive({"type": "cadence", "seconds": 10, "reason": "watched"}, 0)
    for now in (0, 1, 2):
        session.add(FIX, now)

    assert sent(session.outgoing(2)) == [1]
    assert session.due() == 10
    assert sent(session.outgoing(10)) == [3]
    assert session.dropped == 0


def test_immediately_does_not_wait() -> None:
    """A fix that matters passes the cadence by, and takes the place of one that waited."""
    session = on_line()
    session.add(FIX, 0)
    session.add(FIX, 1)
    session.add(FIX, 2, immediately=True)

    assert sent(session.outgoing(2)) == [1, 3]


def test_a_new_cadence_counts_from_the_last_fix() -> None:
    """A rider who comes near is heard sooner."""
    session = on_line()
    session.receive({"type": "cadence", "seconds": 60, "reason": "unwatched"}, 0)
    session.add(FIX, 0)
    session.outgoing(0)
    session.add(FIX, 3)
    session.receive({"type": "cadence", "seconds": 2, "reason": "near"}, 3)

    assert sent(session.outgoing(3)) == [2]


def test_unacked_fixes_go_again_after_a_reconnect() -> None:
    """What no hub acknowledged is sent again, oldest first; what one did is not."""
    session = on_line()
    for now in (0, 10, 20):
        session.add(FIX, now)
        session.outgoing(now)
    assert session.receive({"type": "ack", "seq": 1}, 20) == [Acked(1)]
    session.disconnected()
    assert session.outgoing(21) == []
    session.connected()

    (batch,) = session.outgoing(22)

    assert batch["type"] == "fixes"
    assert sent([batch]) == [2, 3]
    assert session.pending == 2


def test_batches_have_a_hundred_fixes() -> None:
    """What was buffered goes out in as few batches as the contract allows."""
    session = RiderSession()
    for now in range(250):
        session.add(FIX, now * 5)
    session.connected()

    batches = session.outgoing(1250)

    assert [len(batch["fixes"]) for batch in batches] == [MAX_FIXES, MAX_FIXES, 50]
    assert sent(batches) == list(range(1, 251))
    assert Fixes in RIDER_TO_HUB
    Fixes.read(batches[0])


def test_a_full_buffer_drops_the_oldest() -> None:
    """Offline for long, a rider keeps the newest fixes and counts the others."""
    session = RiderSession(capacity=3)
    for now in range(5):
        session.add(FIX, now, immediately=True)
    session.connected()

    assert session.dropped == 2
    assert sent(session.outgoing(5)) == [3, 4, 5]


def test_a_rejected_fix_is_not_sent_again() -> None:
    """A fix that the hub refused is told and forgotten; the others stay."""
    session = on_line()
    for now in (0, 10):
        session.add(FIX, now)
        session.outgoing(now)

    told = session.receive({"type": "rejected", "seq": 1, "reason": "too_fast"}, 10)

    assert told == [Rejected(1, "too_fast")]
    session.disconnected()
    session.connected()
    assert sent(session.outgoing(11)) == [2]


def test_a_rejection_without_seq_is_told() -> None:
    """The hub could not read the seq: nothing is forgotten."""
    session = on_line()
    session.add(FIX, 0)

    assert session.receive({"type": "rejected", "reason": "malformed"}, 0) == [
        Rejected(None, "malformed")
    ]
    assert session.pending == 1


def test_orders_and_cadence_are_kept() -> None:
    """What the hub said last of orders and cadence can be looked up."""
    session = on_line()
    address = {"text": "here", "lat": 31.2, "lng": 121.4}
    order = {"orderId": "ord_1", "status": "PREPARING", "address": address}

    session.receive({"type": "orders", "orders": [order]}, 0)
    session.receive({"type": "cadence", "seconds": 4, "reason": "near"}, 0)

    assert session.orders == Orders((RiderOrder("ord_1", "PREPARING", address),))
    assert session.cadence == Cadence(4, "near")


def test_superseded_is_the_end() -> None:
    """A rider who connected from elsewhere is not fought over."""
    with pytest.raises(ClosedError) as caught:
        on_line().receive({"type": "superseded"}, 0)

    assert caught.value.code == 4509


def test_notices_errors_and_news_from_the_future() -> None:
    """Notices and errors are passed on; what is unknown is left aside."""
    session = on_line()

    assert session.receive({"type": "notice", "code": "degraded"}, 0) == [Notice("degraded")]
    assert session.receive({"type": "error", "code": "bad_request", "message": "m"}, 0) == [
        Notice("bad_request", "m")
    ]
    assert session.receive({"type": "pong"}, 0) == []
    assert session.receive({"type": "weather"}, 0) == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ack"},
        {"type": "ack", "seq": None},
        {"type": "cadence", "seconds": "soon", "reason": "near"},
        {"type": "orders", "orders": 5},
        {"type": "orders", "orders": [{}]},
        {"type": "notice"},
    ],
)
def test_garbage_is_our_error(message: dict[str, Any]) -> None:
    """A message without what its type must have raises HubMessageError."""
    with pytest.raises(HubMessageError):
        on_line().receive(message, 0)
