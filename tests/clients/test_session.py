from typing import Any

import pytest

from clients.errors import HubMessageError
from clients.session import ANSWER_WITHIN, ASK_AGAIN, Cursor, UserSession
from clients.updates import Estimate, Event, Finished, Notice, Position, Refused, Snapshot, Update
from tests.clients.orders import AT, Log, Message, estimate, finished, position


def live(log: Log, **more: Any) -> UserSession:
    """A session that watches one order and has its snapshot."""
    session = UserSession(lambda: 0.5)
    session.subscribe(log.order_id)
    session.connected()
    (ask,) = session.outgoing(0)
    session.receive(log.subscribed(ask, **more), 0)
    return session


def seqs(updates: list[Update]) -> list[int]:
    return [update.seq for update in updates if isinstance(update, Event)]


@pytest.fixture
def log() -> Log:
    return Log("ord_1")


def test_the_first_subscription_has_no_cursor(log: Log) -> None:
    """Without a place to go on from, the order itself is asked for and its snapshot handed out."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1")
    session.connected()

    (ask,) = session.outgoing(0)
    (snapshot,) = session.receive(log.subscribed(ask), 0)

    assert ask == {"type": "subscribe", "id": 1, "orderId": "ord_1"}
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.status, snapshot.seq, snapshot.recovered) == ("PENDING", 1, False)
    assert session.orders == {"ord_1": Cursor("abcdefgh", 1)}


def test_nothing_is_asked_before_the_hub_is_there() -> None:
    """A subscription waits for a connection that has taken the token."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1")

    assert session.outgoing(0) == []
    assert session.due() == float("inf")


def test_a_cursor_and_coordinates_are_passed_on() -> None:
    """`after` and `crs` of a subscription reach the hub as they were given."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1", Cursor("abcdefgh", 7), "gcj02")
    session.connected()

    (ask,) = session.outgoing(0)

    assert ask["after"] == {"epoch": "abcdefgh", "seq": 7}
    assert ask["crs"] == "gcj02"


def test_an_event_is_typed(log: Log) -> None:
    """An event comes out with Python's names and Unix seconds."""
    session = live(log)

    (event,) = session.receive(log.append("CONFIRMED", estimatedTime=30), 0)

    assert isinstance(event, Event)
    assert (event.event_type, event.seq, event.estimated_time) == ("order.confirmed", 2, 30)
    assert event.timestamp == AT + 1


def test_a_repeat_is_dropped(log: Log) -> None:
    """An event that comes twice is handed out once."""
    session = live(log)
    event = log.append("CONFIRMED")

    assert seqs(session.receive(event, 0)) == [2]
    assert session.receive(event, 0) == []


def test_a_hole_is_asked_for(log: Log) -> None:
    """After a missing event nothing comes until the hub has told what was missed."""
    session = live(log)
    log.append("CONFIRMED")
    early = log.append("PREPARING")

    assert session.receive(early, 1) == []
    (ask,) = session.outgoing(1)
    updates = session.receive(log.subscribed(ask), 1)

    assert ask["after"] == {"epoch": "abcdefgh", "seq": 1}
    assert seqs(updates) == [2, 3]
    assert session.outgoing(1) == []


def test_another_epoch_is_a_hole(log: Log) -> None:
    """An event of a stream made anew is not taken for the next of the old one."""
    session = live(log)
    anew = Log("ord_1", epoch="zyxwvuts")
    event = anew.append("CONFIRMED")

    assert session.receive(event, 0) == []
    (ask,) = session.outgoing(0)
    (snapshot,) = session.receive(anew.subscribed(ask), 0)

    assert isinstance(snapshot, Snapshot)
    assert not snapshot.recovered
    assert session.orders["ord_1"] == Cursor("zyxwvuts", 2)


def test_every_live_order_is_asked_for_again(log: Log) -> None:
    """After a reconnect each order goes on from its last event."""
    session = live(log)
    session.subscribe("ord_2")
    session.outgoing(0)
    session.disconnected()
    assert session.outgoing(1) == []
    session.connected()

    asked = {ask["orderId"]: ask.get("after") for ask in session.outgoing(1)}

    assert asked == {"ord_1": {"epoch": "abcdefgh", "seq": 1}, "ord_2": None}


def test_recovered_tells_events_then_snapshot(log: Log) -> None:
    """What was missed comes as events, and the snapshot after them says it is whole."""
    session = live(log)
    session.disconnected()
    log.append("CONFIRMED")
    session.connected()
    (ask,) = session.outgoing(0)

    updates = session.receive(log.subscribed(ask), 0)

    assert seqs(updates) == [2]
    assert isinstance(updates[-1], Snapshot)
    assert updates[-1].recovered


def test_not_recovered_makes_the_snapshot_the_truth(log: Log) -> None:
    """When the history is gone the session goes on from the snapshot, lower or higher."""
    session = live(log)
    session.disconnected()
    for status in ("CONFIRMED", "PREPARING"):
        log.append(status)
    log.kept_from = 3
    session.connected()
    (ask,) = session.outgoing(0)

    (snapshot,) = session.receive(log.subscribed(ask), 0)

    assert isinstance(snapshot, Snapshot)
    assert (snapshot.recovered, snapshot.seq) == (False, 3)
    assert seqs(session.receive(log.append("ON_DELIVERY"), 0)) == [4]


def test_recovered_with_a_hole_is_not_believed(log: Log) -> None:
    """An answer that says it is whole and is not counts as its snapshot alone."""
    session = live(log)
    session.disconnected()
    log.append("CONFIRMED")
    log.append("PREPARING")
    session.connected()
    (ask,) = session.outgoing(0)
    answer = log.subscribed(ask)

    (snapshot,) = session.receive({**answer, "events": answer["events"][1:]}, 0)

    assert isinstance(snapshot, Snapshot)
    assert not snapshot.recovered


def test_finished_ends_the_order_and_the_session(log: Log) -> None:
    """An order whose stream ended is not asked for again, and the last one ends the session."""
    session = live(log)

    assert session.receive(finished("ord_1"), 0) == [Finished("ord_1")]
    session.disconnected()
    session.connected()

    assert session.outgoing(0) == []
    assert session.ended


def test_one_that_stays_does_not_end(log: Log) -> None:
    """A session made to stay outlives its orders."""
    session = UserSession(lambda: 0.5, stays=True)
    session.subscribe("ord_1")
    session.receive(finished("ord_1"), 0)

    assert not session.ended


def test_lost_is_asked_for_without_a_cursor(log: Log) -> None:
    """What the hub lost is subscribed to anew, as if nothing had been known."""
    session = live(log)

    updates = session.receive({"type": "unsubscribed", "orderId": "ord_1", "reason": "lost"}, 0)

    assert updates == []
    (ask,) = session.outgoing(0)
    assert "after" not in ask


def test_forbidden_gives_the_order_up(log: Log) -> None:
    """An order that may not be seen any more is told and left alone."""
    session = live(log)

    updates = session.receive(
        {"type": "unsubscribed", "orderId": "ord_1", "reason": "forbidden"}, 0
    )

    assert updates == [Refused("ord_1", "forbidden")]
    assert session.ended


def test_not_found_gives_the_order_up() -> None:
    """An order that is not there is told and left alone; the others stay."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1")
    session.subscribe("ord_2")
    session.connected()
    first, _ = session.outgoing(0)

    error = {"type": "error", "id": first["id"], "code": "not_found", "message": "no such order"}

    assert session.receive(error, 0) == [Refused("ord_1", "not_found", "no such order")]
    assert list(session.orders) == ["ord_2"]


def test_unavailable_is_asked_again_later() -> None:
    """A subscription that the hub can't serve now is sent again, with jitter, or when it can."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1")
    session.connected()
    (ask,) = session.outgoing(0)
    error = {"type": "error", "id": ask["id"], "code": "unavailable", "message": "store away"}

    assert session.receive(error, 10) == []
    assert session.due() == 10 + sum(ASK_AGAIN) / 2
    assert session.outgoing(10) == []
    assert session.receive({"type": "notice", "code": "recovered"}, 11) == [Notice("recovered")]
    assert session.outgoing(11) == [ask]


def test_an_answer_that_never_comes_is_asked_for_again() -> None:
    """A subscription is repeated when nothing is heard of it."""
    session = UserSession(lambda: 0.5)
    session.subscribe("ord_1")
    session.connected()
    (ask,) = session.outgoing(0)

    assert session.outgoing(ANSWER_WITHIN - 1) == []
    assert session.outgoing(ANSWER_WITHIN) == [ask]


def test_unsubscribe_is_told_once(log: Log) -> None:
    """An order given up is told to the hub, and nothing more of it is handed out."""
    session = live(log)
    session.unsubscribe("ord_1")
    session.unsubscribe("ord_1")

    assert session.outgoing(0) == [{"type": "unsubscribe", "id": 2, "orderId": "ord_1"}]
    assert session.receive(log.append("CONFIRMED"), 0) == []
    assert session.receive({"type": "unsubscribed", "id": 2, "orderId": "ord_1"}, 0) == []
    assert session.ended


def test_an_older_position_is_dropped(log: Log) -> None:
    """Positions never go back in time, but may tell the same fix as stale."""
    session = live(log, position={**position("ord_1", AT + 5)})

    def ats(message: Message) -> list[float]:
        return [one.at for one in session.receive(message, 0) if isinstance(one, Position)]

    assert ats(position("ord_1", AT + 4)) == []
    assert ats(position("ord_1", AT + 5, freshness="stale")) == [AT + 5]
    assert ats(position("ord_1", AT + 9)) == [AT + 9]


def test_a_new_rider_may_be_behind_the_old_one(log: Log) -> None:
    """After a reassignment the clock of another phone counts."""
    session = live(log)
    session.receive(position("ord_1", AT + 9), 0)
    session.receive(log.append("PREPARING", "courier.assigned"), 0)

    (update,) = session.receive(position("ord_1", AT + 4), 0)

    assert isinstance(update, Position)


def test_estimates_are_typed(log: Log) -> None:
    """An estimate that moved between events is handed out."""
    (update,) = live(log).receive(estimate("ord_1", 12), 0)

    assert isinstance(update, Estimate)
    assert update.estimated_time == 12
    assert update.eta.p50 == AT + 720


@pytest.mark.parametrize("code", ["degraded", "recovered", "draining", "made_up_later"])
def test_notices_are_handed_out(log: Log, code: str) -> None:
    """Every notice is passed on, known or not."""
    assert live(log).receive({"type": "notice", "code": code}, 0) == [Notice(code)]


def test_what_a_newer_hub_says_is_no_error(log: Log) -> None:
    """Unknown message types, fields and event types do not stop a client."""
    session = live(log)

    assert session.receive({"type": "weather", "rain": True}, 0) == []
    (event,) = session.receive(log.append("CONFIRMED", "order.teleported", colour="blue"), 0)
    assert isinstance(event, Event)
    assert event.event_type == "order.teleported"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "event"},
        {"type": "event", "orderId": "ord_1", "epoch": "abcdefgh", "seq": "2"},
        {"type": "position", "orderId": "ord_1", "at": "yesterday", "lat": 1, "lng": 1},
        {"type": "position", "orderId": "ord_1", "at": "2026-11-22T19:05:43Z", "lat": [], "lng": 1},
        {"type": "event", "orderId": []},
        {"type": "estimate", "orderId": "ord_1", "estimatedTime": 3, "eta": 5},
        {"type": "notice"},
        {"type": "error"},
    ],
)
def test_garbage_is_our_error(log: Log, message: Message) -> None:
    """A message without what its type must have raises HubMessageError, whatever is wrong."""
    session = live(log)

    with pytest.raises(HubMessageError):
        session.receive(message, 0)


def test_an_answer_to_no_question_is_left_aside(log: Log) -> None:
    """A repeated `subscribed` does not set the order back."""
    session = live(log)
    answer = log.subscribed({"id": 1})
    session.receive(log.append("CONFIRMED"), 0)

    assert session.receive(answer, 0) == []
    assert session.orders["ord_1"] == Cursor("abcdefgh", 2)
