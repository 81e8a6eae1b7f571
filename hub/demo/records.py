"""What the clients saw and did: the demo's only evidence."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from clients.updates import Event, Finished, Position, Snapshot, Update
from schemas.lifecycle import FINAL

__all__ = ["OrderRecord", "Records"]


@dataclass(slots=True)
class OrderRecord:
    """One order as its customer saw it. `log` is everything the client handed out, in order."""

    order_id: str
    token: str
    log: list[Update] = field(default_factory=list)
    status: str = "PENDING"
    catching_up: bool = True
    """No snapshot since the last connection: what comes now was missed, so it has no lag."""
    sent: dict[str, float] = field(default_factory=dict)
    """By event type: when the change was sent."""

    @property
    def seq(self) -> int:
        """The last event the customer knows of."""
        for update in reversed(self.log):
            if isinstance(update, Event | Snapshot):
                return update.seq
        return 0

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def ended(self) -> bool:
        return bool(self.log) and isinstance(self.log[-1], Finished)


class Records:
    """`clock` answers seconds; the same one stamps what is sent and what arrives."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.lanes: dict[tuple[str, str], list[int]] = {}
        """Webhooks taken, by order and path: the seqs as they came."""
        self.lags: list[float] = []
        self.events = 0
        self.positions = 0
        self.fixes = 0
        self.acks = 0
        self.rejections: Counter[str] = Counter()
        self.resumptions = 0
        self.failures: list[str] = []
        self._clock = clock

    def open(self, order_id: str, token: str) -> OrderRecord:
        record = self.orders[order_id] = OrderRecord(order_id, token)
        return record

    def sending(self, record: OrderRecord, event_type: str) -> None:
        record.sent[event_type] = self._clock()

    def take(self, record: OrderRecord, update: Update) -> None:
        record.log.append(update)
        if isinstance(update, Snapshot):
            record.catching_up = False
            record.status = update.status
        elif isinstance(update, Position):
            self.positions += 1
        elif isinstance(update, Event):
            self._event(record, update)

    def _event(self, record: OrderRecord, event: Event) -> None:
        self.events += 1
        record.status = event.status
        sent = record.sent.get(event.event_type)
        if sent is not None and not record.catching_up:
            self.lags.append(self._clock() - sent)

    def webhook(self, order_id: str, path: str, seq: int) -> None:
        self.lanes.setdefault((order_id, path), []).append(seq)

    @property
    def webhooks(self) -> int:
        return sum(len(lane) for lane in self.lanes.values())

    @property
    def statuses(self) -> Counter[str]:
        return Counter(record.status for record in self.orders.values())
