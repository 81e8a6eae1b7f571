"""`python -m bench.shift`: how long trouble lasts, with the exception catalogue and without it.

A simulated shift in simulated time: the orders' states, deadlines and effects are the product's
own (hub.core); when people notice and how fast they act are assumptions, which are printed. Both
shifts have the same orders with the same trouble. Prints one JSON object.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf, log
from pathlib import Path
from random import Random
from typing import Any, Final

from hub.core.orders.change import Change, Unchanged
from hub.core.orders.deadlines import Deadline, Durations, deadlines, expire
from hub.core.orders.exceptions import Report, hear, raise_exception, resolve
from hub.core.orders.order import assign_rider, change_status, pay, place
from hub.core.orders.state import OrderState
from hub.demo.checks import percentile
from hub.demo.evening import arrivals
from schemas.exceptions import ExceptionCode, Resolution
from schemas.lifecycle import PaymentState, Role, Status
from schemas.orders import Actor, OrderStatusUpdate

__all__ = ["main"]

_HOURS: Final = 4
_START: Final = 1_795_374_000.0
_PLATFORM: Final = Actor(role=Role.PLATFORM)
_CUSTOMER: Final = Actor(role=Role.CUSTOMER)
_MERCHANT: Final = Actor(role=Role.MERCHANT)
_RIDER: Final = Actor(role=Role.RIDER)
_ITEMS: Final = [
    {"itemId": each, "name": each, "quantity": 1, "unitPriceCents": 1000} for each in ("a", "b")
]
_KINDS: Final = (
    ExceptionCode.PAYMENT_TIMEOUT,
    ExceptionCode.MERCHANT_TIMEOUT,
    ExceptionCode.ITEM_SOLD_OUT,
    ExceptionCode.RIDER_TIMEOUT,
    ExceptionCode.RIDER_SILENT,
    ExceptionCode.DELIVERY_OVERDUE,
)


@dataclass(frozen=True, slots=True)
class People:
    """Medians in seconds of log-normal times (sigma 0.6), and shares."""

    told: float = 2.0
    """Until news is on the screen of whom it concerns."""
    desk: float = 90.0
    """A dispatcher's, to deal with what their screen shows them."""
    merchant: float = 60.0
    merchants_who_wake: float = 0.7
    """Who act on a warning; the others' orders run into the last deadline."""
    customer: float = 40.0
    customers_who_answer: float = 0.8
    notices: float = 720.0
    """Until a customer who sees no progress complains, where nothing tells them."""
    support: float = 180.0
    """To deal with a complaint."""
    phone: float = 240.0
    """Until a merchant has reached the customer by telephone."""


class _Order:
    """One order in trouble. `began`: when the trouble did."""

    def __init__(self, number: int, kind: ExceptionCode, chance: Random) -> None:
        self.kind, self.chance = kind, chance
        self.order_id = f"ord_{number}"
        self.began = 0.0
        self.over: float | None = None
        self.state: OrderState


class _Shift:
    """`catalogue` off: no deadline runs and nobody is told."""

    def __init__(self, people: People, *, catalogue: bool) -> None:
        self._people = people
        self._catalogue = catalogue
        self._durations = Durations()
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()

    def run(self, orders: list[tuple[float, _Order]]) -> None:
        for at, order in orders:
            self._at(at, lambda now, order=order: self._begin(order, now))
        while self._agenda:
            now, _, act = heappop(self._agenda)
            act(now)

    def _at(self, at: float, act: Callable[[float], None]) -> None:
        heappush(self._agenda, (at, next(self._numbers), act))

    def _takes(self, order: _Order, median: float) -> float:
        return float(order.chance.lognormvariate(log(median), 0.6))

    # The trouble

    def _begin(self, order: _Order, now: float) -> None:
        """Bring the order to where its trouble begins."""
        unpaid = order.kind is ExceptionCode.PAYMENT_TIMEOUT
        request = {
            "restaurantId": "res_1",
            "items": _ITEMS,
            "address": {"text": "t", "lat": 31.2, "lng": 121.4},
            "paymentMethod": "WECHAT" if unpaid else "CASH",
        }
        order.state = place(order.order_id, "abcdefgh", request, "default", _PLATFORM, now).state
        order.began = now
        match order.kind:
            case ExceptionCode.RIDER_TIMEOUT:
                self._walk(order, now, Status.CONFIRMED, Status.PREPARING)
            case ExceptionCode.RIDER_SILENT | ExceptionCode.DELIVERY_OVERDUE:
                self._walk(order, now, Status.CONFIRMED, Status.PREPARING)
                self._do(order, assign_rider(order.state, "r", _PLATFORM, now), now)
                self._walk(order, now, Status.ON_DELIVERY)
            case ExceptionCode.ITEM_SOLD_OUT if self._catalogue:
                report = Report(f"exc_{order.order_id}", order.kind, items=("b",))
                self._do(order, raise_exception(order.state, report, _MERCHANT, now), now)
        self._set_deadlines(order)
        if not self._catalogue:
            self._find_out(order, now)

    def _walk(self, order: _Order, now: float, *statuses: Status) -> None:
        late = order.kind is ExceptionCode.DELIVERY_OVERDUE
        for status in statuses:
            minutes = 0 if late and status is Status.ON_DELIVERY else None
            update = OrderStatusUpdate(status=status, timestamp=now, estimated_time=minutes)
            self._do(order, change_status(order.state, update, _PLATFORM, now), now)

    def _find_out(self, order: _Order, now: float) -> None:
        """Nobody is told: the customer complains, or the merchant telephones."""
        people = self._people
        if order.kind is ExceptionCode.ITEM_SOLD_OUT:
            takes = self._takes(order, people.phone)
        else:
            takes = self._takes(order, people.notices) + self._takes(order, people.support)
        self._at(now + takes, lambda moment: self._end(order, moment))

    # The product's part

    def _do(self, order: _Order, change: Change | Unchanged, now: float) -> None:
        if isinstance(change, Unchanged):
            return
        order.state = change.state
        if change.closed or change.state.final:
            self._end(order, now)
        for opened in change.opened:
            if not change.state.final:
                self._tell(order, opened.code, now)
        self._set_deadlines(order)

    def _set_deadlines(self, order: _Order) -> None:
        if not self._catalogue:
            return
        for deadline, due in deadlines(order.state, self._durations).items():
            self._at(due, lambda now, name=deadline, due=due: self._fire(order, name, due, now))

    def _fire(self, order: _Order, deadline: Deadline, due: float, now: float) -> None:
        sends = order.kind is not ExceptionCode.RIDER_SILENT
        if deadline is Deadline.RIDER_SILENT and sends:
            return
        running = deadlines(order.state, self._durations)
        if order.over is None and running.get(deadline) == due:
            name = f"exc_{order.order_id}_{deadline}"
            self._do(order, expire(order.state, deadline, name, self._durations, now), now)

    # People

    def _tell(self, order: _Order, code: ExceptionCode, now: float) -> None:
        people = self._people
        match code:
            case ExceptionCode.MERCHANT_TIMEOUT:
                if order.chance.random() < people.merchants_who_wake:
                    takes = people.told + self._takes(order, people.merchant)
                    self._at(now + takes, lambda at: self._confirm(order, at))
            case ExceptionCode.ITEM_SOLD_OUT:
                if order.chance.random() < people.customers_who_answer:
                    takes = people.told + self._takes(order, people.customer)
                    self._at(now + takes, lambda at: self._answer(order, at))
            case _:
                takes = people.told + self._takes(order, people.desk)
                self._at(now + takes, lambda at: self._deal_with(order, code, at))

    def _confirm(self, order: _Order, now: float) -> None:
        if order.over is None:
            self._walk(order, now, Status.CONFIRMED)

    def _answer(self, order: _Order, now: float) -> None:
        for offer in order.state.exceptions:
            change = resolve(order.state, offer, Resolution.ACCEPTED, _CUSTOMER, now)
            self._do(order, change, now)

    def _deal_with(self, order: _Order, code: ExceptionCode, now: float) -> None:
        if order.over is not None:
            return
        match code:
            case ExceptionCode.RIDER_TIMEOUT:
                self._do(order, assign_rider(order.state, "r", _PLATFORM, now), now)
            case ExceptionCode.RIDER_SILENT:
                self._do(order, hear(order.state, _RIDER, now), now)
            case ExceptionCode.PAYMENT_TIMEOUT:
                self._do(order, pay(order.state, PaymentState.PAID, now), now)
            case _:
                for each in order.state.exceptions:
                    change = resolve(order.state, each, Resolution.RESOLVED, _PLATFORM, now)
                    self._do(order, change, now)

    @staticmethod
    def _end(order: _Order, now: float) -> None:
        if order.over is None:
            order.over = now


def _minutes(seconds: list[float]) -> dict[str, Any]:
    seconds = sorted(seconds)
    shares = {"p50": 0.5, "p95": 0.95}
    return {
        "n": len(seconds),
        **{
            name: round((percentile(seconds, share) or inf) / 60, 1)
            for name, share in shares.items()
        },
    }


def _handled(orders: list[_Order]) -> dict[str, Any]:
    """Minutes from the beginning of the trouble to its end."""
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for order in orders:
        if order.over is not None:
            by_kind[order.kind].append(order.over - order.began)
    everything = [each for group in by_kind.values() for each in group]
    return {
        "minutes": _minutes(everything),
        "byCode": {kind: _minutes(by_kind[kind]) for kind in sorted(by_kind)},
        "neverHandled": sum(order.over is None for order in orders),
    }


def _simulate(total: int, trouble: float, seed: int, *, catalogue: bool) -> dict[str, Any]:
    chance = Random(seed)
    moments = arrivals(total, _HOURS * 3600, chance)
    orders = [
        (_START + at, _Order(number, chance.choice(_KINDS), Random(f"{seed} {number}")))
        for number, at in enumerate(moments)
        if chance.random() < trouble
    ]
    _Shift(People(), catalogue=catalogue).run(orders)
    return _handled([order for _, order in orders])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shift", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--trouble", type=float, default=0.08, help="share of the orders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the result here")
    options = parser.parse_args()
    figures = (options.orders, options.trouble, options.seed)
    report = {
        "workload": "shift",
        "orders": options.orders,
        "hours": _HOURS,
        "trouble": options.trouble,
        "assumed": asdict(People()),
        "withCatalogue": _simulate(*figures, catalogue=True),
        "without": _simulate(*figures, catalogue=False),
    }
    text = json.dumps(report, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
