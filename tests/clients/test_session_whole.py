"""The promise of contract 4, over every kind of bad luck at once."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from clients.session import ANSWER_WITHIN, UserSession
from clients.updates import Event, Snapshot, Update
from tests.clients.orders import STATUSES, Log, Message

ORDERS = ("ord_1", "ord_2")
orders = st.sampled_from(ORDERS)


class Network(RuleBasedStateMachine):
    """A hub with two orders, a wire that drops, repeats and breaks, and a session behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.logs = {order: Log(order) for order in ORDERS}
        self.told: dict[str, tuple[str, int] | None] = dict.fromkeys(ORDERS)
        self.wire: deque[Message] = deque()
        self.delivered: list[Message] = []
        """On the present connection."""
        self.subscribed: set[str] = set()
        self.session = UserSession(lambda: 0.5)
        for order in ORDERS:
            self.session.subscribe(order)
        self.session.connected()
        self.pump(len(ORDERS))

    @rule(order=orders, times=st.integers(1, 3))
    def change(self, order: str, times: int) -> None:
        log = self.logs[order]
        for _ in range(times):
            event = log.append(STATUSES[min(log.seq, 3)])
            if order in self.subscribed:
                self.wire.append(event)

    @rule(messages=st.integers(0, 8))
    def pump(self, messages: int) -> None:
        """The session asks, and some of what is on the wire arrives."""
        for ask in self.session.outgoing(self.now):
            self.subscribed.add(ask["orderId"])
            self.wire.append(self.logs[ask["orderId"]].subscribed(ask))
        for _ in range(min(messages, len(self.wire))):
            self.delivered.append(self.wire.popleft())
            self.check(self.session.receive(self.delivered[-1], self.now))

    @rule(changes=st.lists(orders, max_size=4))
    def reconnect(self, changes: list[str]) -> None:
        """The connection breaks, and the world goes on meanwhile."""
        self.wire.clear()
        self.delivered.clear()
        self.subscribed.clear()
        self.session.disconnected()
        for order in changes:
            self.change(order, 1)
        self.session.connected()

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Anything that is under way gets lost."""
        del self.wire[data.draw(st.integers(0, len(self.wire) - 1))]

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Anything that came before comes again."""
        message = data.draw(st.sampled_from(self.delivered))
        self.check(self.session.receive(message, self.now))

    @rule(order=orders, seconds=st.floats(0, 2 * ANSWER_WITHIN), anew=st.booleans())
    def lose(self, order: str, seconds: float, anew: bool) -> None:
        """The store made the order anew, or forgot its older events; and time passes."""
        self.now += seconds
        log = self.logs[order]
        log.kept_from = log.seq
        if anew:
            self.logs[order] = Log(order, epoch=chr(ord(log.epoch[0]) + 1) * 8)

    def check(self, updates: list[Update]) -> None:
        for update in updates:
            assert isinstance(update, Event | Snapshot)
            last = self.told[update.order_id]
            if isinstance(update, Event):
                assert last is not None
                assert (update.epoch, update.seq) == (last[0], last[1] + 1)
            elif update.recovered:
                assert (update.epoch, update.seq) == last
            elif last is not None and last[0] == update.epoch:
                assert update.seq >= last[1]
            self.told[update.order_id] = (update.epoch, update.seq)

    def teardown(self) -> None:
        """Once the network is good again, everything is there."""
        self.reconnect(list(ORDERS))
        self.pump(len(ORDERS))
        assert self.told == {order: (log.epoch, log.seq) for order, log in self.logs.items()}


Network.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestNetwork = Network.TestCase
