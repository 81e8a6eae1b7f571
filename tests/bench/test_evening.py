"""What a phone of the simulated evening counts."""

from bench.evening import Phone


def test_close_fixes_share_a_wake_up() -> None:
    """Every 4 s the radio never sleeps; every 15 s it wakes each time and is up for its tail."""
    steady, seldom = Phone(), Phone()
    steady.carry_on(0, 600, 4, "constant")
    seldom.carry_on(0, 600, 15, "unwatched")
    assert (150, 1) == (steady.sent.total(), steady.wakes)
    assert (40, 40) == (seldom.sent.total(), seldom.wakes)
    assert (606, 400) == (steady.up, seldom.up)


def test_a_new_cadence_counts_from_the_last_fix() -> None:
    """And each fix counts for the cadence that it was sent on."""
    phone = Phone()
    phone.carry_on(0, 10, 60, "idle")
    phone.carry_on(10, 20, 4, "watched")
    assert {"idle": 1, "watched": 3} == phone.sent
    assert {"idle": 10, "watched": 10} == phone.seconds
    assert 18 == phone.last
