import pytest
from pydantic import BaseModel

from schemas.messages import (
    EstimateMessage,
    PositionMessage,
    StreamEvent,
    Subscribed,
    Unsubscribed,
    Welcome,
)
from schemas.wire import dumps
from tests.clients.fake_hub import FakeHub
from tests.clients.orders import AT, Log, Message, estimate, finished, position

LOG = Log("ord_1")
AFTER = {"id": 1, "after": {"epoch": LOG.epoch, "seq": 0}}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Welcome, FakeHub().welcome()),
        (Subscribed, LOG.subscribed(AFTER)),
        (StreamEvent, LOG.events[0]),
        (PositionMessage, position("ord_1", AT)),
        (EstimateMessage, estimate("ord_1", 3)),
        (Unsubscribed, finished("ord_1")),
    ],
)
def test_the_fake_hub_speaks_the_contract(model: type[BaseModel], message: Message) -> None:
    """What the clients are tested against is what `schemas` says a hub sends."""
    model.model_validate_json(dumps(message), by_alias=True, by_name=False)
