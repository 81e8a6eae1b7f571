"""What Python adds to the session: names and types. The rest is in `test_session_traces.py`."""

from typing import Any

import pytest

from clients.session import UserSession
from clients.updates import Estimate, Event, Snapshot
from tests.clients.orders import AT, Log, estimate, position


def live(log: Log, **more: Any) -> tuple[UserSession, Snapshot]:
    """A session that watches one order, and its snapshot."""
    session = UserSession(lambda: 0.5)
    session.subscribe(log.order_id)
    session.connected()
    (ask,) = session.outgoing(0)
    (snapshot,) = session.receive(log.subscribed(ask, **more), 0)
    assert isinstance(snapshot, Snapshot)
    return session, snapshot


@pytest.fixture
def log() -> Log:
    return Log("ord_1")


def test_an_event_is_typed(log: Log) -> None:
    """An event comes out with Python's names and Unix seconds."""
    session, _ = live(log)

    (event,) = session.receive(log.append("CONFIRMED", estimatedTime=30), 0)

    assert isinstance(event, Event)
    assert (event.event_type, event.seq, event.estimated_time) == ("order.confirmed", 2, 30)
    assert event.timestamp == AT + 1


def test_a_snapshot_is_typed(log: Log) -> None:
    """With the position inside it."""
    where = position("ord_1", AT + 5)
    del where["type"]

    _, snapshot = live(log, position=where)

    assert (snapshot.status, snapshot.seq, snapshot.recovered) == ("PENDING", 1, False)
    assert snapshot.position is not None
    assert (snapshot.position.at, snapshot.position.lat) == (AT + 5, 31.2)


def test_estimates_are_typed(log: Log) -> None:
    """An estimate that moved between events is handed out."""
    session, _ = live(log)

    (update,) = session.receive(estimate("ord_1", 12), 0)

    assert isinstance(update, Estimate)
    assert update.estimated_time == 12
    assert update.eta.p50 == AT + 720
