from collections.abc import Callable

import pytest

from hub.demo.records import Records
from hub.demo.summary import Summary, summarize
from tests.demo.stories import STORED, event, snapshot, whole_log


def good_records() -> Records:
    records = Records(lambda: 0.0)
    record = records.open("ord_1", "token")
    for update in whole_log():
        records.take(record, update)
    for seq in (2, 4, 5):
        records.webhook("ord_1", "/hooks", seq)
    records.webhook("ord_1", "/hooks/order-status", 2)
    return records


def summary_of(records: Records, *, faults: int = 0, interrupted: bool = False) -> Summary:
    return summarize(records, {"ord_1": STORED}, faults, 1, interrupted)


def broken(summary: Summary) -> list[str]:
    return [promise.name for promise in summary.promises if not promise.kept]


def test_a_good_evening_keeps_every_promise() -> None:
    """And says so in its JSON."""
    summary = summary_of(good_records())

    assert [] == broken(summary)
    assert summary.dump()["kept"] is True
    assert 5 == summary.dump()["events"]["stored"]


def lose_an_event(records: Records) -> None:
    del records.orders["ord_1"].log[2]


def repeat_an_event(records: Records) -> None:
    records.orders["ord_1"].log.insert(3, event(3))


def disorder_a_lane(records: Records) -> None:
    records.lanes["ord_1", "/hooks"] = [4, 2, 5]


def lose_a_webhook(records: Records) -> None:
    records.lanes["ord_1", "/hooks"] = [2, 4]


def leave_unfinished(records: Records) -> None:
    records.orders["ord_1"].status = "ON_DELIVERY"


def fail_a_client(records: Records) -> None:
    records.failures.append("rider-1: ClosedError: closed with 4503")


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        (lose_an_event, "no event lost"),
        (repeat_an_event, "no event repeated"),
        (disorder_a_lane, "webhook lanes in order"),
        (lose_a_webhook, "webhook lanes complete"),
        (leave_unfinished, "every order finished"),
        (fail_a_client, "nobody turned away"),
    ],
)
def test_each_fault_breaks_its_promise(spoil: Callable[[Records], None], promise: str) -> None:
    """One promise, and with it the whole."""
    records = good_records()
    spoil(records)
    summary = summary_of(records)

    assert [promise] == broken(summary)
    assert not summary.kept


def test_what_the_receiver_refused_breaks_a_promise() -> None:
    """A late or badly signed webhook is out of order, whatever the lanes look like."""
    assert ["webhook lanes in order"] == broken(summary_of(good_records(), faults=1))


def test_an_interrupted_evening_promises_nothing_about_its_end() -> None:
    """Unfinished orders and webhooks under way are nobody's fault then, but holes still are."""
    records = good_records()
    leave_unfinished(records)
    lose_a_webhook(records)

    assert [] == broken(summary_of(records, interrupted=True))
    lose_an_event(records)
    assert ["no event lost"] == broken(summary_of(records, interrupted=True))


def test_only_what_came_live_has_a_lag() -> None:
    """An event that was missed while away says nothing about the hub's speed."""
    now = 0.0
    records = Records(lambda: now)
    record = records.open("ord_1", "token")
    records.take(record, snapshot(1))
    records.sending(record, "order.confirmed")
    now = 0.25
    records.take(record, event(2))
    record.catching_up = True
    records.sending(record, "courier.assigned")
    now = 9.0
    records.take(record, event(3))

    assert [0.25] == records.lags
    assert 3 == record.seq
