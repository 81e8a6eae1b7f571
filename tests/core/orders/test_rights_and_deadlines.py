"""Whose order it is, and which deadlines run for it (contract 3 and 8)."""

from math import inf
from typing import Any

import pytest

from hub.core.callers.claims import WORKER_CLAIMS, Claims, concerns
from hub.core.orders.change import Change
from hub.core.orders.deadlines import Durations, deadlines
from hub.core.orders.order import pay
from schemas.lifecycle import PaymentState, Role, Status
from tests.core.making import NOW, advance, placed

D = Durations()


def claims(role: Role, **more: Any) -> Claims:
    return Claims(role=role, expires=inf, **more)


CONCERNS = [
    (claims(Role.PLATFORM), True),
    (claims(Role.MERCHANT, restaurant="res_1"), True),
    (claims(Role.MERCHANT, restaurant="res_2"), False),
    (claims(Role.RIDER, sub="r1"), True),
    (claims(Role.RIDER, sub="r2"), False),
    (claims(Role.RIDER), False),
    (claims(Role.CUSTOMER, sub="cus_1"), True),
    (claims(Role.CUSTOMER, sub="cus_2"), False),
    (claims(Role.CUSTOMER, orders=frozenset({"ord_1"})), True),
    (claims(Role.CUSTOMER, orders=frozenset({"ord_2"})), False),
    (claims(Role.CUSTOMER), False),
    (claims(Role.PARTNER, partner="default"), False),
    (claims(Role.OPS), False),
    (claims(Role.OPS, sub="worker"), False),
    (WORKER_CLAIMS, True),
]


@pytest.mark.parametrize(("who", "wanted"), CONCERNS, ids=range(len(CONCERNS)))
def test_whose_order_it_is(who: Claims, wanted: bool) -> None:
    """The platform's, its merchant's, its rider's, its customer's; no token is the worker's."""
    assert wanted is concerns(advance(placed(), rider_id="r1"), who)


def test_an_order_of_nobody_is_nobodys() -> None:
    """A missing rider or customer is not matched by a missing name."""
    state = placed(customerId=None)
    assert not concerns(state, claims(Role.RIDER))
    assert not concerns(state, claims(Role.CUSTOMER))


def test_callers_are_told_apart() -> None:
    """By role and by what names them in it."""
    callers = {
        claims(Role.PLATFORM).caller,
        claims(Role.PLATFORM, sub="a").caller,
        claims(Role.MERCHANT, restaurant="a").caller,
        claims(Role.RIDER, sub="a").caller,
        claims(Role.CUSTOMER, orders=frozenset({"a"})).caller,
        claims(Role.CUSTOMER, orders=frozenset({"a", "b"})).caller,
    }
    assert 6 == len(callers)


@pytest.mark.parametrize("method", ["WECHAT", "ALIPAY"])
def test_the_payment_deadline(method: str) -> None:
    """15 minutes for who must pay; FAILED leaves it running, PAID clears it."""
    state = placed(paymentMethod=method)
    for payment in (PaymentState.UNPAID, PaymentState.FAILED):
        due = deadlines(advance(state, payment_state=payment), D)
        assert NOW + 900 == due["PAYMENT_TIMEOUT"]
    assert "PAYMENT_TIMEOUT" not in deadlines(advance(state, payment_state=PaymentState.PAID), D)
    assert "PAYMENT_TIMEOUT" not in deadlines(placed(), D)


def test_the_merchants_deadline() -> None:
    """10 minutes from when they may confirm; a confirmed order has none of it."""
    assert NOW + 600 == deadlines(placed(), D)["MERCHANT_TIMEOUT"]
    unpaid = placed(paymentMethod="WECHAT")
    assert "MERCHANT_TIMEOUT" not in deadlines(unpaid, D)
    paid = pay(unpaid, PaymentState.PAID, NOW + 700)
    assert isinstance(paid, Change)
    assert NOW + 1300 == deadlines(paid.state, D)["MERCHANT_TIMEOUT"]
    assert "MERCHANT_TIMEOUT" not in deadlines(advance(placed(), "CONFIRMED"), D)


@pytest.mark.parametrize("end", ["COMPLETED", "CANCELLED"])
def test_a_finished_order_has_no_deadlines(end: str) -> None:
    """Nothing is left to come."""
    assert {} == deadlines(advance(placed(), "CONFIRMED", end), D)


def test_durations_are_settings() -> None:
    """Each by its name."""
    changed = Durations(merchant_timeout=5)
    assert NOW + 5 == deadlines(placed(), changed)["MERCHANT_TIMEOUT"]
    assert Status.PENDING is placed().status
