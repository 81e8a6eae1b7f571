"""How often a phone is to send."""

from hub.core.riders.cadence import Cadence


def test_who_has_nothing_to_do() -> None:
    cadence = Cadence()
    cadence.hear(3, 10.0, 0.05)
    assert cadence.told(on_duty=False) == (60.0, "idle")


def test_watched_until_it_is_known() -> None:
    """Once without anybody is not enough: a page may be loading anew."""
    cadence = Cadence()
    assert cadence.told(on_duty=True) == (4.0, "watched")
    cadence.hear(0, None, None)
    assert cadence.told(on_duty=True) == (4.0, "watched")
    cadence.hear(0, None, None)
    assert cadence.told(on_duty=True) == (15.0, "unwatched")
    cadence.hear(1, None, None)
    assert cadence.told(on_duty=True) == (4.0, "watched")


def test_near_does_not_flap() -> None:
    """Near from 500 m on, and no longer beyond 700 m; not where nobody watches."""
    cadence = Cadence()
    told = []
    for metres in (501.0, 499.0, 600.0, 699.0, 701.0, 600.0, 400.0):
        cadence.hear(1, metres, None)
        told.append(cadence.told(on_duty=True)[1])
    assert told == ["watched", "near", "near", "near", "watched", "watched", "near"]
    for _ in range(2):
        cadence.hear(0, 100.0, None)
    assert cadence.told(on_duty=True) == (15.0, "unwatched")


def test_a_low_battery_is_spared() -> None:
    cadence = Cadence()
    cadence.hear(1, 100.0, 0.14)
    assert cadence.told(on_duty=True) == (4.0, "near")
    cadence.hear(1, 900.0, 0.14)
    assert cadence.told(on_duty=True) == (8.0, "watched")
    cadence.hear(1, 900.0, 0.16)
    assert cadence.told(on_duty=True) == (4.0, "watched")
