from random import Random

from hub.demo.evening import Fate, arrivals, plan


def test_the_same_seed_plans_the_same_evening() -> None:
    """A run can be had again, and another seed is another evening."""
    again = [plan(300, 1, 1, seed) for seed in (7, 7, 8)]

    assert again[0].orders == again[1].orders
    assert again[0].riders == again[1].riders
    assert again[0].orders != again[2].orders


def test_orders_come_at_the_rate_that_was_asked_for() -> None:
    """So many a minute for so many minutes, in time and in order."""
    orders = plan(120, 2.5, 1, 1).orders

    assert 300 == len(orders)
    assert sorted(order.at for order in orders) == [order.at for order in orders]
    assert all(0 <= order.at <= 150 for order in orders)


def test_the_evening_is_busiest_in_its_middle() -> None:
    """Fewer orders come in the outer quarters than between them."""
    moments = arrivals(2000, 100, Random(1))

    assert sum(25 <= moment < 75 for moment in moments) > 1150


def test_some_orders_are_cancelled_and_each_of_these_has_a_reason() -> None:
    """About six of a hundred, by customers and by merchants."""
    orders = plan(3000, 1, 1, 1).orders
    cancelled = [order for order in orders if order.fate is not Fate.DELIVERED]

    assert {order.number for order in orders if order.reason} == {o.number for o in cancelled}
    assert 120 < len(cancelled) < 240
    assert set(Fate) == {order.fate for order in orders}


def test_everybody_lives_on_a_street() -> None:
    """Restaurants, doors and riders' places can be walked to."""
    evening = plan(200, 1, 1, 1)
    places = [*evening.restaurants, *evening.riders, *(order.door for order in evening.orders)]

    assert all(evening.streets.on_street(place) for place in places)


def test_twice_the_speed_halves_the_waits() -> None:
    """Lives go faster, while the orders come as often as before."""
    slow, fast = plan(60, 1, 1, 1).orders[0], plan(60, 1, 2, 1).orders[0]

    assert slow.at == fast.at
    assert slow.kitchen > fast.kitchen >= slow.kitchen / 2.001
    assert plan(60, 1, 1, 1).orders[0].kitchen <= 27


def test_there_is_always_an_order_and_a_rider() -> None:
    """However short the evening."""
    evening = plan(1, 0.01, 1, 1)

    assert 1 == len(evening.orders)
    assert evening.riders
